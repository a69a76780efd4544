// Masking (spec pipeline 6.5): clear values of masked parameters never leave the filter. Filtering uses the clear value;
// everything that is written down goes through here. Equal values give equal masks, so masked values can be searched.
import { hash } from 'node:crypto'
import type { SectionName } from '#config'
import type { Parameters, RequestView } from '#request'
import type { Entries } from './content-filter/entries.ts'
import { sectionOf, sectionOrder } from './content-filter/parameters.ts'

export type Masker = {
  /** The value, or its mask if the parameter is masked. */
  value(section: SectionName, name: string, value: string): string
  /** Replaces every spelling of every masked value of this request in a text. */
  text(text: string): string
  /** A malformed body has no arguments to mask, so its excerpt is left out where any argument is masked. */
  readonly hidesBody: boolean
  readonly active: boolean
}

export const noMask: Masker = {
  value: (_section, _name, value) => value,
  text: (text) => text,
  hidesBody: false,
  active: false,
}

export function maskOf(seed: string, value: string): string {
  return `MASKED{${hash('sha224', seed + value, 'hex').slice(0, 8)}}`
}

/** The ways in which a value is written in a target: as received, encoded with and without `+` for the space. */
function spellings(value: string): readonly string[] {
  const encoded = encodeURIComponent(value.toWellFormed())
  return [value, encoded, encoded.replaceAll('%20', '+'), value.replaceAll(' ', '+'), encoded.toLowerCase()]
}

function maskedValues(request: RequestView, entries: Entries, seed: string): ReadonlyMap<string, string> {
  const masks = new Map<string, string>()
  const collect = (section: SectionName, parameters: Parameters): void => {
    for (const { name, value, values } of parameters.values()) {
      if (!entries.masks(section, name)) continue
      for (const clear of new Set([value, ...values])) {
        if (clear === '') continue
        for (const spelling of spellings(clear)) masks.set(spelling, maskOf(seed, clear))
      }
    }
  }
  for (const section of sectionOrder) collect(section, sectionOf(request, section))
  return masks
}

/**
 * In texts a masked value is replaced wherever it stands, longest first. Values of one or two characters are replaced
 * only where they are a whole query value, or every such letter of a text would become a mask.
 */
export function createMasker(request: RequestView, entries: Entries, seed: string): Masker {
  if (!entries.masksAny) return noMask
  const masks = maskedValues(request, entries, seed)
  const longest = [...masks].toSorted(([a], [b]) => b.length - a.length)
  return {
    active: true,
    hidesBody: entries.masksArguments,
    value: (section, name, value) => (entries.masks(section, name) ? maskOf(seed, value) : value),
    text: (text) => longest.reduce((masked, [clear, mask]) => replaceValue(masked, clear, mask), text),
  }
}

function replaceValue(text: string, clear: string, mask: string): string {
  if (clear.length > 2) return text.replaceAll(clear, mask)
  const inside = text.replaceAll(`=${clear}&`, `=${mask}&`)
  return inside.endsWith(`=${clear}`) ? `${inside.slice(0, -clear.length)}${mask}` : inside
}
