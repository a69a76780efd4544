import { describe, expect, test } from '@jest/globals'
import type { HeaderLine } from '#request'
import { type SentHeaders, sentHeaders } from './sent-headers.ts'

const peer = '203.0.113.7'
const external: HeaderLine = ['x-envoy-external-address', peer]
const id = '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11'

const sent = (lines: readonly HeaderLine[], from = peer): SentHeaders =>
  sentHeaders(lines, { peer: from, own: new Set(['10.1.1.1']) })

describe('what Envoy wrote among the headers is not what the client sent', () => {
  const away: readonly (readonly [says: string, line: HeaderLine, from?: string])[] = [
    ['an id that Envoy chose', ['x-request-id', id]],
    ['the hop that it saw', ['x-forwarded-for', peer]],
    ['an IPv6 hop', ['x-forwarded-for', '2001:db8::1'], '2001:db8::1'],
    ['its own address for a peer on loopback', ['x-forwarded-for', '10.1.1.1'], '127.0.0.1'],
  ]
  test.each(away)('%s', (...[, line, from]) => {
    expect(sent([['a', '1'], line, ['b', '2']], from).lines).toEqual([
      ['a', '1'],
      ['b', '2'],
    ])
  })

  const kept: readonly (readonly [says: string, line: HeaderLine, from?: string])[] = [
    ['an id that is no UUID', ['x-request-id', "1' or '1'='1"]],
    ['an id with more behind it', ['x-request-id', `${id}\n<script>`]],
    ['an id in bytes', ['x-request-id', Buffer.from(`${id}\xff`, 'latin1')]],
    ['addresses that others forwarded', ['x-forwarded-for', '6.6.6.6, 198.51.100.7']],
    ['an address of this machine from elsewhere', ['x-forwarded-for', '10.1.1.1']],
    ['what only ends like the peer', ['x-forwarded-for', `1${peer}`]],
    ['a scheme that a proxy forwarded', ['x-forwarded-proto', 'https']],
    ['what looks alike', ['x-forwarded-form', peer]],
  ]
  test.each(kept)('%s stays', (...[, line, from]) => {
    expect(sent([line], from)).toEqual({ lines: [line], scheme: undefined })
  })

  test('the scheme is of the connection where the peer is the client', () => {
    expect(sent([external, ['x-forwarded-proto', 'https']])).toEqual({ lines: [external], scheme: 'https' })
    const odd: HeaderLine = ['x-forwarded-proto', 'https, http']
    expect(sent([external, odd])).toEqual({ lines: [external, odd], scheme: undefined })
  })

  test('a header that names another address says nothing about the peer', () => {
    const lines: readonly HeaderLine[] = [
      ['x-envoy-external-address', '6.6.6.6'],
      ['x-forwarded-proto', 'https'],
    ]
    expect(sent(lines)).toEqual({ lines, scheme: undefined })
  })

  test('what a client put before the hop stays', () => {
    expect(sent([['x-forwarded-for', `6.6.6.6, 1.1.1.1,${peer}`]]).lines).toEqual([
      ['x-forwarded-for', '6.6.6.6, 1.1.1.1'],
    ])
    const bytes = Buffer.from(`<\xff>,${peer}`, 'latin1')
    expect(sent([['x-forwarded-for', bytes]]).lines.map(([, value]) => Buffer.from(value))).toEqual([
      Buffer.from('<\xff>', 'latin1'),
    ])
  })
})
