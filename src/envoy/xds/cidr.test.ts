import { describe, expect, test } from '@jest/globals'
import { cidrRanges } from './cidr.ts'
import { textOf } from './json.ts'

const written = (cidrs: readonly string[]): readonly string[] =>
  cidrRanges(cidrs).map(
    (range) => `${textOf(range, 'address_prefix')}/${JSON.stringify(range['prefix_len'])}`,
  )

describe('address ranges for Envoy', () => {
  const rows: readonly (readonly [says: string, given: readonly string[], ranges: readonly string[]])[] = [
    ['an address is a range of one', ['192.0.2.7', '2001:db8::1'], ['192.0.2.7/32', '2001:db8::1/128']],
    ['host bits are masked', ['10.1.2.3/8', '2001:db8::ffff/32'], ['10.0.0.0/8', '2001:db8::/32']],
    ['equal after masking is one', ['10.1.0.0/8', '10.2.0.0/8'], ['10.0.0.0/8']],
    [
      'a range inside another is dropped',
      ['10.1.0.0/16', '10.0.0.0/8', '11.0.0.0/16'],
      ['10.0.0.0/8', '11.0.0.0/16'],
    ],
    ['neighbours stay two', ['10.0.0.0/9', '10.128.0.0/9'], ['10.0.0.0/9', '10.128.0.0/9']],
    ['everything covers everything of its family', ['0.0.0.0/0', '1.2.3.4', '::1'], ['0.0.0.0/0', '::1/128']],
    ['embedded IPv4 is IPv6', ['::ffff:192.0.2.1'], ['::ffff:c000:201/128']],
    [
      'what is no address is left out',
      ['', 'x', '1.2.3.4/33', '1.2.3.4/-1', '1.2.3', '::/129', '1.2.3.4/a'],
      [],
    ],
  ]
  for (const [says, given, ranges] of rows) test(says, () => expect(written(given)).toEqual(ranges))

  test('twenty thousand addresses are no matter', () => {
    const many = Array.from({ length: 20_000 }, (_, n) => `10.${n >> 12}.${(n >> 4) & 255}.${(n & 15) * 16}`)
    const started = process.cpuUsage()
    expect(cidrRanges([...many, '10.1.0.0/16'])).toHaveLength(20_000 - 4096 + 1)
    expect(process.cpuUsage(started).user).toBeLessThan(5e6)
  })
})
