// IP addresses and prefixes: one spelling per address, and sets of prefixes that are searched in time that does not
// depend on how many there are. Prefixes are cut into sorted, disjoint ranges when a set is built; a look-up parses the
// address into a scratch buffer and halves the ranges, so that it allocates nothing. BigInt appears at build time only.
import { codeAt } from './code-at.ts'

/** An address prefix; `network` is canonical, with the bits beyond `bits` zero. */
export type Cidr = { readonly family: 4 | 6; readonly network: string; readonly bits: number }

/** The address parsed last: IPv4 in the first word, IPv6 in all four. */
const words = new Uint32Array(4)
const groups = new Uint16Array(8)

const dot = 0x2e
const colon = 0x3a

/** Dotted quad in `text[from..]` to a number, -1 if it is none. No leading zeros: programs disagree on their meaning. */
function readIPv4(text: string, from: number): number {
  let value = 0
  let part = 0
  let digits = 0
  let dots = 0
  const { length } = text
  if (length - from > 15) return -1
  for (let i = from; i < length; i++) {
    const code = codeAt(text, i)
    if (code === dot) {
      if (digits === 0 || ++dots > 3) return -1
      value = value * 256 + part
      part = 0
      digits = 0
    } else {
      if (code < 0x30 || code > 0x39 || (digits > 0 && part === 0)) return -1
      part = part * 10 + code - 0x30
      digits++
      if (part > 255) return -1
    }
  }
  return dots === 3 && digits > 0 ? value * 256 + part : -1
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** Reads the groups of an IPv6 address into `groups`. */
function readIPv6(text: string): boolean {
  const { length } = text
  if (length > 45 || length < 2) return false
  let count = 0
  let gap = -1
  let at = 0
  if (codeAt(text, 0) === colon) {
    if (codeAt(text, 1) !== colon) return false
    gap = 0
    at = 2
  }
  while (at < length) {
    if (count === 8) return false
    let value = 0
    const start = at
    let digit = hexDigit(codeAt(text, at))
    while (digit >= 0 && at - start < 4) {
      value = value * 16 + digit
      digit = ++at < length ? hexDigit(codeAt(text, at)) : -1
    }
    if (at === start) return false
    if (codeAt(text, at) === dot) {
      const tail = readIPv4(text, start)
      if (tail < 0 || count > 6) return false
      groups[count++] = tail >>> 16
      groups[count++] = tail & 0xffff
      at = length
      break
    }
    groups[count++] = value
    if (at === length) break
    if (codeAt(text, at++) !== colon) return false
    if (codeAt(text, at) === colon) {
      if (gap >= 0) return false
      gap = count
      at++
    } else if (at === length) return false
  }
  if (gap < 0) return count === 8
  if (count === 8) return false
  groups.copyWithin(8 - (count - gap), gap, count)
  groups.fill(0, gap, 8 - (count - gap))
  return true
}

const group = (i: number): number => groups[i] ?? 0

const isMapped = (): boolean =>
  group(0) === 0 &&
  group(1) === 0 &&
  group(2) === 0 &&
  group(3) === 0 &&
  group(4) === 0 &&
  group(5) === 0xffff

/** Parses into `words`; 0 if the text is no address. `::ffff:a.b.c.d` is IPv4. */
function parse(text: string): 0 | 4 | 6 {
  const short = readIPv4(text, 0)
  if (short >= 0) {
    words[0] = short
    return 4
  }
  if (!readIPv6(text)) return 0
  if (isMapped()) {
    words[0] = group(6) * 65536 + group(7)
    return 4
  }
  for (let i = 0; i < 4; i++) words[i] = group(2 * i) * 65536 + group(2 * i + 1)
  return 6
}

/**
 * Parses an address into the words of `into`, most significant first: IPv4 takes one, IPv6 four. 0 if the text is no
 * address; IPv4-mapped IPv6 is IPv4.
 */
export function readAddress(text: string, into: Uint32Array): 0 | 4 | 6 {
  const family = parse(text)
  if (family !== 0) into.set(words)
  return family
}

const quad = (value: number): string =>
  `${String(value >>> 24)}.${String((value >>> 16) & 255)}.${String((value >>> 8) & 255)}.${String(value & 255)}`

/** RFC 5952: lower-case, no leading zeros, the first of the longest runs of zero groups as `::`. */
function format6(): string {
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && group(end) === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    if (end > i) i = end
  }
  let text = ''
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += '::'
      i += length - 1
    } else text += `${text === '' || text.endsWith(':') ? '' : ':'}${group(i).toString(16)}`
  }
  return text
}

