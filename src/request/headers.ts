// Header lines to headers and cookies (spec pipeline 1.6), and what is refused before filtering (1.2). One pass over the
// lines: this runs for every request.
import { isUtf8 } from 'node:buffer'
import { readCookies } from './cookies.ts'
import { mediaTypesConflict } from './media-type.ts'
import { createParameterList } from './parameters.ts'
import type { HeaderLine, HeadRefusal, Parameters } from './request.ts'

/** Added by Envoy itself; a client's own are removed on the way in. */
const envoyOwn = new Set([
  'x-envoy-external-address',
  'x-envoy-internal',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-attempt-count',
  'x-envoy-decorator-operation',
  'x-envoy-auth-partial-body',
])

const isValid = (text: string | Uint8Array): boolean => (typeof text === 'string' ? true : isUtf8(text))

const textOf = (text: string | Uint8Array): string =>
  typeof text === 'string'
    ? text
    : Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')

export type ReadHeaders = {
  readonly headers: Parameters
  readonly cookies: Parameters
  readonly refusal: HeadRefusal | undefined
}

/** What the `host` lines say: the first one, for requests without `:authority`, and whether all say `authority`. */
export function readHostLines(
  lines: readonly HeaderLine[],
  authority: string,
): { readonly first: string; readonly agree: boolean } {
  let first = ''
  let agree = true
  for (const [name, value] of lines) {
    if (name.length !== 4 || textOf(name).toLowerCase() !== 'host') continue
    const host = textOf(value).trim().toLowerCase()
    if (first === '') first = host
    agree &&= host === (authority === '' ? first : authority)
  }
  return { first, agree }
}

/** `host` becomes the header of that name, whatever the lines say. */
export function readHeaders(lines: readonly HeaderLine[], host: string): ReadHeaders {
  const headers = createParameterList(', ')
  const cookies: string[] = []
  const types: string[] = []
  let refusal: HeadRefusal | undefined
  headers.add('host', host, 'headers')
  for (const line of lines) {
    const name = textOf(line[0]).toLowerCase()
    if (!isValid(line[0]) || !isValid(line[1])) refusal ??= { kind: 'invalid-characters', header: name }
    if (name === 'host' || name.startsWith(':') || (name.startsWith('x-envoy-') && envoyOwn.has(name)))
      continue
    const value = textOf(line[1])
    if (name === 'cookie') {
      cookies.push(value)
      continue
    }
    if (name === 'content-type') types.push(value)
    headers.add(name, value, 'headers')
  }
  if (types.length > 0 && mediaTypesConflict(types)) refusal ??= { kind: 'conflicting-content-type' }
  return { headers: headers.finish(), cookies: readCookies(cookies), refusal }
}
