// Values of the MaxMind DB format's data section (https://maxmind.github.io/MaxMind-DB/): strings, numbers, maps and lists,
// with pointers between them. A damaged file must not cost more than an error, so that depth and size are bounded.

type Cursor = { readonly data: Buffer; at: number; left: number }

const deepest = 32
const mostValues = 10_000

/** Bytes that a size takes beyond the control byte, by what its low five bits say. */
const sizeBase = [29, 285, 65_821] as const

function readUint(cursor: Cursor, bytes: number): number {
  let value = 0
  for (let i = 0; i < bytes; i++) value = value * 256 + cursor.data.readUInt8(cursor.at++)
  return value
}

function readSize(cursor: Cursor, control: number): number {
  const low = control & 31
  if (low < 29) return low
  return (sizeBase[low - 29] ?? 0) + readUint(cursor, low - 28)
}

const pointerBase = [0, 2048, 526_336, 0] as const

function readPointer(cursor: Cursor, control: number): number {
  const length = (control >> 3) & 3
  const high = length === 3 ? 0 : (control & 7) * 256 ** (length + 1)
  return high + readUint(cursor, length + 1) + (pointerBase[length] ?? 0)
}

function readBig(cursor: Cursor, bytes: number): bigint {
  let value = 0n
  for (let i = 0; i < bytes; i++) value = (value << 8n) | BigInt(cursor.data.readUInt8(cursor.at++))
  return value
}

function readBytes(cursor: Cursor, size: number): Buffer {
  const start = cursor.at
  cursor.at += size
  if (cursor.at > cursor.data.length) throw new RangeError('a value goes beyond the data')
  return cursor.data.subarray(start, cursor.at)
}

function readMap(cursor: Cursor, size: number, depth: number): Readonly<Record<string, unknown>> {
  const entries: [string, unknown][] = []
  for (let i = 0; i < size; i++) {
    const key = readValue(cursor, depth)
    entries.push([typeof key === 'string' ? key : '', readValue(cursor, depth)])
  }
  return Object.fromEntries(entries)
}

function readList(cursor: Cursor, size: number, depth: number): readonly unknown[] {
  const list: unknown[] = []
  for (let i = 0; i < size; i++) list.push(readValue(cursor, depth))
  return list
}

/** Types by their number; extended ones are counted from 7 on. */
function readTyped(cursor: Cursor, type: number, size: number, depth: number): unknown {
  switch (type) {
    case 2:
      return readBytes(cursor, size).toString('utf8')
    case 3:
      return readBytes(cursor, 8).readDoubleBE()
    case 4:
      return readBytes(cursor, size)
    case 5:
    case 6:
      return readUint(cursor, size)
    case 7:
      return readMap(cursor, size, depth + 1)
    case 8:
      return readUint(cursor, size) | 0
    case 9:
    case 10:
      return readBig(cursor, size)
    case 11:
      return readList(cursor, size, depth + 1)
    case 14:
      return size !== 0
    case 15:
      return readBytes(cursor, 4).readFloatBE()
    default:
      throw new RangeError(`type ${String(type)} is unknown`)
  }
}

function readValue(cursor: Cursor, depth: number): unknown {
  if (depth > deepest || --cursor.left < 0) throw new RangeError('values nest too deep or are too many')
  const control = cursor.data.readUInt8(cursor.at++)
  const type = control >> 5
  if (type === 1) {
    const target = readPointer(cursor, control)
    const after = cursor.at
    cursor.at = target
    const value = readValue(cursor, depth + 1)
    cursor.at = after
    return value
  }
  const known = type === 0 ? 7 + cursor.data.readUInt8(cursor.at++) : type
  return readTyped(cursor, known, readSize(cursor, control), depth)
}

/** The value at `offset`; pointers count from the start of `data`. Throws RangeError on damaged data. */
export const readRecord = (data: Buffer, offset: number): unknown =>
  readValue({ data, at: offset, left: mostValues }, 0)
