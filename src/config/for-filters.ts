// The documents as filters get them: what they need to judge requests, and no secret that they have no use for. What is left
// is valid by the same rules as the whole, so that a filter checks it with the code that reads a folder.
import { openPfx } from './certificate/pfx.ts'
import { canonicalJson } from './canonical.ts'
import { isObject } from './schema/json.ts'

/** Entries by namespace. */
export type Documents = ReadonlyMap<string, readonly unknown[]>

/** One document in canonical JSON. */
export type EncodedDocument = { readonly name: string; readonly json: Uint8Array }

/** Stands where a key was: whoever reads the document without keys wants to see that there is one. */
const withheld = 'withheld'

/** A PFX file holds the key as well: its chain takes its place. */
function chainOf(pfx: unknown, password: unknown): unknown {
  if (typeof pfx !== 'string') return undefined
  const opened = openPfx(pfx, typeof password === 'string' ? password : '')
  return 'chain' in opened ? opened.chain : undefined
}

function withoutKey(entry: unknown): unknown {
  if (!isObject(entry)) return entry
  const { private_key: key, private_key_password: _, pfx = '', pfx_password: password, ...rest } = entry
  if (pfx !== '') return { ...rest, cert_body: chainOf(pfx, password), private_key: withheld }
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

type Reduce = (entries: readonly unknown[]) => readonly unknown[]

const reductions: Readonly<Record<string, Reduce>> = {
  certificates: (entries) => entries.map(withoutKey),
  'system-db': (entries) => entries.filter(isForFilters),
}

/** Canonical JSON of what filters need, sorted by name. @param documents that were loaded without a problem */
export const encodeForFilters = (documents: Documents): readonly EncodedDocument[] =>
  [...documents]
    .map(([name, entries]) => ({ name, entries: reductions[name]?.(entries) ?? entries }))
    .filter(({ entries }) => entries.length > 0)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, entries }) => ({ name, json: Buffer.from(canonicalJson(entries)) }))