const text6 = (value: bigint): string => {
  for (let i = 0; i < 8; i++) groups[i] = Number((value >> BigInt(112 - 16 * i)) & 0xffffn)
  return format6()
}

/**
 * The one spelling of an address: IPv4 as dotted quad, IPv6 as RFC 5952 says, IPv4-mapped IPv6 as IPv4 (spec
 * pipeline 1.3). Undefined for anything else, brackets, ports and zones included.
 */
export function canonicalAddress(text: string): string | undefined {
  if (readIPv4(text, 0) >= 0) return text
  if (!readIPv6(text)) return undefined
  return isMapped() ? quad(group(6) * 65536 + group(7)) : format6()
}

/**
 * The canonical address of `address`, `address:port`, `[address]` or `[address]:port`, as proxies write them; a zone
 * (`%eth0`) is dropped. The port is not checked beyond being digits.
 */
export function addressOfHostPort(text: string): string | undefined {
  const plain = canonicalAddress(text)
  if (plain !== undefined) return plain
  if (text.length > 120) return undefined
  const bracketed = /^\[([^\]%]*)(?:%[^\]]*)?\](?::\d*)?$/.exec(text)
  if (bracketed !== null) return canonicalAddress(bracketed[1] ?? '')
  const zoned = text.indexOf('%')
  if (zoned > 0) return canonicalAddress(text.slice(0, zoned))
  const port = /^([\d.]+):\d*$/.exec(text)
  return port === null ? undefined : canonicalAddress(port[1] ?? '')
}

function toBigInt(family: 4 | 6): bigint {
  if (family === 4) return BigInt(words[0] ?? 0)
  return words.reduce((value, word) => (value << 32n) | BigInt(word), 0n)
}

type Prefix = { readonly family: 4 | 6; readonly first: bigint; readonly bits: number }

function readPrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const family = parse(address)
  if (family === 0) return undefined
  const width = family === 4 ? 32 : 128
  let bits = width
  if (slash >= 0) {
    const length = text.slice(slash + 1)
    if (!/^(?:0|[1-9]\d{0,2})$/.test(length)) return undefined
    // `::ffff:10.0.0.0/104` counts its bits as IPv6 does.
    bits = family === 4 && address.includes(':') ? Number(length) - 96 : Number(length)
    if (bits < 0 || bits > width) return undefined
  }
  const hostBits = BigInt(width - bits)
  return { family, first: (toBigInt(family) >> hostBits) << hostBits, bits }
}

/** Reads `address` (its full length) or `address/bits`; host bits may be set and are cleared. Undefined: neither. */
export function parseCidr(text: string): Cidr | undefined {
  const prefix = readPrefix(text)
  if (prefix === undefined) return undefined
  const { family, first, bits } = prefix
  return { family, network: family === 4 ? quad(Number(first)) : text6(first), bits }
}

/** One distinct prefix: where it stands in the list, and the next wider one that contains it. */
type Node = { readonly end: bigint; readonly indexes: number[]; readonly parent: Node | undefined }

/** Sorted range starts, `width` words each, and the narrowest prefix that holds from each start on. */
type Ranges = { readonly starts: Uint32Array; readonly owners: readonly (Node | undefined)[] }

