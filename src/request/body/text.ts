// Bytes of a body as text: UTF-8 with U+FFFD for what is not, or the charset that the media type names, because a backend
// will read it so. All-ASCII bodies, nearly all of them, take the short way.
import { isAscii } from 'node:buffer'

/** Charsets that are UTF-8, or ASCII's own superset in every byte that matters. */
const asUtf8 = new Set(['', 'utf-8', 'utf8', 'us-ascii', 'ascii'])
const utf16 = new Set(['utf-16', 'utf-16le', 'utf-16be', 'utf16', 'ucs-2', 'unicode'])

function decodeUtf16(bytes: Uint8Array, charset: string): string {
  const big = charset.endsWith('be') || (bytes[0] === 0xfe && bytes[1] === 0xff)
  return new TextDecoder(big ? 'utf-16be' : 'utf-16le').decode(bytes)
}

/** The text of `bytes`; a charset that is not known here is read as UTF-8. */
export function decodeText(bytes: Uint8Array, charset = ''): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const label = charset.toLowerCase()
  if (utf16.has(label)) return decodeUtf16(bytes, label)
  if (!asUtf8.has(label) && (label.startsWith('iso-8859-') || label.startsWith('windows-125'))) {
    return decodeLegacy(buffer, label)
  }
  return isAscii(bytes) ? buffer.toString('latin1') : buffer.toString('utf8')
}

function decodeLegacy(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    // A label of these families that the runtime does not know: any of them agrees with Latin-1 in ASCII.
    return Buffer.from(bytes).toString('latin1')
  }
}
