// Which certificates their CAs have taken back: made by the control plane out of revocation lists, read by filters with every
// request (spec control-plane 1.1). Immutable; a new list makes a new one. This is also its form on disk and on the wire.
import { createHash } from 'node:crypto'
import { Type } from 'typebox'
import { Check } from 'typebox/value'

/** What is known of one CA. */
export type RevokedBy = {
  /** Serial numbers as `normaliseSerial` writes them. */
  readonly serials: ReadonlySet<string>
  /** Whether the lists speak of the certificates of clients, for every reason: only then an absent one is a good one. */
  readonly complete: boolean
}

export type Revocations = {
  /** Equal content in equal order, equal revision. */
  readonly revision: string
  /** By CA: the SHA-256 of its public key (`BundledCa.id`). A CA without entry has no list yet. */
  readonly cas: ReadonlyMap<string, RevokedBy>
}

/** What one list says; `ca` as in `Revocations`. */
export type ListedSerials = {
  readonly ca: string
  readonly complete: boolean
  readonly serials: readonly string[]
}

function revisionOf(cas: ReadonlyMap<string, RevokedBy>): string {
  const hash = createHash('sha256')
  for (const [ca, { serials, complete }] of [...cas].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${ca} ${String(complete)}\n`)
    hash.update(`${[...serials].join(' ')}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

/** Several lists of one CA count together. */
export function revocationsOf(lists: Iterable<ListedSerials>): Revocations {
  const cas = new Map<string, { serials: Set<string>; complete: boolean }>()
  for (const { ca, complete, serials } of lists) {
    const known = cas.get(ca) ?? { serials: new Set<string>(), complete: false }
    for (const serial of serials) known.serials.add(serial)
    cas.set(ca, { serials: known.serials, complete: known.complete || complete })
  }
  return { revision: revisionOf(cas), cas }
}

/** No list is there. */
export const noRevocations: Revocations = revocationsOf([])

const format = 1

const schema = Type.Object({
  format: Type.Literal(format),
  lists: Type.Array(
    Type.Object({
      ca: Type.String(),
      complete: Type.Boolean(),
      serials: Type.Unknown(),
    }),
  ),
})

const isText = (value: unknown): value is string => typeof value === 'string'

/** Half a million serial numbers one by one through a schema hold every request up for a second. */
const hasSerials = (list: Omit<ListedSerials, 'serials'> & { serials: unknown }): list is ListedSerials =>
  Array.isArray(list.serials) && list.serials.every(isText)

/** JSON of lists; further fields of theirs are kept and read by nobody here. */
export const encodeRevocations = (lists: readonly ListedSerials[]): string =>
  `${JSON.stringify({ format, lists })}\n`

/** The lists of a text that `encodeRevocations` wrote; undefined: it is no such text. */
export function decodeLists(text: string): readonly ListedSerials[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Check(schema, value) && value.lists.every(hasSerials) ? value.lists : undefined
  } catch {
    // Half a file, or another one: the caller says what becomes of it.
    return undefined
  }
}

/** What `encodeRevocations` was given, for whoever asks about certificates; undefined: it is no such text. */
export function decodeRevocations(text: string): Revocations | undefined {
  const lists = decodeLists(text)
  return lists === undefined ? undefined : revocationsOf(lists)
}

/** One line per CA, as an Envoy resource or a message can carry it. */
export const listsOf = ({ cas }: Revocations): readonly ListedSerials[] =>
  [...cas].map(([ca, { serials, complete }]) => ({ ca, complete, serials: [...serials] }))
