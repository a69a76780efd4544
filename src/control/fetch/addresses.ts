// Which addresses Weir does not fetch from on somebody's word (spec control-plane 3.7): those that lead into its own machine,
// the networks around it, or the services that hosting providers offer to their machines. An address that carries an IPv4
// address inside it counts as that one.
import { addressIndex, readAddress } from '#platform'

/** Prefix and what it is called in refusals. */
const refusedRanges: readonly (readonly [cidr: string, kind: string])[] = [
  ['0.0.0.0/8', 'unspecified'],
  ['10.0.0.0/8', 'private'],
  ['100.64.0.0/10', 'private'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link-local'],
  ['172.16.0.0/12', 'private'],
  ['192.0.0.0/24', 'reserved'],
  ['192.168.0.0/16', 'private'],
  ['198.18.0.0/15', 'private'],
  ['224.0.0.0/4', 'multicast'],
  ['240.0.0.0/4', 'reserved'],
  ['::/128', 'unspecified'],
  ['::1/128', 'loopback'],
  // Discouraged forms with an IPv4 address inside: nobody publishes anything there.
  ['::/96', 'reserved'],
  ['::ffff:0:0:0/96', 'reserved'],
  ['64:ff9b:1::/48', 'private'],
  ['100::/64', 'reserved'],
  ['2001::/32', 'reserved'],
  ['2002::/16', 'reserved'],
  ['fc00::/7', 'private'],
  ['fe80::/10', 'link-local'],
  ['fec0::/10', 'private'],
  ['ff00::/8', 'multicast'],
]

const ranges = addressIndex(refusedRanges.map(([cidr]) => cidr))
const nat64 = addressIndex(['64:ff9b::/96'])
const words = new Uint32Array(4)

/** How networks without IPv4 reach it; the address that is meant stands in the last word. */
function behindNat64(address: string): string | undefined {
  if (nat64.match(address).length === 0 || readAddress(address, words) !== 6) return undefined
  const value = words[3] ?? 0
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.')
}

/**
 * What an address is that must not be fetched from: `loopback`, `private`, `link-local`, `multicast`, `unspecified` or
 * `reserved`; `unreadable` for what is no address, zones included. Undefined: an address like any other.
 */
export function refusedAs(address: string): string | undefined {
  if (readAddress(address, words) === 0) return 'unreadable'
  const [first] = ranges.match(behindNat64(address) ?? address)
  return first === undefined ? undefined : refusedRanges[first]?.[1]
}
