// Sets of addresses as Envoy wants them: masked, none inside another. A filter chain with two equal ranges
// makes Envoy refuse the whole listener.
import { isIP } from 'node:net'
import type { JsonObject } from './json.ts'

type Range = { readonly bits: 32 | 128; readonly first: bigint; readonly prefix: number }

function numberOf(address: string): { readonly bits: 32 | 128; readonly value: bigint } | undefined {
  const version = isIP(address)
  if (version === 4)
    return { bits: 32, value: address.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) }
  if (version !== 6) return undefined
  // The URL parser expands nothing but writes a canonical form without embedded IPv4.
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::')
  const groups = (text: string): readonly string[] => (text === '' ? [] : text.split(':'))
  const left = groups(head)
  const right = groups(tail ?? '')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const value = [...left, ...zeros, ...right].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
  return { bits: 128, value }
}

function rangeOf(cidr: string): Range | undefined {
  const [address = '', length] = cidr.split('/')
  const number = numberOf(address)
  if (!number) return undefined
  const prefix = length === undefined ? number.bits : Number(length)
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > number.bits) return undefined
  const host = BigInt(number.bits - prefix)
  return { bits: number.bits, first: (number.value >> host) << host, prefix }
}

/** The range of this many bits that a range lies in. */
const keyOf = ({ bits, first }: Range, prefix: number): string =>
  `${bits}/${prefix}/${first >> BigInt(bits - prefix)}`

function addressOf(range: Range): string {
  const groups = range.bits === 32 ? 4 : 8
  const width = BigInt(range.bits / groups)
  const parts = Array.from(
    { length: groups },
    (_, at) => (range.first >> (width * BigInt(groups - 1 - at))) % (1n << width),
  )
  if (range.bits === 32) return parts.join('.')
  return new URL(`http://[${parts.map((part) => part.toString(16)).join(':')}]/`).hostname.slice(1, -1)
}

const written = (range: Range): JsonObject => ({
  address_prefix: addressOf(range),
  prefix_len: range.prefix,
})

/** The `CidrRange` of one address; undefined for what is none. */
export function hostRange(address: string): JsonObject | undefined {
  const range = isIP(address) === 0 ? undefined : rangeOf(address)
  return range && written(range)
}

/** `CidrRange`s that cover the given addresses and CIDRs, sorted, without overlap. What is neither is left out. */
export function cidrRanges(cidrs: readonly string[]): readonly JsonObject[] {
  const widestFirst = cidrs
    .map(rangeOf)
    .filter((range) => range !== undefined)
    .toSorted(
      (a, b) =>
        a.bits - b.bits || a.prefix - b.prefix || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0),
    )
  const kept: Range[] = []
  const keys = new Set<string>()
  const widths = new Set<number>()
  for (const range of widestFirst) {
    const prefixes = [...widths].filter((prefix) => prefix <= range.prefix)
    if (prefixes.some((prefix) => keys.has(keyOf(range, prefix)))) continue
    kept.push(range)
    keys.add(keyOf(range, range.prefix))
    widths.add(range.prefix)
  }
  return kept.map(written)
}
