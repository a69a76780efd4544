// Reads header blocks (RFC 7541 sections 3, 5 and 6). A block must be read to its end even if nobody wants it, because it changes
// the dynamic table. Everything that is wrong with one is a connection error: the tables of both sides may differ from then on.
import { ConnectionError } from './frames.ts'
import { type Field, fieldOf } from './hpack-field.ts'
import { type DynamicTable, createDynamicTable, maxTableBytes, staticTable } from './hpack-table.ts'
import { decodeHuffman } from './huffman.ts'

export type HpackDecoder = {
  /** Hands on the fields of the block from `start` to `end`. Throws ConnectionError COMPRESSION_ERROR. */
  decode(bytes: Buffer, start: number, end: number, onField: (field: Field) => void): void
  readonly table: DynamicTable
}

const fail = (reason: string): never => {
  throw new ConnectionError('compressionError', reason)
}

const staticCount = staticTable.length

export function createHpackDecoder(): HpackDecoder {
  const table = createDynamicTable()
  let block: Buffer = Buffer.alloc(0)
  let at = 0
  let blockEnd = 0

  /** An integer whose first bits are in `first`, under `mask` (RFC 7541 section 5.1); 2^28 is more than anything needs. */
  const readInteger = (first: number, mask: number): number => {
    let value = first & mask
    if (value < mask) return value
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= blockEnd) fail('an integer has no end')
      const byte = block[at++] ?? 0
      value += (byte & 127) << shift
      if (byte < 128) return value
    }
    return fail('an integer is too large')
  }

  /** RFC 7541 section 5.2 */
  const readString = (): string => {
    if (at >= blockEnd) fail('a string is missing')
    const first = block[at++] ?? 0
    const length = readInteger(first, 127)
    const start = at
    if (length > blockEnd - at) fail('a string has no end')
    at += length
    return first & 128 ? decodeHuffman(block, start, at) : block.toString('latin1', start, at)
  }

  const lookUp = (index: number): Field =>
    (index <= staticCount ? staticTable[index - 1] : table.at(index - staticCount - 1)) ??
    fail('an index that is in no table')

  /** RFC 7541 section 6.2: a name, by index or as a string, and a value. */
  const readLiteral = (first: number, mask: number): Field => {
    const index = readInteger(first, mask)
    const name = index === 0 ? readString() : lookUp(index).name
    return fieldOf(name, readString())
  }

  const resize = (first: number): void => {
    const bytes = readInteger(first, 31)
    if (bytes > maxTableBytes) fail('the dynamic table would be larger than allowed')
    table.resize(bytes)
  }

  return {
    table,
    decode(bytes, start, end, onField) {
      block = bytes
      at = start
      blockEnd = end
      let begun = false
      while (at < end) {
        const first = block[at++] ?? 0
        if ((first & 0xe0) === 0x20) {
          if (begun) fail('a size update that does not stand first')
          resize(first)
          continue
        }
        begun = true
        if (first & 0x80) onField(lookUp(readInteger(first, 127)))
        else if (first & 0x40) {
          const field = readLiteral(first, 63)
          table.add(field)
          onField(field)
        } else onField(readLiteral(first, 15))
      }
    },
  }
}
