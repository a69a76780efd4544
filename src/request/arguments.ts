// The arguments of a request (spec pipeline 1.7): query, body and, where the profile asks for it, the Referer, in one
// name space and within one bound.
import { parseForm } from './body/form.ts'
import { type Leaf, type ParseResult, createLeaves, maxArguments } from './body/leaves.ts'
import { type ParameterList, createParameterList } from './parameters.ts'
import type { Head, Place } from './request.ts'
import { readUri } from './uri.ts'

export type Arguments = {
  readonly list: ParameterList
  /** Values that may still be added. */
  room: number
}

export function createArguments(): Arguments {
  return { list: createParameterList(' '), room: maxArguments }
}

export function addLeaves(args: Arguments, leaves: readonly Leaf[], place: Place, prefix = ''): void {
  for (const { name, value, lengthExempt } of leaves) {
    args.list.add(prefix === '' ? name : prefix + name, value, place, lengthExempt)
  }
  args.room -= leaves.length
}

/** Adds what a query holds; `query` begins with `?`. */
export function addQuery(args: Arguments, query: string, place: Place, prefix = ''): ParseResult {
  const leaves = createLeaves(args.room)
  const result = parseForm(query, leaves, 1)
  addLeaves(args, leaves.found, place, prefix)
  return result
}

const refererPrefix = 'ref:'

/** Path parts and query of the Referer, with `ref:` before each name. One that is no URL is taken for a path. */
export function addReferer(args: Arguments, { headers }: Head): void {
  const referer = headers.get('referer')?.value
  if (referer === undefined) return
  const scheme = referer.indexOf('://')
  const slash = scheme < 0 ? 0 : referer.indexOf('/', scheme + 3)
  const question = scheme < 0 ? -1 : referer.indexOf('?', scheme + 3)
  const start = slash < 0 ? question : slash
  if (start < 0) return
  const fragment = referer.indexOf('#', start)
  const uri = readUri(referer.slice(start, fragment < 0 ? undefined : fragment))
  for (const { name, value } of uri.parts.values()) {
    if (args.room-- <= 0) return
    args.list.add(refererPrefix + name, value, 'referer')
  }
  if (uri.query !== undefined) addQuery(args, uri.query, 'referer', refererPrefix)
}
