// Decoded variants of a value (spec pipeline 1.9): what a backend that decodes once more than Weir would see. Ordinary
// values cost a scan or two and no allocation but the result.
import { codeAt } from '#platform'
import { decodeBase64 } from './base64.ts'
import { decodePath } from './percent.ts'

/** The encodings to undo, as a profile names them. */
export type Decoding = {
  readonly base64: boolean
  readonly dual: boolean
  readonly html: boolean
  readonly unicode: boolean
}

const replacement = '\ufffd'

/** The character of a code point; U+FFFD for what is none, or half of a pair. */
const character = (code: number): string =>
  code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? replacement : String.fromCodePoint(code)

function hex(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

const decimal = (code: number): number => (code >= 0x30 && code <= 0x39 ? code - 0x30 : -1)

/** Digits from `from` on, at most `most`; the end is where they end. */
function readDigits(
  text: string,
  from: number,
  most: number,
  digit: (code: number) => number,
): { readonly value: number; readonly end: number } {
  const radix = digit === hex ? 16 : 10
  let value = 0
  let at = from
  for (; at < text.length && at - from < most; at++) {
    const found = digit(codeAt(text, at))
    if (found < 0) break
    value = value * radix + found
  }
  return { value, end: at }
}

/** What stands for an escape at some place of a text, and where the escape ends; undefined if there is none. */
type Found = { readonly text: string; readonly end: number } | undefined

/** Replaces every escape that begins with `mark`. */
function replaceEscapes(text: string, mark: string, read: (text: string, at: number) => Found): string {
  let decoded = ''
  let copied = 0
  for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at)) {
    const found = read(text, at)
    if (found === undefined) {
      at++
      continue
    }
    decoded += text.slice(copied, at) + found.text
    copied = found.end
    at = found.end
  }
  return copied === 0 ? text : decoded + text.slice(copied)
}

const entities: readonly (readonly [name: string, text: string])[] = [
  ['lt;', '<'],
  ['gt;', '>'],
  ['amp;', '&'],
  ['quot;', '"'],
  ['nbsp;', '\u00a0'],
]

/** Longer numbers stand for nothing, whatever they say; leading zeros are a known disguise. */
const mostDigits = 32

function readEntity(text: string, at: number): Found {
  if (text[at + 1] === '#') {
    const inHex = text[at + 2] === 'x' || text[at + 2] === 'X'
    const from = inHex ? at + 3 : at + 2
    const { value, end } = readDigits(text, from, mostDigits, inHex ? hex : decimal)
    if (end === from) return undefined
    // Browsers do without the semicolon.
    return { text: character(value), end: text[end] === ';' ? end + 1 : end }
  }
  const ahead = text.slice(at + 1, at + 6).toLowerCase()
  const entity = entities.find(([name]) => ahead.startsWith(name))
  return entity && { text: entity[1], end: at + 1 + entity[0].length }
}

function readLongEscape(text: string, at: number): Found {
  const { value, end } = readDigits(text, at + 2, 8, hex)
  return end === at + 10 ? { text: character(value), end } : undefined
}

function readShortEscape(text: string, at: number): Found {
  const { value, end } = readDigits(text, at + 2, 4, hex)
  if (end !== at + 6) return undefined
  if (value < 0xd800 || value > 0xdbff || !text.startsWith('\\u', end)) return { text: character(value), end }
  const low = readDigits(text, end + 2, 4, hex)
  const paired = low.end === end + 6 && low.value >= 0xdc00 && low.value <= 0xdfff
  if (!paired) return { text: replacement, end }
  return { text: String.fromCodePoint((value - 0xd800) * 0x400 + low.value - 0xdc00 + 0x10000), end: low.end }
}

/** CSS: up to six digits, and one white space that ends them. */
function readCssEscape(text: string, at: number): Found {
  const { value, end } = readDigits(text, at + 1, 6, hex)
  if (end === at + 1) return undefined
  const next = codeAt(text, end)
  const ended = next === 0x20 || next === 0x09 || next === 0x0a || next === 0x0d || next === 0x0c
  return { text: character(value), end: ended ? end + 1 : end }
}

function readUnicode(text: string, at: number): Found {
  const kind = text[at + 1]
  if (kind === 'u') return readShortEscape(text, at)
  return kind === 'U' ? readLongEscape(text, at) : readCssEscape(text, at)
}

/** N of the specification: percent, then entities, then escapes. */
function undo(value: string, { dual, html, unicode }: Decoding): string {
  let text = dual ? decodePath(value) : value
  if (html && text.includes('&')) text = replaceEscapes(text, '&', readEntity)
  if (unicode && text.includes('\\')) text = replaceEscapes(text, '\\', readUnicode)
  return text
}

const none: readonly string[] = []

/** What a value is when decoded, each distinct text but the value itself: at most three. Linear in its length. */
export function decodedVariants(value: string, decoding: Decoding): readonly string[] {
  const normal = undo(value, decoding)
  const inner = decoding.base64 ? decodeBase64(value) : undefined
  if (normal === value && inner === undefined) return none
  const found = new Set<string>()
  if (normal !== value) found.add(normal)
  if (inner !== undefined) found.add(undo(inner, decoding))
  const nested = decoding.base64 && normal !== value ? decodeBase64(normal) : undefined
  if (nested !== undefined) found.add(undo(nested, decoding))
  found.delete(value)
  return [...found]
}
