// Databases in the MaxMind DB format, read where they lie: the search tree, 44 MB of the 63 that the shipped cities take,
// stays on disk, and only the records are kept in memory. The tree is written in the order of a walk, so that a look-up
// reads a few blocks, all of them in the system's cache; with the nodes of the first 16 bits remembered it takes about as
// long as the library that keeps all in memory (both 12 µs), and processes share what they read.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { readRecord } from './mmdb-data.ts'

export type Mmdb = {
  /** The record of the address in `words` (platform's readAddress), and the bits of its prefix. */
  find(words: Uint32Array, family: 4 | 6): { readonly record: unknown; readonly bits: number } | undefined
  close(): void
}

const mark = Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1')
/** The format allows the metadata this many bytes at the end. */
const longestMetadata = 131_072
const gzipMark = 0x1f8b
/** Between the tree and the records. */
const separator = 16
/** Bytes of the tree read at once: measured, larger blocks cost more than the reads that they save. */
const block = 512

function readInto(file: number, bytes: Buffer, length: number, position: number): void {
  for (let got = 0; got < length;) {
    const more = readSync(file, bytes, got, length - got, position + got)
    if (more === 0) throw new Error('ends before it should')
    got += more
  }
}

function read(file: number, length: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  readInto(file, bytes, length, position)
  return bytes
}

type Layout = {
  readonly nodes: number
  readonly recordBits: 24 | 28 | 32
  readonly ipVersion: 4 | 6
  readonly dataStart: number
  readonly dataEnd: number
}

const numberIn = (record: unknown, key: string): number => {
  const value =
    typeof record === 'object' && record !== null
      ? (record as Readonly<Record<string, unknown>>)[key]
      : undefined
  return typeof value === 'number' ? value : Number.NaN
}

function readLayout(file: number): Layout {
  const { size } = fstatSync(file)
  if (size > 1 && read(file, 2, 0).readUInt16BE() === gzipMark)
    throw new Error('is packed; unpack it with gunzip first')
  const start = Math.max(0, size - longestMetadata)
  const end = read(file, size - start, start)
  const found = end.lastIndexOf(mark)
  if (found < 0) throw new Error('is no .mmdb file')
  const metadata = readRecord(end.subarray(found + mark.length), 0)
  const nodes = numberIn(metadata, 'node_count')
  const recordBits = numberIn(metadata, 'record_size')
  const ipVersion = numberIn(metadata, 'ip_version')
  const dataStart = (nodes * recordBits) / 4 + separator
  const dataEnd = start + found
  if (recordBits !== 24 && recordBits !== 28 && recordBits !== 32)
    throw new Error('has records of an unknown size')
  if ((ipVersion !== 4 && ipVersion !== 6) || !(dataStart <= dataEnd)) throw new Error('is damaged')
  return { nodes, recordBits, ipVersion, dataStart, dataEnd }
}

/** One of the two records of a node: `at` is where the node begins in `bytes`. */
function recordOf(bytes: Buffer, at: number, recordBits: 24 | 28 | 32, right: boolean): number {
  if (recordBits === 24) return bytes.readUIntBE(right ? at + 3 : at, 3)
  if (recordBits === 32) return bytes.readUInt32BE(right ? at + 4 : at)
  const middle = bytes.readUInt8(at + 3)
  return right
    ? (middle & 0x0f) * 0x1000000 + bytes.readUIntBE(at + 4, 3)
    : (middle >> 4) * 0x1000000 + bytes.readUIntBE(at, 3)
}

/** Reads nodes through a window that begins at the node asked for: what follows in a walk mostly follows in the file. */
function createTree(file: number, { nodes, recordBits }: Layout): (node: number, right: boolean) => number {
  const nodeBytes = recordBits / 4
  const treeBytes = nodes * nodeBytes
  const window = Buffer.alloc(block)
  let start = 0
  let end = 0
  return (node, right) => {
    const at = node * nodeBytes
    if (at < start || at + nodeBytes > end) {
      const length = Math.min(block, treeBytes - at)
      end = 0
      readInto(file, window, length, at)
      start = at
      end = at + length
    }
    return recordOf(window, at - start, recordBits, right)
  }
}

/** Bits of an address after which the node reached is remembered. */
const rememberedBits = 16

/** Opens a database; throws an Error that says what is wrong with the file. */
export function openMmdb(path: string): Mmdb {
  const file = openSync(path, 'r')
  try {
    return openTree(file)
  } catch (error) {
    closeSync(file)
    throw error
  }
}

function openTree(file: number): Mmdb {
  const layout = readLayout(file)
  const { nodes, ipVersion, dataStart, dataEnd } = layout
  const data = read(file, dataEnd - dataStart, dataStart)
  const next = createTree(file, layout)
  // A tree for IPv6 has IPv4 below 96 zero bits.
  let start4 = 0
  if (ipVersion === 6) for (let bit = 0; bit < 96 && start4 < nodes; bit++) start4 = next(start4, false)
  const starts = { 4: start4, 6: 0 }
  const remembered = { 4: new Uint32Array(1 << rememberedBits), 6: new Uint32Array(1 << rememberedBits) }

  return {
    find(words, family) {
      if (family > ipVersion) return undefined
      const size = family === 4 ? 32 : 128
      const known = remembered[family]
      const top = (words[0] ?? 0) >>> (32 - rememberedBits)
      const past = known[top] ?? 0
      let node = past > 0 ? past - 1 : starts[family]
      let bits = past > 0 ? rememberedBits : 0
      while (node < nodes && bits < size) {
        const bit = ((words[bits >>> 5] ?? 0) >>> (31 - (bits & 31))) & 1
        node = next(node, bit === 1)
        if (++bits === rememberedBits && node < nodes) known[top] = node + 1
      }
      return node <= nodes ? undefined : { record: readRecord(data, node - nodes - separator), bits }
    },
    close: () => closeSync(file),
  }
}