function buildRanges(family: 4 | 6, prefixes: readonly (Prefix | undefined)[]): Ranges {
  const size = family === 4 ? 32n : 128n
  const listed = prefixes
    .flatMap((prefix, index) => (prefix?.family === family ? [{ ...prefix, index }] : []))
    .toSorted((a, b) => (a.first === b.first ? a.bits - b.bits : a.first < b.first ? -1 : 1))
  const starts: bigint[] = [0n]
  const owners: (Node | undefined)[] = [undefined]
  const begin = (at: bigint, owner: Node | undefined): void => {
    if (starts.at(-1) === at) {
      starts.pop()
      owners.pop()
    }
    starts.push(at)
    owners.push(owner)
  }
  let open: Node | undefined
  const closeBefore = (at: bigint): void => {
    while (open !== undefined && open.end < at) {
      const after = open.end + 1n
      open = open.parent
      begin(after, open)
    }
  }
  let last: { readonly first: bigint; readonly bits: number } | undefined
  for (const { first, bits, index } of listed) {
    if (open !== undefined && last?.first === first && last.bits === bits) {
      open.indexes.push(index)
      continue
    }
    closeBefore(first)
    open = { end: first + (1n << (size - BigInt(bits))) - 1n, indexes: [index], parent: open }
    begin(first, open)
    last = { first, bits }
  }
  closeBefore((1n << size) - 1n)
  return { starts: packed(starts, family), owners }
}

function packed(values: readonly bigint[], family: 4 | 6): Uint32Array {
  if (family === 4) return Uint32Array.from(values, Number)
  const all = new Uint32Array(values.length * 4)
  for (const [i, value] of values.entries()) {
    for (let word = 0; word < 4; word++)
      all[4 * i + word] = Number((value >> BigInt(96 - 32 * word)) & 0xffffffffn)
  }
  return all
}

/** Whether the address in `words` lies before the start at `at`. */
function before(starts: Uint32Array, at: number): boolean {
  for (let word = 0; word < 4; word++) {
    const difference = (words[word] ?? 0) - (starts[at + word] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}

function find({ starts, owners }: Ranges, family: 4 | 6): Node | undefined {
  let low = 0
  let high = owners.length - 1
  const value = words[0] ?? 0
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (family === 4 ? value < (starts[middle] ?? 0) : before(starts, 4 * middle)) high = middle - 1
    else low = middle
  }
  return owners[low]
}

type Lookup = (address: string) => Node | undefined

function compileLookup(cidrs: readonly string[]): Lookup {
  const prefixes = cidrs.map(readPrefix)
  const four = buildRanges(4, prefixes)
  const six = buildRanges(6, prefixes)
  return (address) => {
    const family = parse(address)
    if (family === 0) return undefined
    return family === 4 ? find(four, 4) : find(six, 6)
  }
}

export type AddressIndex = {
  /** Indexes of all prefixes that contain the address, ascending; none for what is not an address. */
  match(address: string): readonly number[]
}

const none: readonly number[] = []

function allIndexes(node: Node): readonly number[] {
  if (node.parent === undefined) return node.indexes
  const found: number[] = []
  for (let at: Node | undefined = node; at !== undefined; at = at.parent)
    for (const index of at.indexes) found.push(index)
  return found.toSorted((a, b) => a - b)
}

/**
 * Compiles prefixes and addresses; what is neither matches nothing. A look-up takes about 20 halvings for a million
 * entries and does not grow with those that do not match.
 */
export function addressIndex(cidrs: readonly string[]): AddressIndex {
  const lookup = compileLookup(cidrs)
  return {
    match(address) {
      const node = lookup(address)
      return node === undefined ? none : allIndexes(node)
    },
  }
}

/** Whether an address lies in any of the prefixes. */
export function addressSet(cidrs: readonly string[]): (address: string) => boolean {
  const lookup = compileLookup(cidrs)
  return (address) => lookup(address) !== undefined
}
