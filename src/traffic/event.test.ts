import { describe, expect, test } from '@jest/globals'
import type { AccessLogEntry } from '#envoy'
import type { DecisionRecord } from '#pipeline'
import type { Location } from '#request'
import { answeredEntry, passedEntry } from './entry.fixture.ts'
import {
  type EventSettings,
  type TrafficEvent,
  completeEvent,
  eventJson,
  formatMicroseconds,
} from './event.ts'
import { blankRecord } from './record.ts'

/** An entry whose record is not yet text. */
type Given = Omit<AccessLogEntry, 'record'> & { readonly record: object | undefined }

/** The whole event, as a reader of the journal has it. */
const eventOf = ({ record, ...entry }: Given | AccessLogEntry, settings?: EventSettings): TrafficEvent =>
  JSON.parse(
    eventJson(
      completeEvent(
        { ...entry, record: typeof record === 'object' ? JSON.stringify(record) : record },
        settings,
      ),
    ),
  ) as TrafficEvent

const judged: DecisionRecord = {
  ...blankRecord,
  server_group: 'shop',
  server_group_id: 'sg1',
  host: 'shop.example.com',
  authority: 'shop.example.com',
  protocol: 'https',
  port: '443',
  method: 'GET',
  path: '/search',
  path_parts: { part1: 'search', path: '/search' },
  query: '?q=lamp',
  arguments: { q: 'lamp' },
  ip: '203.0.113.7',
  tags: ['all', 'bot', 'ip:203-0-113-7'],
  processing_stage: 7,
  request_id: 'from-the-filter',
  timestamp: 1_772_442_904_000,
}
const blocked: DecisionRecord = {
  ...judged,
  blocked: true,
  reason: 'Content filter: default contentfilter: libinjection-sqli in arguments "q"',
  tags: [...judged.tags, 'status:473', 'status-class:4xx'],
}

const passed = (changes: Partial<Given> = {}): Given => ({
  ...passedEntry,
  record: judged,
  ...changes,
})
const denied = (record: DecisionRecord, status: number): Given => ({
  ...answeredEntry(status, 'ext_authz_denied'),
  responseFlags: ['unauthorized_details'],
  record,
})

