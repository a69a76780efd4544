// Masking (spec pipeline 6.5): clear values of masked parameters never leave the filter. Filtering uses the clear value;
// everything that is written down goes through here. Equal values give equal masks, so masked values can be searched.
// Targets are masked by their structure, whatever way a client encoded a value; in other texts values are looked for.
import { hash } from 'node:crypto'
import type { SectionName } from '#config'
import { type Parameter, type RequestView, decodePath, decodeQuery, pathSegments } from '#request'
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

/** The clear values of a parameter, which must not be written down. */
function addClear(known: Map<string, Clear>, { value, values }: Parameter, seed: string): void {
  for (const clear of [value, ...values]) {
    if (clear === '' || known.has(clear)) continue
    known.set(clear, { clear, bytes: bytesOf(clear).replaceAll('+', ' '), mask: maskOf(seed, clear) })
  }
}

/** The text of a body that is malformed or broken off: it holds values that nobody told apart. */
function unreadBody({ args, body: { raw } }: RequestView): Parameter | undefined {
  return raw === undefined || args.get(raw.name)?.values.includes(raw.value) === true ? undefined : raw
}

/** The value of a hexadecimal digit, -1 for anything else. */
function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** A text with percent-encoding undone and `+` as a space; `at` tells where each byte began, and the end. */
function decodeInPlace(bytes: string): { readonly decoded: string; readonly at: Uint32Array } {
  const at = new Uint32Array(bytes.length + 1)
  const out = Buffer.allocUnsafe(bytes.length)
  let length = 0
  for (let i = 0; i < bytes.length; i++) {
    at[length] = i
    const c = bytes.charCodeAt(i)
    // Beyond the end there is NaN, which is no digit.
    const high = c === 0x25 ? digit(bytes.charCodeAt(i + 1)) : -1
    const low = high < 0 ? -1 : digit(bytes.charCodeAt(i + 2))
    if (low >= 0) {
      out[length++] = high * 16 + low
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

/** Name of an argument in a piece of a query, decoded; undefined where there is nothing to mask. */
function nameOf(piece: string): string | undefined {
  const equals = piece.indexOf('=')
  return equals < 0 || equals === piece.length - 1 ? undefined : decodeQuery(piece.slice(0, equals))
}

/** What the URI of a Referer is known by among the arguments (spec pipeline 1.7). */
const ofReferer = 'ref:'

/** Masked arguments; what the Referer repeats is masked where it is in the request's own URI. */
function maskedArguments(entries: Entries, names: readonly string[]): ReadonlySet<string> {
  const masked = entries.maskedAmong('args', names)
  const repeated = names.filter((name) => name.startsWith(ofReferer))
  if (repeated.length === 0) return masked
  const own = repeated.map((name) => name.slice(ofReferer.length))
  const hidden = new Set([...entries.maskedAmong('args', own), ...entries.maskedAmong('path', own)])
  return new Set([...masked, ...repeated.filter((name) => hidden.has(name.slice(ofReferer.length)))])
}

export function createMasker(request: RequestView, entries: Entries, seed: string): Masker {
  if (!entries.masksAny) return noMask
  const masked = new Map<SectionName, ReadonlySet<string>>()
  const known = new Map<string, Clear>()
  for (const section of sectionOrder) {
    const parameters = sectionOf(request, section)
    const names =
      section === 'args'
        ? maskedArguments(entries, [...parameters.keys()])
        : entries.maskedAmong(section, parameters.keys())
    masked.set(section, names)
    for (const name of names) {
      const parameter = parameters.get(name)
      if (parameter !== undefined) addClear(known, parameter, seed)
    }
  }
  const body = entries.masksArguments ? unreadBody(request) : undefined
  if (body !== undefined) addClear(known, body, seed)
  const values = [...known.values()].toSorted((a, b) => b.clear.length - a.clear.length)
  const masks = (section: SectionName, name: string): boolean => masked.get(section)?.has(name) === true
  let work = 0

  const text = (shown: string): string => {
    if (values.length === 0 || shown === '') return shown
    work += shown.length * values.length
    return work > mostWork ? maskOf(seed, shown) : replaceValues(shown, values)
  }
  const path = (rawPath: string): string => {
    if (masked.get('path')?.size === 0) return text(rawPath)
    let shown = ''
    let done = 0
    let end = 0
    for (const [i, segment] of pathSegments(rawPath).entries()) {
      // Between two segments there is nothing but slashes.
      const start = rawPath.indexOf(segment, end)
      end = start + segment.length
      if (!masks('path', `part${String(i + 1)}`)) continue
      shown += rawPath.slice(done, start) + maskOf(seed, decodePath(segment))
      done = end
    }
    return text(shown + rawPath.slice(done))
  }
  const query = (raw: string): string => {
    const pieces = raw.slice(1).split('&')
    const names = pieces.map(nameOf)
    const hidden = entries.maskedAmong('args', new Set(names.filter((name) => name !== undefined)))
    if (hidden.size === 0) return text(raw)
    const shown = pieces.map((piece, i) => {
      const name = names[i]
      if (name === undefined || !hidden.has(name)) return piece
      const equals = piece.indexOf('=')
      return `${piece.slice(0, equals)}=${maskOf(seed, decodeQuery(piece.slice(equals + 1)))}`
    })
    return text(`?${shown.join('&')}`)
  }
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
      if (masks(section, name)) return maskOf(seed, value)
      if (section === 'path' && name === 'path') return path(value)
      return section === 'headers' && name === 'referer' ? referer(value) : text(value)
    },
  }
}
