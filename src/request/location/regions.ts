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
  for (const [id, name] of Object.entries(file.subdivisions.localeDisplayNames.subdivisions)) {
    const country = id.slice(0, 2)
    const code = id.slice(2).toUpperCase()
    const [whole, short] = keysOf(name)
    exact.set(country + whole, code)
    // Of two that only differ in kind ("Moscow", "Moscow Oblast") the one that needs no such word stands for both.
    if (short !== '' && (whole === short || !bare.has(country + short))) bare.set(country + short, code)
  }
  return { exact, bare }
}

/** The code, without country, of a region by its English name; undefined if CLDR has no such name. */
export function regionCode(country: string, name: string): string | undefined {
  loaded ??= load()
  const [whole, short] = keysOf(name)
  const prefix = country.toLowerCase()
  return loaded.exact.get(prefix + whole) ?? (short === '' ? undefined : loaded.bare.get(prefix + short))
}
