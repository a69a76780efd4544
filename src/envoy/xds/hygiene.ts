// Headers that a client must not be able to send: Weir's and Envoy's own, and every other spelling of a header
// that somebody behind Weir trusts. CGI-like servers read `X_Real_IP` and `X-Real-IP` as one name, so an alias
// is as good as the original. Removed before anything reads the request (spec control-plane 2.3).
import { type JsonObject, extension, fullMatch } from './json.ts'

const separator = '[-_]'
const swap = (found: string): string => (found === '_' ? '-' : '_')
const escape = (part: string): string => part.replace(/[^a-z0-9]/g, '\\$&')

/** Parts and separators of a lower-cased name: `x-real-ip` → [`x`,`-`,`real`,`-`,`ip`]. */
const pieces = (name: string): readonly string[] => name.toLowerCase().split(/([-_])/)

/** The name with `-` or `_` at each separator. */
const anySpelling = (name: string): string =>
  pieces(name)
    .map((piece, at) => (at % 2 === 1 ? separator : escape(piece)))
    .join('')

/** Spellings that differ from the name in at least one separator: one alternative for each that must differ. */
export function aliasesOf(name: string): readonly string[] {
  const all = pieces(name)
  return all.flatMap((_, differing) =>
    differing % 2 === 0
      ? []
      : [
          all
            .map((piece, at) => {
              if (at % 2 === 0) return escape(piece)
              return at === differing ? swap(piece) : separator
            })
            .join(''),
        ],
  )
}

const always: readonly string[] = [
  'x[-_]weir[-_].*',
  'x[-_]envoy[-_].*',
  'ssl[-_]client[-_](verify|cert|s[-_]dn|i[-_]dn|serial|fingerprint)',
  'x_forwarded[-_].*',
  'x-forwarded_.*',
  'x-forwarded-.*_.*',
  'content_length',
  'transfer_encoding',
  // Without this a trusted peer's client could choose the id under which its request is logged.
  'x-request-id',
]

export type TrustedHeaders = {
  /** Headers that may state the client's address. */
  readonly clientAddress: readonly string[]
  /** Headers in which the origin is told the client's address. */
  readonly realIp: readonly string[]
}

/** One expression, because each header is tried against each mutation. */
export function forbiddenHeaders(trusted: TrustedHeaders): string {
  const genuine = new Set(trusted.clientAddress.map((name) => name.toLowerCase()))
  const ofClientAddress = trusted.clientAddress.flatMap(aliasesOf)
  const ofRealIp = trusted.realIp.flatMap((name) =>
    genuine.has(name.toLowerCase()) ? aliasesOf(name) : [anySpelling(name)],
  )
  return [...new Set([...always, ...ofClientAddress, ...ofRealIp])].join('|')
}

/** @param also names that this chain removes in addition, lower-case. */
export function headerHygiene(trusted: TrustedHeaders, also: readonly string[]): JsonObject {
  const patterns = [forbiddenHeaders(trusted), ...also].join('|')
  return extension(
    'envoy.http.early_header_mutation.header_mutation',
    'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
    { mutations: [{ remove_on_match: { key_matcher: fullMatch(patterns) } }] },
  )
}