describe('fields (spec traffic 1.2)', () => {
  const event = eventOf(passed())

  test('what only Envoy knows', () => {
    expect(event).toMatchObject({
      timestamp: '2026-03-02T09:15:04.123456Z',
      time_period: 1_772_442_904,
      source: 'pipeline',
      hostname: 'envoy-1',
      version: '2',
      status: 200,
      request_id: passedEntry.requestId,
      request_length: 412,
      bytes_sent: 2310,
      request_time: 0.1,
      upstream_addr: ['10.0.0.9:8080'],
      upstream_status: [200],
      upstream_response_time: 0.09,
      upstream_data: [{ addr: '10.0.0.9:8080', response_time: 0.09, status: 200 }],
      upstream_cluster: 'be|shop|http',
      response_flags: [],
      response_code_details: 'via_upstream',
    })
  })

  test('what the filter knows, and what follows from both', () => {
    expect(event).toMatchObject({
      server_group: 'shop',
      url: 'shop.example.com/search',
      query: '?q=lamp',
      arguments: { q: 'lamp' },
      processing_stage: 7,
      biometric: [],
      origin_blocked: false,
    })
    const proxy = new Map(event.proxy.map(({ name, value }) => [name, value]))
    expect(proxy.get('realip')).toBe('203.0.113.7')
    expect(proxy.get('ssl_protocol')).toBe('TLSv1.3')
    expect(proxy.get('request_time')).toBe('0.1')
    expect(proxy.get('geo_lat')).toBeNull()
  })

  test('the id is a UUIDv7 of the start of the request, and no two are equal', () => {
    expect(event.event_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(event.event_id.replaceAll('-', '').slice(0, 12), 16)).toBe(1_772_442_904_123)
    const ids = Array.from({ length: 1000 }, () => eventOf(passed()).event_id)
    expect(new Set(ids).size).toBe(1000)
    expect(
      ids.filter((id) => !/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)),
    ).toEqual([])
  })

  test.each([
    [0, '1970-01-01T00:00:00.000000Z'],
    [1_772_442_904_000_001, '2026-03-02T09:15:04.000001Z'],
    [1_772_442_904_999_999, '2026-03-02T09:15:04.999999Z'],
    [1_772_442_905_000_000, '2026-03-02T09:15:05.000000Z'],
    [1_772_442_903_999_999, '2026-03-02T09:15:03.999999Z'],
  ])('%d µs are %s', (us, expected) => {
    expect(formatMicroseconds(us)).toBe(expected)
  })

  test('an IPv6 upstream, a Unix socket, several attempts', () => {
    expect(eventOf(passed({ upstream: { address: '2001:db8::1', port: 80 } })).upstream_addr).toEqual([
      '[2001:db8::1]:80',
    ])
    expect(eventOf(passed({ upstream: { address: '/run/app', port: 0 } })).upstream_addr).toEqual([
      '/run/app',
    ])
    expect(eventOf(passed({ upstreamAttempts: 3 })).messages).toEqual(['upstream attempts: 3'])
  })

  test('without a request id of Envoy the filter has one, and at last the event itself', () => {
    expect(eventOf(passed({ requestId: '' })).request_id).toBe('from-the-filter')
    const alone = eventOf({ ...answeredEntry(400, 'http1.codec_error'), requestId: '' })
    expect(alone.request_id).toBe(alone.event_id)
  })

  test('fields of a record that are not what they should be are blank', () => {
    const strange = { ...judged, tags: 'all', processing_stage: '7', path_parts: null, reason: 5, made_up: 1 }
    const taken = eventOf(passed({ record: strange }))
    expect(taken).toMatchObject({ processing_stage: 0, path_parts: {}, reason: null })
    expect(taken.tags).not.toContain('l')
    expect(taken).not.toHaveProperty('made_up')
  })
})

describe('results (spec traffic 1.4, 6)', () => {
  const monitored: DecisionRecord = {
    ...judged,
    monitor: true,
    monitor_reasons: ['Global filter: tor exit'],
  }
  const rows: readonly (readonly [says: string, entry: Given | AccessLogEntry, expected: object])[] = [
    ['W1 passed', passed(), { result: 'Passed', blocked: false, reason: null }],
    [
      'W2 blocked by the content filter',
      denied(blocked, 473),
      {
        result: 'Blocked',
        blocked: true,
        reason: blocked.reason,
        upstream_addr: [],
        upstream_status: [],
        upstream_cluster: '',
      },
    ],
    ['W3 monitored', passed({ record: monitored }), { result: 'Passed', monitor: true, reason: null }],
    [
      'W4 monitored and blocked',
      denied({ ...blocked, monitor: true, monitor_reasons: monitored.monitor_reasons }, 473),
      { result: 'Blocked', reason: blocked.reason, monitor_reasons: ['Global filter: tor exit'] },
    ],
    [
      'W5 challenged',
      denied({ ...judged, challenge: true, challenge_type: 'active', reason: 'Global filter: new' }, 247),
      { result: 'Challenge', blocked: false, status: 247, challenge: true },
    ],
    [
      'W7 challenged interactively',
      denied({ ...judged, ichallenge: true, challenge_type: 'interactive' }, 247),
      { result: 'Interactive challenge', blocked: false },
    ],
    [
      'W8 refused by the origin',
      passed({ responseCode: 403 }),
      { result: 'Blocked by origin', origin_blocked: true, blocked: false, status: 403 },
    ],
    ['W9 not found at the origin', passed({ responseCode: 404 }), { result: 'Passed', status: 404 }],
    [
      'W17 redirected by an action',
      denied({ ...judged, blocked: true, reason: 'Global filter: http to https' }, 301),
      { result: 'Blocked', status: 301, reason: 'Global filter: http to https' },
    ],
  ]
  test.each(rows)('%s', (_says, entry, expected) => {
    expect(eventOf(entry)).toMatchObject(expected)
  })

  test('which statuses of the origin count as refusals is a setting', () => {
    const event = eventOf(passed({ responseCode: 418 }), { originBlockStatuses: new Set([418]) })
    expect(event.result).toBe('Blocked by origin')
  })
})

