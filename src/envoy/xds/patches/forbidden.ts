// What a patch may not bring in, wherever it stands: files and variables of the proxy's machine, filters that run code,
// header names that the filter or the origin takes for Weir's word (spec control-plane 2.13).
import { type Json, type JsonObject, isObject, textOf } from '../json.ts'
import { type Path, pointerOf } from './pointer.ts'
import type { Difference } from './same-json.ts'

export type Found = { readonly pointer: string; readonly reason: string }

/** Fields of `DataSource` and its kin. */
const sources = new Set([
  'filename',
  'environment_variable',
  'environmentVariable',
  'watched_directory',
  'watchedDirectory',
])

/** Extensions that run code that somebody wrote, by a word of their names and types. */
const codeRunner = /^(?:type\.googleapis\.com\/)?envoy\..*\.(lua|wasm|golang|dynamic_modules)(?:\.|$)/
/** Those that an installation may let in; the types of the others are not known here. */
const allowable = new Set(['lua', 'wasm'])

function runsCode(value: string, allow: ReadonlySet<string>): string | undefined {
  const word = codeRunner.exec(value)?.[1]
  if (word === undefined) return undefined
  const name = `envoy.filters.http.${word}`
  if (!allowable.has(word)) return `${name} may not come in`
  return allow.has(name) ? undefined : `${name} needs the setting envoy.advanced.allow`
}

/** A log file anywhere on the disk is a way to write there. */
const standardStreams = new Set(['/dev/stdout', '/dev/stderr'])
const fileLogger = 'envoy.access_loggers.file'

function inObject(value: JsonObject, path: Path): Found | undefined {
  for (const key of Object.keys(value))
    if (sources.has(key))
      return { pointer: pointerOf([...path, key]), reason: `${key} is no source that a patch may use` }
  if (textOf(value, '@type').endsWith('.FileAccessLog') && !standardStreams.has(textOf(value, 'path')))
    return {
      pointer: pointerOf([...path, 'path']),
      reason: 'a patch may log to /dev/stdout and /dev/stderr alone',
    }
  return undefined
}

/** @param allow names of extensions that the installation lets in */
function find(value: Json, path: Path, allow: ReadonlySet<string>): Found | undefined {
  if (typeof value === 'string') {
    const reason = runsCode(value, allow)
    return reason === undefined ? undefined : { pointer: pointerOf(path), reason }
  }
  if (Array.isArray(value)) {
    for (const [i, item] of (value as readonly Json[]).entries()) {
      const found = find(item, [...path, String(i)], allow)
      if (found) return found
    }
    return undefined
  }
  if (!isObject(value)) return undefined
  const loggerAllowed = allow.has(fileLogger) && textOf(value, '@type').endsWith('.FileAccessLog')
  const own = loggerAllowed ? undefined : inObject(value, path)
  if (own) return own
  for (const [key, item] of Object.entries(value)) {
    const found = find(item, [...path, key], allow)
    if (found) return found
  }
  return undefined
}

/** Names that are Weir's to give; `-` and `_` are one to many origins. */
function isReserved(name: string, clientHeaders: ReadonlySet<string>): boolean {
  const folded = name.toLowerCase().replaceAll('_', '-')
  return /^(?:x-weir-|ssl-client-|:|host$)/.test(folded) || clientHeaders.has(folded)
}

function inHeaders(
  { path, before, after }: Difference,
  clientHeaders: ReadonlySet<string>,
): Found | undefined {
  if (path[0] !== 'request_headers_to_add' || !Array.isArray(after)) return undefined
  const kept = Array.isArray(before) ? before.length : 0
  for (const [i, item] of (after as readonly Json[]).entries()) {
    const header = isObject(item) ? (item['header'] ?? null) : null
    const key = isObject(header) ? textOf(header, 'key') : ''
    if (i >= kept && isReserved(key, clientHeaders))
      return {
        pointer: pointerOf([...path, String(i), 'header', 'key']),
        reason: `${key} is given by Weir alone`,
      }
  }
  return undefined
}

/** @param clientHeaders lower-case, with `-` for `_`: headers that say who the client is */
export const forbidden = (
  difference: Difference,
  allow: ReadonlySet<string>,
  clientHeaders: ReadonlySet<string>,
): Found | undefined =>
  inHeaders(difference, clientHeaders) ??
  (difference.after === undefined ? undefined : keyed(difference, allow))

/** The field's own name counts as well. */
function keyed({ path, after }: Difference, allow: ReadonlySet<string>): Found | undefined {
  const key = path.at(-1) ?? ''
  if (after === undefined) return undefined
  if (sources.has(key))
    return { pointer: pointerOf(path), reason: `${key} is no source that a patch may use` }
  return find(after, path, allow)
}
