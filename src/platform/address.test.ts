import { BlockList } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { addressIndex, addressOfHostPort, addressSet, canonicalAddress, parseCidr } from './address.ts'

describe('canonical addresses (spec pipeline 1.3)', () => {
  test.each([
    ['IPv4 stays', '203.0.113.9', '203.0.113.9'],
    ['the edges of IPv4', '255.255.255.255', '255.255.255.255'],
    ['leading zeros are ambiguous', '010.0.0.1', undefined],
    ['a single zero is not', '0.0.0.0', '0.0.0.0'],
    ['too large a part', '1.2.3.256', undefined],
    ['three parts', '1.2.3', undefined],
    ['five parts', '1.2.3.4.5', undefined],
    ['an empty part', '1..2.3', undefined],
    ['a port is not part of an address', '1.2.3.4:80', undefined],
    ['IPv6 in lower-case without leading zeros', '2001:0DB8:0:0:0:0:0:0001', '2001:db8::1'],
    ['the longest run is shortened', '1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['the first of two equal runs', '1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['a single zero group is written out', '1:2:3:0:5:6:7:8', '1:2:3:0:5:6:7:8'],
    ['all zero', '::', '::'],
    ['a gap for one group', '1:2:3::5:6:7:8', '1:2:3:0:5:6:7:8'],
    ['a gap at the end', '2001:db8:0:0::', '2001:db8::'],
    ['IPv4-mapped becomes IPv4', '::FFFF:192.0.2.1', '192.0.2.1'],
    ['also in hexadecimal', '::ffff:c000:201', '192.0.2.1'],
    ['an IPv4 tail elsewhere', '64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
    ['two gaps', '1::2::3', undefined],
    ['a gap beside eight groups', '1:2:3:4:5:6:7:8::', undefined],
    ['nine groups', '1:2:3:4:5:6:7:8:9', undefined],
    ['five digits', '12345::', undefined],
    ['one colon at the end', '1:2:3:4:5:6:7:', undefined],
    ['one colon at the start', ':1:2:3:4:5:6:7', undefined],
    ['three colons', ':::', undefined],
    ['a zone', 'fe80::1%eth0', undefined],
    ['nothing', '', undefined],
    ['a name', 'localhost', undefined],
    ['a full-width digit', '１.2.3.4', undefined],
  ])('%s: %s', (_says, text, expected) => {
    expect(canonicalAddress(text)).toBe(expected)
  })

  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['1.2.3.4:443', '1.2.3.4'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:DB8::1]:443', '2001:db8::1'],
    ['[::ffff:1.2.3.4]:443', '1.2.3.4'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%2]:80', 'fe80::1'],
    ['[1.2.3.4', undefined],
    ['1.2.3.4:x', undefined],
    ['unknown', undefined],
    ['', undefined],
  ])('as proxies write them: %s', (text, expected) => {
    expect(addressOfHostPort(text)).toBe(expected)
  })
})

describe('prefixes', () => {
  test.each([
    ['10.1.2.3/8', { family: 4, network: '10.0.0.0', bits: 8 }],
    ['10.1.2.3', { family: 4, network: '10.1.2.3', bits: 32 }],
    ['0.0.0.0/0', { family: 4, network: '0.0.0.0', bits: 0 }],
    ['2001:DB8::1/33', { family: 6, network: '2001:db8::', bits: 33 }],
    ['::1', { family: 6, network: '::1', bits: 128 }],
    ['::/0', { family: 6, network: '::', bits: 0 }],
    ['::ffff:10.0.0.0/104', { family: 4, network: '10.0.0.0', bits: 8 }],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/08', undefined],
    ['10.0.0.0/-1', undefined],
    ['::/129', undefined],
    ['::ffff:10.0.0.0/90', undefined],
    ['x/8', undefined],
  ])('%s', (text, expected) => {
    expect(parseCidr(text)).toEqual(expected)
  })
})

describe('sets of prefixes', () => {
  const index = addressIndex([
    '10.0.0.0/8',
    '10.1.0.0/16',
    '10.1.2.3',
    'nonsense',
    '10.0.0.0/8',
    '2001:db8::/33',
    '::/0',
    '255.255.255.255',
  ])

  test.each([
    ['the wider prefix, listed twice', '10.2.0.0', [0, 4]],
    ['nested prefixes', '10.1.2.4', [0, 1, 4]],
    ['down to the address', '10.1.2.3', [0, 1, 2, 4]],
    ['the last address of a prefix', '10.255.255.255', [0, 4]],
    ['the first address after it', '11.0.0.0', []],
    ['the first address before it', '9.255.255.255', []],
    ['the end of the space', '255.255.255.255', [7]],
    ['IPv6', '2001:db8:7fff::1', [5, 6]],
    ['beyond the 33rd bit', '2001:db8:8000::1', [6]],
    ['the end of the IPv6 space', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', [6]],
    ['what is no address', 'nonsense', []],
  ])('%s: %s', (_says, address, expected) => {
    expect(index.match(address)).toEqual(expected)
  })

  test('an empty set contains nothing', () => {
    const contains = addressSet([])
    expect([contains('0.0.0.0'), contains('::'), contains('')]).toEqual([false, false, false])
  })

  test('agrees with a list that looks at every entry', () => {
    let seed = 7
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
    const four = (): string => `10.${random(4)}.${random(4)}.${random(256)}`
    const six = (): string => `2001:db8:${random(3)}::${random(65536).toString(16)}`
    const cidrs = Array.from({ length: 400 }, (_, i) =>
      i % 2 === 0 ? `${four()}/${random(33)}` : `${six()}/${random(129)}`,
    )
    const lists = cidrs.map((cidr) => {
      const [address = '', bits] = cidr.split('/')
      const list = new BlockList()
      list.addSubnet(address, Number(bits), address.includes(':') ? 'ipv6' : 'ipv4')
      // Node's list takes an IPv4 address for a mapped one and finds it in short IPv6 prefixes; Weir keeps them apart.
      return { family: address.includes(':') ? ('ipv6' as const) : ('ipv4' as const), list }
    })
    const compiled = addressIndex(cidrs)
    let hits = 0
    for (let i = 0; i < 400; i++) {
      const address = i % 2 === 0 ? four() : six()
      const family = address.includes(':') ? 'ipv6' : 'ipv4'
      const expected = lists.flatMap((entry, at) =>
        entry.family === family && entry.list.check(address, family) ? [at] : [],
      )
      expect(compiled.match(address)).toEqual(expected)
      hits += expected.length
    }
    expect(hits).toBeGreaterThan(500)
  })

  test('ten thousand equal prefixes beside ten thousand addresses take no quadratic memory', () => {
    const many = [
      ...Array.from({ length: 10_000 }, () => '0.0.0.0/0'),
      ...Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`),
    ]
    expect(addressIndex(many).match('10.0.1.1')).toHaveLength(10_001)
  })
})
