// Autonomous systems by address, from the CSV files that ship. Ranges are kept in sorted typed arrays: half a million of
// them take 10 MB, where objects would take 100.
import { readAddress } from '#platform'

export type System = {
  readonly asn: number
  readonly organization: string
  /** Of the widest prefix around the address that lies within the system's range. */
  readonly bits: number
}

/** First and last address of each range, `width` words each. */
export type Ranges = {
  readonly width: 1 | 4
  readonly firsts: Uint32Array
  readonly lasts: Uint32Array
  readonly asns: Uint32Array
  readonly names: ReadonlyMap<number, string>
}

const words = new Uint32Array(4)

const comma = 0x2c
const lineFeed = 0x0a
const quote = 0x22

/** A decimal number in ASCII. */
function readNumber(bytes: Buffer, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) value = value * 10 + (bytes[at] ?? 0) - 0x30
  return value
}

const dot = 0x2e

/** A dotted IPv4 address in ASCII, from its bytes: a million of them are read while a filter starts. -1: it is none. */
function readDotted(bytes: Buffer, from: number, to: number): number {
  let address = 0
  let part = 0
  let digits = 0
  let dots = 0
  for (let at = from; at < to; at++) {
    const c = bytes[at] ?? 0
    if (c === dot) {
      if (digits === 0 || part > 255) return -1
      address = address * 256 + part
      part = 0
      digits = 0
      dots++
    } else if (c >= 0x30 && c <= 0x39 && digits < 3) {
      part = part * 10 + c - 0x30
      digits++
    } else return -1
  }
  return dots === 3 && digits > 0 && part <= 255 ? address * 256 + part : -1
}

/** The only field that may be quoted. */
function readName(bytes: Buffer, from: number, to: number): string {
  return bytes[from] === quote
    ? bytes.toString('utf8', from + 1, to - 1).replaceAll('""', '"')
    : bytes.toString('utf8', from, to)
}

function countLines(bytes: Buffer): number {
  let lines = 1
  for (let at = bytes.indexOf(lineFeed); at >= 0; at = bytes.indexOf(lineFeed, at + 1)) lines++
  return lines
}

/**
 * Reads sorted lines `first,last,asn,name` of one family, from bytes because half a million lines as strings take a
 * second. Lines that are not so are left out.
 */
export function readRanges(csv: Buffer, family: 4 | 6): Ranges {
  const width = family === 4 ? 1 : 4
  const capacity = countLines(csv)
  const firsts = new Uint32Array(capacity * width)
  const lasts = new Uint32Array(capacity * width)
  const asns = new Uint32Array(capacity)
  const names = new Map<number, string>()
  let count = 0
  const readBound = (into: Uint32Array, from: number, to: number): boolean => {
    if (family === 4) {
      const address = readDotted(csv, from, to)
      if (address >= 0) into[count] = address
      return address >= 0
    }
    if (readAddress(csv.toString('latin1', from, to), words) !== family) return false
    for (let word = 0; word < width; word++) into[count * width + word] = words[word] ?? 0
    return true
  }
  for (let start = 0; start < csv.length;) {
    const found = csv.indexOf(lineFeed, start)
    const end = found < 0 ? csv.length : found
    const one = csv.indexOf(comma, start)
    const two = csv.indexOf(comma, one + 1)
    const three = csv.indexOf(comma, two + 1)
    if (three > 0 && three < end && readBound(firsts, start, one) && readBound(lasts, one + 1, two)) {
      const asn = readNumber(csv, two + 1, three)
      asns[count++] = asn
      if (!names.has(asn)) names.set(asn, readName(csv, three + 1, end))
    }
    start = end + 1
  }
  return {
    width,
    firsts: firsts.slice(0, count * width),
    lasts: lasts.slice(0, count * width),
    asns: asns.slice(0, count),
    names,
  }
}

/** Order of the address in `words` and the one at `at`. */
function compare(list: Uint32Array, at: number, width: number): number {
  for (let word = 0; word < width; word++) {
    const difference = (words[word] ?? 0) - (list[at + word] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The last range that begins at or before the address in `words`, if it holds the address. */
function findRange({ firsts, lasts, asns, width }: Ranges): number {
  let low = -1
  let high = asns.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (compare(firsts, middle * width, width) >= 0) low = middle
    else high = middle - 1
  }
  return low >= 0 && compare(lasts, low * width, width) <= 0 ? low : -1
}

const toBigInt = (list: Uint32Array, at: number, width: number): bigint => {
  let value = 0n
  for (let word = 0; word < width; word++) value = (value << 32n) | BigInt(list[at + word] ?? 0)
  return value
}

/** Bits of the widest prefix around the address in `words` that lies within the range. */
function prefixBits({ firsts, lasts, width }: Ranges, range: number): number {
  const size = width * 32
  const address = toBigInt(words, 0, width)
  const first = toBigInt(firsts, range * width, width)
  const last = toBigInt(lasts, range * width, width)
  for (let bits = 0; bits < size; bits++) {
    const host = BigInt(size - bits)
    const start = (address >> host) << host
    if (start >= first && start + (1n << host) - 1n <= last) return bits
  }
  return size
}

/** Looks up an address of the family that the ranges are of. */
export function findSystem(ranges: Ranges, address: string): System | undefined {
  const family = ranges.width === 1 ? 4 : 6
  if (readAddress(address, words) !== family) return undefined
  const range = findRange(ranges)
  if (range < 0) return undefined
  const asn = ranges.asns[range] ?? 0
  return { asn, organization: ranges.names.get(asn) ?? '', bits: prefixBits(ranges, range) }
}
