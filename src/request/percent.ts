// Percent-decoding, once (spec pipeline 1.5, 1.7). Malformed sequences stay as they are; bytes that are not UTF-8 become
// U+FFFD. decodeURIComponent will not do: it throws on both.
import { codeAt } from '#platform'

const percent = 0x25
const plus = 0x2b

function hex(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** The byte that `%XX` at `at` stands for, -1 if it is malformed. */
function byteAt(text: string, at: number): number {
  if (at + 2 >= text.length) return -1
  const high = hex(codeAt(text, at + 1))
  const low = hex(codeAt(text, at + 2))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

/** For text in which a byte beyond ASCII was found: byte by byte, then read as UTF-8. */
function decodeBytes(text: string, plusIsSpace: boolean): string {
  const bytes = Buffer.from(text)
  let end = 0
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] ?? 0
    const high = code === percent ? hex(bytes[at + 1] ?? 0) : -1
    const low = high < 0 ? -1 : hex(bytes[at + 2] ?? 0)
    if (low >= 0) {
      bytes[end++] = high * 16 + low
      at += 2
    } else bytes[end++] = plusIsSpace && code === plus ? 0x20 : code
  }
  return bytes.toString('utf8', 0, end)
}

function decode(text: string, plusIsSpace: boolean): string {
  let decoded = ''
  let copied = 0
  const { length } = text
  for (let at = 0; at < length; at++) {
    const code = codeAt(text, at)
    if (code === percent) {
      const byte = byteAt(text, at)
      if (byte >= 0x80) return decodeBytes(text, plusIsSpace)
      if (byte < 0) continue
      decoded += text.slice(copied, at) + String.fromCharCode(byte)
      at += 2
      copied = at + 1
    } else if (plusIsSpace && code === plus) {
      decoded += `${text.slice(copied, at)} `
      copied = at + 1
    }
  }
  return copied === 0 ? text : decoded + text.slice(copied)
}

/** `+` is kept, as in paths. */
export const decodePath = (text: string): string => (text.includes('%') ? decode(text, false) : text)

/** `+` is a space, as in queries and forms. */
export const decodeQuery = (text: string): string =>
  text.includes('%') || text.includes('+') ? decode(text, true) : text
