import { describe, expect, test } from '@jest/globals'
import type { ConnectionFailure } from '#envoy'
import { createConnectionFailures, reasonOf } from './connection-failures.ts'

const failure = (detail: string, kind: ConnectionFailure['kind'] = 'handshake'): ConnectionFailure => ({
  node: 'envoy-0',
  startTime: 1,
  peer: { address: '203.0.113.9', port: 4000 },
  local: { address: '10.0.0.1', port: 8443 },
  sni: 'www.example.com',
  kind,
  detail,
})

const openssl = (word: string): string =>
  `TLS_error:|268435703:SSL routines:OPENSSL_internal:${word}:TLS_error_end`

describe('the reason of a failed connection', () => {
  const rows: readonly (readonly [says: string, failure: ConnectionFailure, reason: string])[] = [
    ["is OpenSSL's word", failure(openssl('WRONG_VERSION_NUMBER')), 'wrong_version_number'],
    ['of several the first', failure(`${openssl('A')}${openssl('B')}`), 'a'],
    ['is a time-out', failure('connection timeout'), 'timeout'],
    ['is that no chain takes it', failure(openssl('A'), 'no_chain'), 'no_chain'],
    ['is none that is known', failure('something else'), 'other'],
    ['is no endless word', failure(openssl('A'.repeat(5000))), 'a'.repeat(64)],
  ]
  test.each(rows)('%s', (_says, one, reason) => expect(reasonOf(one)).toBe(reason))
})

describe('failed connections', () => {
  function start() {
    const lines: string[] = []
    const clock = { ms: 0 }
    const failures = createConnectionFailures({
      now: () => clock.ms,
      write: ({ peer }, reason, omitted) => lines.push(`${peer?.address ?? ''} ${reason} ${omitted}`),
    })
    return { lines, clock, failures }
  }

  test('are counted by reason', () => {
    const { failures } = start()
    for (const word of ['A', 'B', 'A']) failures.take(failure(openssl(word)))
    expect(failures.stats()).toEqual(new Map([['a', 2], ['b', 1]])) // prettier-ignore
  })

  test('are written five a second, and how many were not', () => {
    const { failures, lines, clock } = start()
    for (let n = 0; n < 12; n++) failures.take(failure(openssl('A')))
    expect(lines).toEqual(Array.from({ length: 5 }, () => '203.0.113.9 a 0'))
    clock.ms = 1000
    failures.take(failure(openssl('A')))
    failures.take(failure(openssl('A')))
    expect(lines.slice(5)).toEqual(['203.0.113.9 a 7', '203.0.113.9 a 0'])
    expect(failures.stats().get('a')).toBe(14)
  })

  test('of thousands of reasons are few in the figures', () => {
    const { failures } = start()
    for (let n = 0; n < 5000; n++) failures.take(failure(openssl(`R${n}`)))
    const stats = failures.stats()
    expect(stats.size).toBeLessThanOrEqual(65)
    expect(stats.get('other')).toBe(5000 - 64)
  })
})
