// Bytes of a body as text: UTF-8 with U+FFFD for what is not, or the charset that the media type names, because a backend
// will read it so. All-ASCII bodies, nearly all of them, take the short way.
import { isAscii } from 'node:buffer'

const utf16 = new Set(['utf-16', 'utf-16le', 'utf-16be', 'utf16', 'ucs-2', 'unicode'])

/** The half of UTF-16 that a byte order mark tells. */
function markOf(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : undefined
}

function decodeLegacy(bytes: Uint8Array, label: string): string {
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    // A label of these families that the runtime does not know: any of them agrees with Latin-1 in ASCII.
    return Buffer.from(bytes).toString('latin1')
  }
}

const isLegacy = (label: string): boolean => label.startsWith('iso-8859-') || label.startsWith('windows-125')

/** The text of `bytes`; a charset that is not known here is read as UTF-8. */
export function decodeText(bytes: Uint8Array, charset = ''): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isAscii(bytes) && !utf16.has(charset.toLowerCase())) return buffer.toString('latin1')
  const label = charset.toLowerCase()
  const mark = markOf(bytes)
  if (mark !== undefined || utf16.has(label)) {
    return new TextDecoder(mark ?? (label.endsWith('be') ? 'utf-16be' : 'utf-16le')).decode(bytes)
  }
  return isLegacy(label) ? decodeLegacy(buffer, label) : buffer.toString('utf8')
}
