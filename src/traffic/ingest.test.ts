import { describe, expect, test } from '@jest/globals'
import { passedEntry } from './entry.fixture.ts'
import { fitEvent } from './event-limit.ts'
import { type EventHead, type TrafficEvent, completeEvent, eventJson } from './event.ts'
import { type IngestOptions, createIngest } from './ingest.ts'
import { isReadableEvent, readableEvent } from './readable.ts'
import { blankRecord } from './record.ts'

function collect(options: Partial<IngestOptions> = {}) {
  const events: EventHead[] = []
  const ingest = createIngest({ sinks: [(event) => events.push(event)], maxEventBytes: 131_072, ...options })
  return { events, ingest }
}

describe('ingest', () => {
  test('an entry that Envoy sends again is one event', () => {
    const { events, ingest } = collect()
    for (let i = 0; i < 3; i++) ingest.take(passedEntry)
    ingest.take({ ...passedEntry, startTime: passedEntry.startTime + 1 })
    ingest.take({ ...passedEntry, requestId: 'another' })
    expect(events).toHaveLength(3)
    expect(ingest.stats()).toEqual({ events: 3, repeats: 2, probes: 0 })
  })

  test('requests without an id are told apart', () => {
    const { events, ingest } = collect()
    const malformed = { ...passedEntry, requestId: '' }
    ingest.take(malformed)
    ingest.take({ ...malformed, peer: { address: '203.0.113.7', port: 40_001 } })
    ingest.take(malformed)
    expect(events).toHaveLength(2)
  })

  test('what is remembered is bounded', () => {
    const { events, ingest } = collect({ remembered: 10 })
    const entry = (n: number) => ({ ...passedEntry, requestId: String(n) })
    for (let n = 0; n < 30; n++) ingest.take(entry(n))
    ingest.take(entry(29))
    ingest.take(entry(0))
    expect(events).toHaveLength(31)
  })

  test('an event is one line, also for readers that know more ends of lines than JSON', () => {
    const lines: string[] = []
    const ingest = createIngest({ sinks: [(_, json) => lines.push(json)], maxEventBytes: 131_072 })
    const record = { ...blankRecord, arguments: { q: 'a\u2028b\u2029c' } }
    ingest.take({ ...passedEntry, record: JSON.stringify(record) })
    expect(lines[0]).not.toMatch(/[\u2028\u2029\n]/)
    expect((JSON.parse(lines[0] ?? '') as TrafficEvent).arguments).toEqual({ q: 'a\u2028b\u2029c' })
  })

  test.each([1e300, -1.5, Number.MAX_SAFE_INTEGER])(
    'a record from %d has a date all the same',
    (timestamp) => {
      const { events, ingest } = collect()
      ingest.take({ ...passedEntry, startTime: 0, record: JSON.stringify({ ...blankRecord, timestamp }) })
      expect(events[0]?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    },
  )

  test('the readiness probe is no traffic, but only the one that was agreed on', () => {
    const { events, ingest } = collect({ probe: 'weir-probe/1234' })
    ingest.take({ ...passedEntry, userAgent: 'weir-probe/1234' })
    ingest.take({ ...passedEntry, userAgent: 'weir-probe/1235', requestId: 'b' })
    expect(events.map(({ request_id }) => request_id)).toEqual(['b'])
    expect(ingest.stats().probes).toBe(1)
  })
})

describe('the size of an event (spec traffic 1.7)', () => {
  const big = eventJson(
    completeEvent({
      ...passedEntry,
      record: JSON.stringify({
        ...blankRecord,
        arguments: Object.fromEntries(
          Array.from({ length: 500 }, (_, i) => [`a${String(i)}`, 'x'.repeat(i)]),
        ),
        headers: { host: 'shop.example.com', 'user-agent': 'x'.repeat(200) },
        logs: ['one line'],
      }),
    }),
  )

  test('what fits stays whole', () => {
    expect(fitEvent(big, 1_048_576)).toBe(big)
  })

  test('logs go first, then the largest parameters; what tells who asked stays', () => {
    const json = fitEvent(big, 65_536)
    const event = JSON.parse(json) as TrafficEvent
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(65_536)
    expect(event).toMatchObject({ truncated: true, omitted: ['logs', 'parameters:examined'], logs: [] })
    expect(event.arguments).toHaveProperty('a1')
    expect(event.arguments).not.toHaveProperty('a499')
    expect(Object.keys(event.headers)).toEqual(['host', 'user-agent'])
    expect(event.messages.at(-1)).toContain('parameters:examined')
  })
})

describe('readable lines', () => {
  test.each([
    [
      'a blocked request',
      completeEvent({
        ...passedEntry,
        responseCode: 473,
        responseCodeDetails: 'ext_authz_denied',
        record: JSON.stringify({
          ...blankRecord,
          blocked: true,
          host: 'shop.example.com',
          path: '/search',
          query: '?q=1',
          method: 'GET',
          ip: '203.0.113.7',
          reason: 'Content filter: x',
        }),
      }).head,
      '2026-03-02 09:15:04.123 Blocked           473 GET  shop.example.com/search?q=1 203.0.113.7 100ms Content filter: x',
    ],
    [
      'a monitored one',
      {
        timestamp: '2026-03-02T09:15:04.123456Z',
        result: 'Passed',
        status: 200,
        method: 'POST',
        url: 'a/',
        query: null,
        ip: '::1',
        reason: null,
        monitor_reasons: ['ACL: a', 'ACL: b'],
        request_time: 0.0042,
      },
      '2026-03-02 09:15:04.123 Passed            200 POST a/ ::1 4.2ms monitored: ACL: a; ACL: b',
    ],
    ['next to nothing', {}, `${' '.repeat(19)}- -    - -`],
  ] as const)('%s', (_says, event, expected) => {
    expect(readableEvent(event).trim()).toBe(expected.trim())
  })

  test('what a client sent cannot write to the terminal', () => {
    const line = readableEvent({ url: 'a/\u001b[2Jx\u202e\r\n', method: 'GET' })
    expect(line).toContain('a/\ufffd[2Jx\ufffd\ufffd\ufffd')
  })
  test.each([
    ['an event', completeEvent(passedEntry).head, true],
    [
      'one of another version, with fewer fields',
      { timestamp: '2026-03-02T09:15:04Z', result: 'Passed' },
      true,
    ],
    ['an object of something else', { a: 1 }, false],
    ['a log line', { level: 'info', timestamp: '2026-03-02T09:15:04Z', msg: 'published' }, false],
    ['fields of another kind', { timestamp: 1_772_442_904, result: 'Passed' }, false],
    ['a list', [], false],
    ['nothing', null, false],
  ])('%s: is it an event', (_says, value, expected) => {
    expect(isReadableEvent(value)).toBe(expected)
  })
})
