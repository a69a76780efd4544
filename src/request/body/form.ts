// Forms and queries (spec pipeline 1.7): pieces between `&`, name and value at the first `=`, both percent-decoded.
// There is no malformed form.
import { decodeQuery } from '../percent.ts'
import { type Leaves, type ParseResult, parsed } from './leaves.ts'

/** Reads `text` from `from` on. Pieces that are empty altogether are dropped. */
export function parseForm(text: string, leaves: Leaves, from = 0): ParseResult {
  const { length } = text
  for (let start = from; start < length;) {
    const ampersand = text.indexOf('&', start)
    const end = ampersand < 0 ? length : ampersand
    if (end > start) {
      const piece = text.slice(start, end)
      const equals = piece.indexOf('=')
      const name = equals < 0 ? piece : piece.slice(0, equals)
      const value = equals < 0 ? '' : piece.slice(equals + 1)
      if (!leaves.add(decodeQuery(name), decodeQuery(value))) return leaves.stopped()
    }
    start = end + 1
  }
  return parsed
}
