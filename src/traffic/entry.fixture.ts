// Access log entries for tests, as the envoy room hands them over.
import type { AccessLogEntry } from '#envoy'

/** A request that was passed on and answered with 200 (spec traffic W1). */
export const passedEntry: AccessLogEntry = {
  node: 'envoy-1',
  logName: 'weir',
  startTime: 1_772_442_904_123_456,
  client: { address: '203.0.113.7', port: 0 },
  peer: { address: '203.0.113.7', port: 40_000 },
  local: { address: '10.0.0.1', port: 443 },
  tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', sni: 'shop.example.com' },
  method: 'GET',
  scheme: 'https',
  authority: 'shop.example.com',
  path: '/search?q=lamp',
  userAgent: 'curl/8.5.0',
  referer: '',
  forwardedFor: '203.0.113.7',
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
    duration: 100_000,
    lastRequestByte: 100,
    firstUpstreamRequestByte: 1000,
    lastUpstreamRequestByte: 1100,
    firstUpstreamResponseByte: 90_000,
    lastUpstreamResponseByte: 91_000,
    firstResponseByte: 91_000,
    lastResponseByte: 99_000,
  },
  upstream: { address: '10.0.0.9', port: 8080 },
  upstreamCluster: 'be|shop|http',
  upstreamAttempts: 1,
  upstreamFailure: '',
  terminationDetails: '',
  routeName: 'sg1|default',
  record: undefined,
  responseRecord: undefined,
}

/** The same request, ended before the origin was asked. */
export const answeredEntry = (responseCode: number, responseCodeDetails: string): AccessLogEntry => ({
  ...passedEntry,
  responseCode,
  responseCodeDetails,
  upstream: undefined,
  upstreamAttempts: 0,
  durations: {
    ...passedEntry.durations,
    firstUpstreamRequestByte: undefined,
    lastUpstreamRequestByte: undefined,
    firstUpstreamResponseByte: undefined,
    lastUpstreamResponseByte: undefined,
  },
})
