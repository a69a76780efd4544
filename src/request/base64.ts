// Base64 as a disguise (spec pipeline 1.9). Any word of letters and digits could be base64, so each candidate is first
// decoded in place and checked to be UTF-8, which gives up at the third or fourth character of nearly all of them;
// only what is text through and through costs a buffer.
import { codeAt } from '#platform'

/** Six-bit value per ASCII code: 64 for `+ /`, 128 for `- _` added, so that mixing them shows. 255: not in an alphabet. */
const sextets = new Uint8Array(128).fill(255)
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
for (let value = 0; value < letters.length; value++) sextets[letters.charCodeAt(value)] = value
sextets['+'.charCodeAt(0)] = 62 + 64
sextets['/'.charCodeAt(0)] = 63 + 64
sextets['-'.charCodeAt(0)] = 62 + 128
sextets['_'.charCodeAt(0)] = 63 + 128

/** State of a UTF-8 check: continuation bytes awaited in the low bits, and the bounds of the next one. */
const lead = (byte: number): number => {
  if (byte < 0x80) return 0
  if (byte < 0xc2 || byte > 0xf4) return -1
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
}

function secondFits(leading: number, byte: number): boolean {
  if (leading === 0xe0) return byte >= 0xa0
  if (leading === 0xed) return byte < 0xa0
  if (leading === 0xf0) return byte >= 0x90
  return leading !== 0xf4 || byte < 0x90
}

/** Whether the first `length` characters are base64 of UTF-8. */
function isBase64Text(text: string, length: number): boolean {
  let marks = 0
  let bits = 0
  let held = 0
  let awaited = 0
  let leading = 0
  for (let i = 0; i < length; i++) {
    const code = codeAt(text, i)
    const sextet = code < 128 ? (sextets[code] ?? 255) : 255
    if (sextet === 255) return false
    marks |= sextet
    held = (held << 6) | (sextet & 63)
    bits += 6
    if (bits < 8) continue
    bits -= 8
    const byte = (held >>> bits) & 255
    held &= 0xff
    if (awaited === 0) {
      leading = byte
      awaited = lead(byte)
      if (awaited < 0) return false
    } else {
      if ((byte & 0xc0) !== 0x80 || (leading !== 0 && !secondFits(leading, byte))) return false
      leading = 0
      awaited--
    }
  }
  return awaited === 0 && (marks & 192) !== 192
}

/** The text that `value` is base64 of, standard or URL alphabet, padded or not; undefined if it is none. */
export function decodeBase64(value: string): string | undefined {
  let length = value.length
  for (let padding = 0; padding < 2 && codeAt(value, length - 1) === 0x3d; padding++) length--
  if (length < 2 || length % 4 === 1 || !isBase64Text(value, length)) return undefined
  // The decoder of Buffer takes both alphabets.
  return Buffer.from(value, 'base64').toString('utf8')
}
