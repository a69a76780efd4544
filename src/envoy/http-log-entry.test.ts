import { describe, expect, test } from '@jest/globals'
import type { AccessLogEntry } from './access-log-entry.ts'
import { decodeHttpEntry } from './http-log-entry.ts'
import { logEntry, logEntryBytes } from './access-log.fixture.ts'

type Properties = Readonly<Record<string, unknown>>

const decoded = (entry: Properties): AccessLogEntry | undefined =>
  decodeHttpEntry(logEntryBytes(entry), 'envoy-1', 'weir')

const common = (fields: Properties): Properties => ({
  ...logEntry,
  common_properties: { ...(logEntry['common_properties'] as Properties), ...fields },
})

/** As Envoy writes it of an HTTP/1 client that leaves before its headers are complete. */
const leftAfter = (bytes: number, response: Properties = {}): Properties => ({
  common_properties: {
    response_flags: { downstream_connection_termination: true },
    downstream_wire_bytes_received: bytes,
    access_log_type: 6,
  },
  protocol_version: 2,
  request: {},
  response: { response_code_details: 'downstream_remote_disconnect', ...response },
})
const withoutRequest: Partial<AccessLogEntry> = { method: '', requestHeaderBytes: 0, responseCode: 0 }

const metadata = (...namespaces: readonly (readonly [string, Properties])[]): Properties =>
  common({
    metadata: { filter_metadata: Object.fromEntries(namespaces.map(([name, fields]) => [name, { fields }])) },
  })

describe('an access log entry', () => {
  test('of a request that went through', () => {
    expect(decoded(logEntry)).toEqual({
      node: 'envoy-1',
      logName: 'weir',
      startTime: 1_772_442_904_123_456,
      client: { address: '198.51.100.7', port: 0 },
      peer: { address: '10.0.0.5', port: 51234 },
      local: { address: '10.0.0.1', port: 8443 },
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', sni: 'shop.example.com' },
      method: 'GET',
      scheme: 'https',
      authority: 'shop.example.com',
      path: '/search?q=1',
      userAgent: 'curl/8.5.0',
      referer: 'https://shop.example.com/',
      forwardedFor: '198.51.100.7',
      requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
      requestHeaderBytes: 400,
      requestBodyBytes: 12,
      protocolVersion: '2',
      responseCode: 200,
      responseCodeDetails: 'via_upstream',
      responseHeaderBytes: 310,
      responseBodyBytes: 2000,
      responseFlags: [],
      durations: {
        duration: 4_000,
        lastRequestByte: 100,
        firstUpstreamRequestByte: 1_000,
        lastUpstreamRequestByte: 1_100,
        firstUpstreamResponseByte: 2_500,
        lastUpstreamResponseByte: 3_500,
        firstResponseByte: 3_000,
        lastResponseByte: 1_000_003_900,
      },
      upstream: { address: '10.0.0.9', port: 8080 },
      upstreamCluster: 'be|app|http',
      upstreamAttempts: 2,
      upstreamFailure: '',
      terminationDetails: '',
      routeName: 'site1|E',
      record: '{"host":"shop.example.com","tags":["all"]}',
      responseRecord: undefined,
    })
  })

  test('that Envoy could hardly begin: everything else is empty', () => {
    expect(decoded({})).toMatchObject({
      startTime: 0,
      client: undefined,
      tls: undefined,
      path: '',
      responseCode: 0,
    })
  })

  const rows: readonly (readonly [string, Properties, Partial<AccessLogEntry> | undefined])[] = [
    ['an intermediate entry of a long stream is none', common({ intermediate_log_entry: true }), undefined],
    ['a periodic entry is none', common({ access_log_type: 5 }), undefined],
    ['an entry of an upstream attempt is none', common({ access_log_type: 9 }), undefined],
    ['an entry at the end of the request is one', common({ access_log_type: 6 }), { responseCode: 200 }],
    ['an empty line and the end of the connection are no request', leftAfter(2), undefined],
    ['so little that no request line can have come is none', leftAfter(12), undefined],
    ['what may have been a request line is one', leftAfter(13), withoutRequest],
    ['half a request, of which the length is not told, is one', leftAfter(0), withoutRequest],
    [
      'what Envoy answered is one, however short',
      leftAfter(1, { response_code: { value: 408 }, response_code_details: 'request_header_timeout' }),
      { responseCode: 408 },
    ],
    [
      'half the headers of an HTTP/2 stream are one',
      { ...leftAfter(12), protocol_version: 3 },
      { ...withoutRequest, protocolVersion: '2' },
    ],
    [
      'flags by their long names',
      common({
        response_flags: {
          upstream_connection_failure: true,
          no_healthy_upstream: false,
          unauthorized_details: { reason: 1 },
        },
      }),
      { responseFlags: ['upstream_connection_failure', 'unauthorized_details'] },
    ],
    [
      'a pipe is an upstream too',
      common({ upstream_remote_address: { pipe: { path: '/run/x' } } }),
      { upstream: { address: '/run/x', port: 0 } },
    ],
    ['plaintext has no TLS session', common({ tls_properties: {} }), { tls: undefined }],
    [
      'a suite that Weir does not know',
      common({ tls_properties: { tls_version: 3, tls_cipher_suite: { value: 0xab } } }),
      { tls: { version: 'TLSv1.2', cipher: '0x00ab', sni: '' } },
    ],
    ['HTTP/1.0', { ...logEntry, protocol_version: 1 }, { protocolVersion: '1.0' }],
    [
      'the record in any namespace',
      metadata(['a', { x: { numberValue: 1 } }], ['b', { weir: { stringValue: '{"a":1}' } }]),
      { record: '{"a":1}' },
    ],
    [
      'what response phases add',
      metadata(['b', { weir_response: { stringValue: '{"a":2}' } }]),
      { record: undefined, responseRecord: '{"a":2}' },
    ],
    ['no record where the filter was not asked', common({ metadata: {} }), { record: undefined }],
    [
      'a record of another make is none',
      metadata(['b', { weir: { numberValue: 1 } }]),
      { record: undefined },
    ],
  ]
  test.each(rows)('%s', (_says, entry, expected) => {
    const got = decoded(entry)
    expect(expected === undefined ? got : { ...got, ...expected }).toEqual(got)
    expect(got === undefined).toBe(expected === undefined)
  })

  test('whatever is changed in one, it is read or refused', () => {
    const original = logEntryBytes(logEntry)
    let seed = 7
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed % below
    }
    let read = 0
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const message = Uint8Array.from(
        original.subarray(0, random(4) === 0 ? random(original.length) : original.length),
      )
      for (let change = random(4); change >= 0; change--) message[random(message.length || 1)] = random(256)
      try {
        decodeHttpEntry(message, '', '')
        read++
      } catch (error) {
        refused += error instanceof Error ? 1 : 0
      }
    }
    expect(read + refused).toBe(20_000)
    expect(Math.min(read, refused)).toBeGreaterThan(1000)
  })
})
