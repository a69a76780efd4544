// HPACK's Huffman code, read half a byte at a time (RFC 7541 section 5.2 and appendix B). The code is canonical: codes of one
// length are consecutive in the order of their symbols, so the table of lengths is all there is to write down, and the
// decoder's states are built from it once. No code is shorter than five bits, so half a byte ends at most one symbol.
import { ConnectionError } from './frames.ts'

/** Bits of the code of each byte; the end-of-string symbol has 30 and may not occur. */
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
]
const endOfString = 256

/** A node of the code's tree: the next node, or the symbol, for either bit. */
type Node = { readonly next: [Node | number | undefined, Node | number | undefined] }

const newNode = (): Node => ({ next: [undefined, undefined] })

function buildTree(): Node {
  const root = newNode()
  const symbols = codeLengths.map((bits, symbol) => ({ bits, symbol }))
  symbols.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol)
  let code = 0
  let length = 0
  for (const { bits, symbol } of symbols) {
    code <<= bits - length
    length = bits
    let node = root
    for (let bit = bits - 1; bit > 0; bit--) {
      const branch = (code >> bit) & 1 ? 1 : 0
      const next = node.next[branch] ?? newNode()
      node.next[branch] = next
      if (typeof next === 'object') node = next
    }
    node.next[code & 1 ? 1 : 0] = symbol
    code++
  }
  return root
}

const emits = 0x1_0000
const fails = 0x2_0000

type Machine = {
  /** By state and half byte: the next state, the symbol << 24 if one ends here, and what happens. */
  readonly steps: Uint32Array
  /** States in which a string may end: less than a byte of a code's ones is open (RFC 7541 section 5.2). */
  readonly final: Uint8Array
}

function step(root: Node, from: Node, nibble: number, numberOf: (node: Node) => number): number {
  let node = from
  let emitted = 0
  for (let bit = 3; bit >= 0; bit--) {
    const next = node.next[(nibble >> bit) & 1 ? 1 : 0]
    if (next === undefined || next === endOfString) return fails
    if (typeof next === 'number') {
      emitted = emits | (next << 24)
      node = root
    } else node = next
  }
  return (numberOf(node) | emitted) >>> 0
}

function buildMachine(): Machine {
  const root = buildTree()
  const nodes: Node[] = [root]
  const numbers = new Map<Node, number>([[root, 0]])
  for (const node of nodes)
    for (const next of node.next) if (typeof next === 'object') numbers.set(next, nodes.push(next) - 1)
  const numberOf = (node: Node): number => numbers.get(node) ?? 0
  const steps = new Uint32Array(nodes.length * 16)
  for (const [state, node] of nodes.entries())
    for (let nibble = 0; nibble < 16; nibble++)
      steps[state * 16 + nibble] = step(root, node, nibble, numberOf)
  const final = new Uint8Array(nodes.length)
  let open: Node | number | undefined = root
  for (let ones = 0; ones < 8 && typeof open === 'object'; ones++) {
    final[numberOf(open)] = 1
    open = open.next[1]
  }
  return { steps, final }
}

const { steps, final } = buildMachine()

let scratch = Buffer.allocUnsafeSlow(4096)

/** Decodes `bytes` from `start` to `end` into a text of one character a byte. Throws COMPRESSION_ERROR. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  // Five bits of input are at most one byte of output.
  const most = Math.ceil(((end - start) * 8) / 5)
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most)
  let state = 0
  let length = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0
    const high = steps[state * 16 + (byte >> 4)] ?? fails
    if (high & emits) scratch[length++] = high >>> 24
    const low = steps[(high & 0xffff) * 16 + (byte & 15)] ?? fails
    if (low & emits) scratch[length++] = low >>> 24
    if ((high | low) & fails)
      throw new ConnectionError('compressionError', 'a Huffman code that does not exist')
    state = low & 0xffff
  }
  if (final[state] !== 1) throw new ConnectionError('compressionError', 'a Huffman code that has no end')
  return scratch.toString('latin1', 0, length)
}
