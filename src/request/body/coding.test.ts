import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { post, read, shown } from '../input.fixture.ts'
import { undoCodings } from './coding.ts'

const limit = 1 << 20
const text = 'a=1&b=2'
const type = 'application/x-www-form-urlencoded'

describe('content-encoding (spec pipeline 1.8, 1.10)', () => {
  test.each([
    ['gzip', 'gzip', gzipSync(text)],
    ['gzip by its old name', 'X-GZIP', gzipSync(text)],
    ['deflate', 'deflate', deflateSync(text)],
    ['deflate without its wrapping', 'deflate', deflateRawSync(text)],
    ['br', 'br', brotliCompressSync(text)],
    ['identity', 'identity', Buffer.from(text)],
    ['several, undone from the last', 'gzip, br', brotliCompressSync(gzipSync(text))],
  ])('%s', (_says, coding, bytes) => {
    expect(shown(read(post(bytes, type, [['content-encoding', coding]])).args)).toEqual({ a: '1', b: '2' })
  })

  test('an unknown coding, and too many of them, are opaque', () => {
    expect(undoCodings(Buffer.from(text), 'compress', limit, true).kind).toBe('unknown')
    expect(undoCodings(Buffer.from(text), 'gzip,gzip,gzip,gzip', limit, true).kind).toBe('unknown')
  })

  test('data that breaks off is malformed, unless the body is partial', () => {
    const cut = gzipSync('x'.repeat(1000) + text).subarray(0, -9)
    expect(undoCodings(cut, 'gzip', limit, true).kind).toBe('malformed')
    expect(undoCodings(cut, 'gzip', limit, false)).toMatchObject({ kind: 'plain', cut: false })
  })

  test.each([
    ['gzip', gzipSync(Buffer.alloc(50_000_000))],
    ['br', brotliCompressSync(Buffer.alloc(50_000_000))],
    ['deflate', deflateSync(Buffer.alloc(50_000_000))],
  ])('a bomb in %s is bounded in size and time', (coding, bytes) => {
    const start = process.cpuUsage()
    const undone = undoCodings(bytes, coding, limit, true)
    expect(process.cpuUsage(start).user).toBeLessThan(1e6)
    expect(undone).toMatchObject({ kind: 'plain', cut: true })
    expect(undone.kind === 'plain' ? undone.bytes.length : limit + 1).toBeLessThanOrEqual(limit)
    expect(read(post(bytes, type, [['content-encoding', coding]])).body.tooLarge).toMatchObject({
      what: 'body',
    })
  })

  test('what was read of a body that is too large is kept', () => {
    const body = gzipSync(`a=1&${'b=2&'.repeat(10)}c=${'x'.repeat(3_000_000)}`)
    const { args, body: report } = read(post(body, type, [['content-encoding', 'gzip']]))
    expect([args.get('a')?.value, report.malformed, report.tooLarge?.what]).toEqual(['1', undefined, 'body'])
  })

  test('not more than 100 times the compressed size', () => {
    const body = gzipSync(`a=${'x'.repeat(30_000)}`)
    expect(30_000).toBeGreaterThan(body.length * 100)
    expect(read(post(body, type, [['content-encoding', 'gzip']])).body.tooLarge?.what).toBe('body')
  })
})
