// Masking (spec pipeline 6.5): clear values of masked parameters never leave the filter. Filtering uses the clear value;
// everything that is written down goes through here. Equal values give equal masks, so masked values can be searched.
// Targets are masked by their structure, whatever way a client encoded a value; in other texts values are looked for.
import { hash } from 'node:crypto'
import type { SectionName } from '#config'
import { type Parameters, type RequestView, decodePath, decodeQuery } from '#request'
import type { Entries } from './content-filter/entries.ts'
import { sectionOf, sectionOrder } from './content-filter/parameters.ts'

export type Masker = {
  /** A parameter's value as it may be shown: its mask, or the value without what is masked elsewhere. */
  value(section: SectionName, name: string, value: string): string
  /** Replaces every masked value of this request in a text, percent-encoded or not. */
  text(text: string): string
  /** A path as received. */
  path(rawPath: string): string
  /** A query as received, with its `?`. */
  query(query: string): string
  /** A Referer: its query is masked like the request's own. */
  referer(url: string): string
  /** A malformed body has no arguments to mask, so its excerpt is left out where any argument is masked. */
  readonly hidesBody: boolean
  readonly active: boolean
}

const asItIs = (text: string): string => text

export const noMask: Masker = {
  value: (_section, _name, value) => value,
  text: asItIs,
  path: asItIs,
  query: asItIs,
  referer: asItIs,
  hidesBody: false,
  active: false,
}

export function maskOf(seed: string, value: string): string {
  return `MASKED{${hash('sha224', seed + value, 'hex').slice(0, 8)}}`
}

/** Bytes as characters, so that what percent-encoding stands for can be compared byte by byte. */
const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')

type Clear = { readonly clear: string; readonly bytes: string; readonly mask: string }

/** The clear values of this request that must not be written down, longest first. */
function clearValues(request: RequestView, entries: Entries, seed: string): readonly Clear[] {
  const masks = new Map<string, Clear>()
  const collect = (section: SectionName, parameters: Parameters): void => {
    for (const { name, value, values } of parameters.values()) {
      if (!entries.masks(section, name)) continue
      for (const clear of [value, ...values]) {
        if (clear === '' || masks.has(clear)) continue
        masks.set(clear, { clear, bytes: bytesOf(clear).replaceAll('+', ' '), mask: maskOf(seed, clear) })
      }
    }
  }
  for (const section of sectionOrder) collect(section, sectionOf(request, section))
  return [...masks.values()].toSorted((a, b) => b.clear.length - a.clear.length)
}

/** A text with percent-encoding undone and `+` as a space; `at` tells where each byte began, and the end. */
function decodeInPlace(bytes: string): { readonly decoded: string; readonly at: Uint32Array } {
  const at = new Uint32Array(bytes.length + 1)
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    at[length] = i
    const c = bytes.charCodeAt(i)
    const code = c === 0x25 ? bytes.slice(i + 1, i + 3) : ''
    if (/^[\da-f]{2}$/i.test(code)) {
      out[length++] = Number.parseInt(code, 16)
      i += 2
    } else out[length++] = c === 0x2b ? 0x20 : c
  }
  at[length] = bytes.length
  return { decoded: out.toString('latin1', 0, length), at }
}

/** Replaces the values however they are percent-encoded; where two overlap, the longer one. */
function replaceEncoded(text: string, values: readonly Clear[]): string {
  const bytes = bytesOf(text)
  const { decoded, at } = decodeInPlace(bytes)
  const taken = new Uint8Array(decoded.length)
  const found: { readonly from: number; readonly to: number; readonly mask: string }[] = []
  for (const { bytes: wanted, mask } of values) {
    for (let i = decoded.indexOf(wanted); i !== -1; i = decoded.indexOf(wanted, i + wanted.length)) {
      if (taken[i] === 1 || taken[i + wanted.length - 1] === 1) continue
      taken.fill(1, i, i + wanted.length)
      found.push({ from: at[i] ?? 0, to: at[i + wanted.length] ?? 0, mask })
    }
  }
  if (found.length === 0) return text
  let masked = ''
  let done = 0
  for (const { from, to, mask } of found.toSorted((a, b) => a.from - b.from)) {
    masked += bytes.slice(done, from) + mask
    done = to
  }
  return Buffer.from(masked + bytes.slice(done), 'latin1').toString()
}

/** Shorter values are replaced only where they are the whole text, or every such letter would become a mask. */
const shortest = 3

function replaceValues(text: string, values: readonly Clear[]): string {
  const whole = values.find(({ clear }) => clear === text)
  if (whole !== undefined) return whole.mask
  const sought = values.filter(({ clear }) => clear.length >= shortest)
  const masked = sought.reduce((rest, { clear, mask }) => rest.replaceAll(clear, mask), text)
  return /[%+]/.test(masked) ? replaceEncoded(masked, sought) : masked
}

/** Characters times values that may be looked through for one request; what exceeds it is masked whole. */
const mostWork = 16_000_000

export function createMasker(request: RequestView, entries: Entries, seed: string): Masker {
  if (!entries.masksAny) return noMask
  const values = clearValues(request, entries, seed)
  let work = 0

  const text = (shown: string): string => {
    if (values.length === 0 || shown === '') return shown
    work += shown.length * values.length
    return work > mostWork ? maskOf(seed, shown) : replaceValues(shown, values)
  }
  const path = (rawPath: string): string => {
    let n = 0
    const segments = rawPath.split('/').map((segment) => {
      if (segment === '' || !entries.masks('path', `part${String(++n)}`)) return segment
      return maskOf(seed, decodePath(segment))
    })
    return text(segments.join('/'))
  }
  const piece = (one: string): string => {
    const equals = one.indexOf('=')
    if (equals < 0 || equals === one.length - 1) return one
    const name = one.slice(0, equals)
    if (!entries.masks('args', decodeQuery(name))) return one
    return `${name}=${maskOf(seed, decodeQuery(one.slice(equals + 1)))}`
  }
  const query = (raw: string): string => text(`?${raw.slice(1).split('&').map(piece).join('&')}`)
  const referer = (url: string): string => {
    const question = url.indexOf('?')
    return question < 0 ? text(url) : text(url.slice(0, question)) + query(url.slice(question))
  }
  return {
    active: true,
    hidesBody: entries.masksArguments,
    text,
    path,
    query,
    referer,
    value(section, name, value) {
      if (entries.masks(section, name)) return maskOf(seed, value)
      if (section === 'path' && name === 'path') return path(value)
      return section === 'headers' && name === 'referer' ? referer(value) : text(value)
    },
  }
}