describe('requests that Envoy refused (spec traffic 1.5)', () => {
  const rows: readonly (readonly [
    details: string,
    status: number,
    reason: string,
    tag: string,
    ...flags: string[],
  ])[] = [
    ['request_payload_too_large', 413, 'request body too large', 'general:body-too-large'],
    ['http1.headers_too_large', 431, 'request headers too large', 'general:headers-too-large'],
    ['http2.too_many_headers', 431, 'request headers too large', 'general:headers-too-large'],
    ['http1.codec_error', 400, 'malformed request', 'general:malformed-request'],
    ['http2.violation.of.messaging.rule', 400, 'malformed request', 'general:malformed-request'],
    ['something_new', 400, 'malformed request', 'general:malformed-request', 'downstream_protocol_error'],
    ['missing_host_header', 400, 'invalid request line', 'general:invalid-request'],
    ['low_version', 426, 'invalid request line', 'general:invalid-request'],
    ['path_normalization_failed', 400, 'invalid request line', 'general:invalid-request'],
    ['request_header_timeout', 408, 'client timeout', 'general:timeout'],
    ['stream_idle_timeout', 408, 'client timeout', 'general:timeout'],
    ['local_rate_limited', 503, 'IP rate limit exceeded', 'general:ip-rate'],
    ['overload', 503, 'proxy overloaded', 'general:overload'],
    ['direct_response', 421, 'unrecognized host header', 'unrecognized-host-header'],
    ['ext_authz_error', 503, 'filter unreachable', 'general:filter-unreachable'],
    ['route_not_found', 404, 'refused by the proxy (route_not_found)', 'general:other'],
  ]
  test.each(rows)('%s (%d) is "General: %s"', (details, status, reason, tag, ...responseFlags) => {
    const entry = { ...answeredEntry(status, details), responseFlags }
    const event = eventOf(entry)
    expect(event).toMatchObject({
      source: 'envoy',
      result: 'Blocked',
      status,
      reason: `General: ${reason}`,
      processing_stage: 0,
      human: false,
      bot: true,
    })
    expect(event.tags).toEqual(
      expect.arrayContaining([
        tag,
        'all',
        'bot',
        'ip:203-0-113-7',
        'geo-country:nil',
        `status:${String(status)}`,
      ]),
    )
    expect(event.tags).not.toContain('not-inspected')
    expect(event.tags).not.toContain('sent-to-origin')
  })

  test('a request that a filter had passed keeps its record', () => {
    const event = eventOf({ ...answeredEntry(413, 'request_payload_too_large'), record: judged })
    expect(event).toMatchObject({
      source: 'pipeline',
      result: 'Blocked',
      reason: 'General: request body too large',
      processing_stage: 7,
    })
  })

  test('what the access log has is all that is known; arguments might have to be masked', () => {
    const event = eventOf(answeredEntry(503, 'ext_authz_error'))
    expect(event).toMatchObject({
      host: 'shop.example.com',
      path: '/search',
      query: null,
      arguments: {},
      protocol: 'https',
      port: '443',
      user_agent: 'curl/8.5.0',
      referer: null,
    })
    expect(JSON.stringify(event)).not.toContain('lamp')
  })

  test('bytes that were no request have neither method nor path', () => {
    const entry = {
      ...answeredEntry(400, 'http1.codec_error'),
      method: '',
      path: '',
      authority: '',
      client: undefined,
    }
    expect(eventOf({ ...entry, peer: undefined })).toMatchObject({
      method: '',
      path: '',
      url: '',
      ip: '',
    })
  })

  test('the place is looked up at ingest', () => {
    const place: Location = {
      continentName: 'Europe',
      continentCode: 'EU',
      country: 'France',
      countryCode: 'FR',
      region: undefined,
      subregion: undefined,
      city: 'Paris',
      latitude: undefined,
      longitude: undefined,
      asn: 64_500,
      organization: 'Example Net',
      network: undefined,
    }
    const event = eventOf(answeredEntry(503, 'ext_authz_error'), { locate: () => place })
    expect(event).toMatchObject({ country: 'France', country_code: 'FR', asn: 'AS64500', city: 'Paris' })
    expect(event.tags).toEqual(expect.arrayContaining(['geo-country:france', 'geo-asn:64500']))
  })
})

