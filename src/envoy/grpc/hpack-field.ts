// A header field, judged once. HPACK sends a field that it knows as a number, so what a field means and whether HTTP/2 allows it
// (RFC 9113 sections 8.2 and 8.3) is found out when it enters the table, not at every request that names it.

/** What a field is to a gRPC server; `malformed` makes the request malformed wherever it stands. */
export type FieldKind =
  | ':method'
  | ':scheme'
  | ':authority'
  | ':path'
  | 'content-type'
  | 'content-length'
  | 'grpc-timeout'
  | 'grpc-encoding'
  | 'other'
  | 'malformed'

export type Field = {
  readonly name: string
  /** One character a byte. */
  readonly value: string
  readonly kind: FieldKind
  /** Bytes as HPACK counts them (RFC 7541 section 4.1). */
  readonly size: number
}

const known: ReadonlySet<string> = new Set<FieldKind>([
  ':method',
  ':scheme',
  ':authority',
  ':path',
  'content-type',
  'content-length',
  'grpc-timeout',
  'grpc-encoding',
])

const isKnown = (name: string): name is FieldKind => known.has(name)

/** They speak of a connection of HTTP/1.1 (RFC 9113 section 8.2.2). */
const ofConnections: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

const lowerCaseToken = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const forbiddenInValues = /[\0\r\n]|^[ \t]|[ \t]$/

function kindOf(name: string, value: string): FieldKind {
  if (forbiddenInValues.test(value)) return 'malformed'
  if (isKnown(name)) return name
  // A pseudo-header that is none of a request's, an upper-case letter, a space (RFC 9113 sections 8.2.1 and 8.3).
  if (!lowerCaseToken.test(name) || ofConnections.has(name)) return 'malformed'
  return name === 'te' && value !== 'trailers' ? 'malformed' : 'other'
}

export const fieldOf = (name: string, value: string): Field => ({
  name,
  value,
  kind: kindOf(name, value),
  size: name.length + value.length + 32,
})
