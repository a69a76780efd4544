import { describe, expect, test } from '@jest/globals'
import { ConnectionError } from './frames.ts'
import { createHpackDecoder } from './hpack-decoder.ts'
import { decodeHuffman } from './huffman.ts'

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')

const tableBytes = (entries: readonly { readonly size: number }[]): number =>
  entries.reduce((sum, { size }) => sum + size, 0)

type Step = readonly [hex: string, fields: string, table: string, bytes: number]

// The examples of RFC 7541 appendix C: what each block says, and the dynamic table after it, newest first.
const requests = [
  ':method: GET|:scheme: http|:path: /|:authority: www.example.com',
  ':method: GET|:scheme: http|:path: /|:authority: www.example.com|cache-control: no-cache',
  ':method: GET|:scheme: https|:path: /index.html|:authority: www.example.com|custom-key: custom-value',
] as const
const requestTables = [
  [':authority: www.example.com', 57],
  ['cache-control: no-cache|:authority: www.example.com', 110],
  ['custom-key: custom-value|cache-control: no-cache|:authority: www.example.com', 164],
] as const
const when = 'Mon, 21 Oct 2013 20:13:21 GMT'
const later = 'Mon, 21 Oct 2013 20:13:22 GMT'
const site = 'location: https://www.example.com'
const cookie = 'set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1'
const responses = [
  `:status: 302|cache-control: private|date: ${when}|${site}`,
  `:status: 307|cache-control: private|date: ${when}|${site}`,
  `:status: 200|cache-control: private|date: ${later}|${site}|content-encoding: gzip|${cookie}`,
] as const
const responseTables = [
  [`${site}|date: ${when}|cache-control: private|:status: 302`, 222],
  [`:status: 307|${site}|date: ${when}|cache-control: private`, 222],
  [`${cookie}|content-encoding: gzip|date: ${later}`, 215],
] as const

const steps = (
  hexes: readonly string[],
  fields: readonly string[],
  tables: readonly (readonly [string, number])[],
): readonly Step[] =>
  hexes.map((hex, at) => {
    const [table, bytes] = tables[at] ?? ['', 0]
    return [hex, fields[at] ?? '', table, bytes]
  })

const sequences: readonly (readonly [
  says: string,
  tableLimit: number | undefined,
  steps: readonly Step[],
])[] = [
  [
    'C.2.1 a literal with indexing',
    undefined,
    [
      [
        '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
        'custom-key: custom-header',
        'custom-key: custom-header',
        55,
      ],
    ],
  ],
  [
    'C.2.2 a literal without indexing',
    undefined,
    [['040c 2f73 616d 706c 652f 7061 7468', ':path: /sample/path', '', 0]],
  ],
  [
    'C.2.3 a literal never indexed',
    undefined,
    [['1008 7061 7373 776f 7264 0673 6563 7265 74', 'password: secret', '', 0]],
  ],
  ['C.2.4 an indexed field', undefined, [['82', ':method: GET', '', 0]]],
  [
    'C.3 requests without Huffman coding',
    undefined,
    steps(
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
      requests,
      requestTables,
    ),
  ],
  [
    'C.4 requests with Huffman coding',
    undefined,
    steps(
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
      requests,
      requestTables,
    ),
  ],
  [
    'C.5 responses without Huffman coding, with evictions',
    256,
    steps(
      [
        `4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32
         3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d`,
        '4803 3330 37c1 c0bf',
        `88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970
         7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61
         6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31`,
      ],
      responses,
      responseTables,
    ),
  ],
  [
    'C.6 responses with Huffman coding, with evictions',
    256,
    steps(
      [
        `4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad
         1718 63c7 8f0b 97c8 e9ae 82ae 43d3`,
        '4883 640e ffc1 c0bf',
        `88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2
         e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07`,
      ],
      responses,
      responseTables,
    ),
  ],
]

describe('the examples of RFC 7541', () => {
  test.each(sequences)('%s', (_says, limit, steps) => {
    const decoder = createHpackDecoder()
    if (limit !== undefined) decoder.table.resize(limit)
    for (const [hex, fields, table, bytes] of steps) {
      const seen: string[] = []
      const block = bytesOf(hex)
      decoder.decode(block, 0, block.length, ({ name, value }) => seen.push(`${name}: ${value}`))
      expect(seen.join('|')).toBe(fields)
      const { entries } = decoder.table
      expect(entries.map(({ name, value }) => `${name}: ${value}`).join('|')).toBe(table)
      expect(tableBytes(entries)).toBe(bytes)
    }
  })
})

const errorOf = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

describe('blocks that end the connection', () => {
  test.each([
    ['index 0', '80'],
    ['an index past both tables', 'be'],
    ['a name past both tables', '7f 01 01 61'],
    ['an integer without an end', 'ff'],
    ['an integer that goes on and on', 'ff ff ff ff ff ff'],
    ['a string longer than its block', '00 05 61'],
    ['a name without a value', '00 01 61'],
    ['a size update above what was allowed', '3f e2 1f'],
    ['a size update behind a field', '82 20'],
    ['the end-of-string symbol', '00 84 ff ff ff ff 00'],
    ['eight bits of padding', '00 82 1f ff 00'],
    ['padding that is not ones', '00 81 18 00'],
  ])('%s', (_says, hex) => {
    const block = bytesOf(hex)
    const error = errorOf(() => createHpackDecoder().decode(block, 0, block.length, () => undefined))
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({ code: 'compressionError' })
  })

  test('a size update down to nothing and up again empties the table', () => {
    const decoder = createHpackDecoder()
    const fill = bytesOf('4001 6101 62')
    decoder.decode(fill, 0, fill.length, () => undefined)
    expect(decoder.table.entries).toHaveLength(1)
    const update = bytesOf('20 3f e1 1f')
    decoder.decode(update, 0, update.length, () => undefined)
    expect(decoder.table.entries).toHaveLength(0)
  })

  test('a field larger than the table empties it', () => {
    const decoder = createHpackDecoder()
    const small = bytesOf('4001 6101 62')
    decoder.decode(small, 0, small.length, () => undefined)
    // A name of 65 letters and a value of 4,000: 127 + 3873 in seven bits each.
    const large = Buffer.concat([
      bytesOf('4041'),
      Buffer.alloc(65, 'n'),
      bytesOf('7fa11e'),
      Buffer.alloc(4000, 'x'),
    ])
    decoder.decode(large, 0, large.length, () => undefined)
    expect(decoder.table.entries).toHaveLength(0)
  })

  test('the table keeps its order and its bound through thousands of entries', () => {
    const decoder = createHpackDecoder()
    for (let i = 0; i < 5000; i++) {
      const value = String(i)
      const block = Buffer.concat([bytesOf('400161'), Buffer.from([value.length]), Buffer.from(value)])
      decoder.decode(block, 0, block.length, () => undefined)
    }
    const { entries } = decoder.table
    expect(entries.slice(0, 3).map(({ value }) => value)).toEqual(['4999', '4998', '4997'])
    expect(entries).toHaveLength(Math.floor(4096 / 37))
  })
})

describe('Huffman', () => {
  // Each symbol of RFC 7541 appendix B on its own, the longest codes among them.
  test.each([
    ['0', '07'],
    ['a', '1f'],
    ['&', 'f8'],
    ['\n', 'fffffff3'],
    ['\u00ff', 'fffffbbf'],
    ['\u00f9', 'ffffffef'],
    ['\\', 'fffe1f'],
  ])('%j', (text, hex) => {
    const bytes = bytesOf(hex)
    expect(decodeHuffman(bytes, 0, bytes.length)).toBe(text)
  })
})