describe('tags after the response (spec traffic 1.6)', () => {
  const lost = (details: string, status: number, sent: boolean): Given => ({
    ...answeredEntry(status, details),
    record: judged,
    ...(sent ? { upstream: passedEntry.upstream } : {}),
  })
  const rows: readonly (readonly [
    says: string,
    entry: Given | AccessLogEntry,
    has: readonly string[],
    hasNot: readonly string[],
  ])[] = [
    [
      'W1',
      passed(),
      ['sent-to-origin', 'status-class:2xx', 'status:200', 'upstream-status:200'],
      ['not-inspected'],
    ],
    ['W2', denied(blocked, 473), ['status:473', 'status-class:4xx'], ['sent-to-origin', 'answered-by-proxy']],
    [
      'W12 filter away, route open',
      passed({ record: undefined }),
      ['not-inspected', 'sent-to-origin', 'all'],
      ['general:filter-unreachable'],
    ],
    [
      'W14 backend down',
      lost('no_healthy_upstream', 502, false),
      ['origin-error:no_healthy_upstream', 'status:502'],
      ['sent-to-origin', 'not-inspected', 'general:other'],
    ],
    [
      'backend resets',
      lost('upstream_reset_before_response_started{connection_termination}', 502, true),
      ['origin-error:upstream_reset_before_response_started', 'sent-to-origin'],
      [],
    ],
    [
      'W15 client leaves',
      lost('downstream_remote_disconnect', 0, true),
      ['client-disconnected'],
      ['status:0'],
    ],
    [
      'a status that the client never got',
      { ...denied(blocked, 0), responseCode: 0 },
      ['client-disconnected'],
      ['status:473', 'status-class:4xx'],
    ],
    [
      'redirect of a route',
      { ...answeredEntry(301, 'direct_response'), record: judged },
      ['answered-by-proxy', 'status:301'],
      ['sent-to-origin'],
    ],
    [
      'redirect to the normalised path',
      answeredEntry(307, 'path_normalization_failed'),
      ['answered-by-proxy'],
      ['general:invalid-request', 'not-inspected'],
    ],
  ]
  test.each(rows)('%s', (_says, entry, has, hasNot) => {
    const { tags, result, blocked: isBlocked } = eventOf(entry)
    expect(tags).toEqual(expect.arrayContaining([...has]))
    expect(tags.filter((tag) => hasNot.includes(tag))).toEqual([])
    expect(tags).toEqual([...new Set(tags)].toSorted())
    expect(isBlocked).toBe(result === 'Blocked')
  })

  test('W14 has no time of the origin; W12 open says so in words', () => {
    expect(eventOf(lost('no_healthy_upstream', 502, false))).toMatchObject({
      result: 'Passed',
      reason: null,
      upstream_response_time: null,
      upstream_addr: [],
    })
    expect(eventOf(passed({ record: undefined }))).toMatchObject({
      result: 'Passed',
      source: 'envoy',
      messages: ['not inspected: filter unreachable'],
    })
  })
})
