// Codes of regions (ISO 3166-2) from their English names, for databases that only have names: CLDR's list of
// subdivisions, compared without accents, blanks and the words that say what kind of region it is.
import { createRequire } from 'node:module'

const kinds =
  /\b(?:state|province|region|governorate|district|oblast|county|city|department|municipality|voivodeship|prefecture|autonomous|capital|of|the)\b/g

const plain = (name: string): string =>
  name
    .normalize('NFD')
    .replace(/[^A-Za-z ,.()/-]/g, '')
    .toLowerCase()

/** Two spellings to look under: as it is, and without the words that may or may not be part of it. */
function keysOf(name: string): readonly [exact: string, bare: string] {
  const text = plain(name)
  return [text.replace(/[^a-z]/g, ''), text.replace(kinds, '').replace(/[^a-z]/g, '')]
}

type Regions = { readonly exact: ReadonlyMap<string, string>; readonly bare: ReadonlyMap<string, string> }

type CldrFile = {
  readonly subdivisions: {
    readonly localeDisplayNames: { readonly subdivisions: Readonly<Record<string, string>> }
  }
}

let loaded: Regions | undefined

function load(): Regions {
  const file = createRequire(import.meta.url)('cldr-subdivisions-full/subdivisions/en/en.json') as CldrFile
  const exact = new Map<string, string>()
  const bare = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const [id, name] of Object.entries(file.subdivisions.localeDisplayNames.subdivisions)) {
    const country = id.slice(0, 2)
    const code = id.slice(2).toUpperCase()
    const [whole, short] = keysOf(name)
    exact.set(country + whole, code)
    if (bare.has(country + short)) ambiguous.add(country + short)
    bare.set(country + short, code)
  }
  // Of two that differ only in kind ("Moscow", "Moscow Province") neither is meant by a third spelling.
  for (const key of ambiguous) bare.delete(key)
  return { exact, bare }
}

function findCode({ exact, bare }: Regions, country: string, name: string): string | undefined {
  const [whole, short] = keysOf(name)
  return exact.get(country + whole) ?? (short === '' ? undefined : bare.get(country + short))
}

/** Codes found so far: the names of one database are a few thousand, each asked for over and over. */
const known = new Map<string, string | undefined>()
const mostKnown = 20_000

/** The code, without country, of a region by its English name; undefined if CLDR has no such name. */
export function regionCode(country: string, name: string): string | undefined {
  const key = `${country}|${name}`
  if (!known.has(key)) {
    loaded ??= load()
    if (known.size >= mostKnown) known.clear()
    known.set(key, findCode(loaded, country.toLowerCase(), name))
  }
  return known.get(key)
}
