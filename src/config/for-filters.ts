// The documents as filters get them: what they need to judge requests, and no secret that they have no use for. What is left
// is valid by the same rules as the whole, so that a filter checks it with the code that reads a folder.
import { canonicalJson } from './canonical.ts'
import type { Policy } from './policy.ts'
import { isObject } from './schema/json.ts'

/** Entries by namespace. */
export type Documents = ReadonlyMap<string, readonly unknown[]>

/** One document in canonical JSON. */
export type EncodedDocument = { readonly name: string; readonly json: Uint8Array }

/** Stands where a key was: whoever reads the document without keys wants to see that there is one. */
const withheld = 'withheld'

function withoutKey(entry: unknown, certificates: Certificates): unknown {
  if (!isObject(entry)) return entry
  const { private_key: key, private_key_password: _, pfx = '', pfx_password: __, ...rest } = entry
  // A PFX file holds the key as well: the chain that was read from it takes its place.
  if (pfx !== '')
    return { ...rest, cert_body: certificates.get(String(entry['id']))?.chain, private_key: withheld }
  return key === undefined || key === '' ? rest : { ...rest, private_key: withheld }
}

/** Entries of the system database that say how requests are read; others are not for filters, and may hold anything. */
const systemEntries: ReadonlySet<unknown> = new Set([
  'planet',
  'feature-toggle',
  'regions',
  'tags',
  'traffic',
])

const isForFilters = (entry: unknown): boolean => isObject(entry) && systemEntries.has(entry['id'])

type Certificates = Policy['certificates']

type Reduce = (entries: readonly unknown[], certificates: Certificates) => readonly unknown[]

const reductions: Readonly<Record<string, Reduce>> = {
  certificates: (entries, certificates) => entries.map((entry) => withoutKey(entry, certificates)),
  'system-db': (entries) => entries.filter(isForFilters),
}

/**
 * Canonical JSON of what filters need, sorted by name.
 * @param documents that were loaded without a problem
 * @param policy what they made
 */
export const encodeForFilters = (
  documents: Documents,
  { certificates }: Pick<Policy, 'certificates'>,
): readonly EncodedDocument[] =>
  [...documents]
    .map(([name, entries]) => ({ name, entries: reductions[name]?.(entries, certificates) ?? entries }))
    .filter(({ entries }) => entries.length > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, entries }) => ({ name, json: Buffer.from(canonicalJson(entries)) }))
