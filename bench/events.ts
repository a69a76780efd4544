// What an event costs the control plane: from the bytes of an access log entry to the line of the journal, step by step.
// `node bench/events.ts` prints microseconds, the best of 30 rounds, because whatever else runs on the machine only adds.
import { readFileSync, readdirSync } from 'node:fs'
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { systemClock } from '#platform'
import { createPipeline } from '#pipeline'
import { openLocator } from '#request'
import { memoryState } from '#state'
import { logEntry, logEntryBytes } from '../src/envoy/access-log.fixture.ts'
import { decodeHttpEntry } from '../src/envoy/http-log-entry.ts'
import { fitEvent } from '../src/traffic/event-limit.ts'
import { completeEvent, eventJson } from '../src/traffic/event.ts'
import { createIngest } from '../src/traffic/ingest.ts'
import { readRecord, splitText } from '../src/traffic/record.ts'

const rounds = 30
const calls = 2000

function best(run: (n: number) => unknown): number {
  let least = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (let call = 0; call < calls; call++) run(call)
    least = Math.min(least, ((performance.now() - start) / calls) * 1000)
  }
  return least
}

const print = (name: string, run: (n: number) => unknown): void =>
  void process.stdout.write(`${best(run).toFixed(1).padStart(8)} µs  ${name}\n`)

function shippedPolicy(): ReturnType<typeof buildPolicy> {
  const documents = Object.fromEntries(
    readdirSync('config')
      .filter((name) => name.endsWith('.json'))
      .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(`config/${name}`, 'utf8')) as object[]]),
  )
  return buildPolicy(documents, { allowLoopbackBackends: true })
}

/** A record as the filter writes it for a browser's GET. */
async function recordOfGet(): Promise<string> {
  const built = shippedPolicy()
  if (!built.ok) throw new Error(built.problems.slice(0, 5).map(formatProblem).join('\n'))
  const pipeline = createPipeline(built.policy, {
    state: memoryState({ clock: systemClock }),
    locator: await openLocator({}),
    challenges: createChallenges(),
    onDefect: (error) => {
      throw error
    },
  })
  const { record } = await pipeline.decide({
    method: 'GET',
    scheme: 'https',
    authority: 'localhost',
    target: '/products/lamp?color=red&size=10&page=2',
    headers: [
      ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36'],
      ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
      ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
      ['accept-encoding', 'gzip, deflate, br, zstd'],
      ['referer', 'https://www.example.com/products?category=lamps'],
      ['cookie', 'session=7f3c0c1e8f0e4b7e9d7a1f8e2a6f0b11; theme=dark; _ga=GA1.2.1234567890.1700000000'],
    ],
    body: undefined,
    peer: '203.0.113.9',
    client: '203.0.113.9',
    timestamp: Date.now(),
    requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
    human: undefined,
    hints: { group: undefined, entry: undefined },
    plugins: new Map(),
  })
  return JSON.stringify(record)
}

const json = await recordOfGet()
const common = {
  ...(logEntry['common_properties'] as object),
  metadata: {
    filter_metadata: { 'envoy.filters.http.ext_authz': { fields: { weir: { stringValue: json } } } },
  },
}
const bytes = logEntryBytes({ ...logEntry, common_properties: common })
const entry = decodeHttpEntry(bytes, 'envoy-0', 'weir')
if (entry === undefined) throw new Error('the entry is none')
if (splitText(json) === undefined) throw new Error('the record is parsed whole')
const event = completeEvent(entry)
const ingest = createIngest({ sinks: [() => undefined], maxEventBytes: 131_072 })

process.stdout.write(`entry of ${String(bytes.length)} bytes, record of ${String(json.length)}\n`)
print('JSON.parse of the record, for comparison', () => JSON.parse(json) as unknown)
print('the entry read', () => decodeHttpEntry(bytes, 'envoy-0', 'weir'))
print('the record read', () => readRecord(json))
print('the event completed, its record read', () => completeEvent(entry))
print('its JSON', () => fitEvent(eventJson(event), 131_072))
let turn = 0
print('all of it', () => {
  const one = decodeHttpEntry(bytes, 'envoy-0', 'weir')
  // Every request is another one, else it would be left out as a repeat.
  if (one !== undefined) ingest.take({ ...one, startTime: one.startTime + ++turn })
})
