// What one decision costs in process: three typical requests under the shipped policy, with 10, 1,000 and 10,000 rules of
// each kind that do not match. Prints microseconds per request and stage, and the growth over 10 rules. Two thousand
// clients visit, and every request carries other values; `GET, new client` comes from an address never seen before.
//
//   node bench/pipeline.ts [--runs N]
import { readFileSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { systemClock } from '#platform'
import { type Decision, type Pipeline, createPipeline } from '#pipeline'
import { type RequestInput, openLocator } from '#request'
import { memoryState } from '#state'

const { values } = parseArgs({ options: { runs: { type: 'string', default: '5000' } } })
const runs = Number(values.runs)

type Documents = Record<string, Record<string, unknown>[]>

function shipped(): Documents {
  const documents: Documents = {}
  for (const file of readdirSync('config').filter((name) => name.endsWith('.json'))) {
    documents[file.slice(0, -5)] = JSON.parse(readFileSync(`config/${file}`, 'utf8')) as Record<
      string,
      unknown
    >[]
  }
  return documents
}

const numbers = (n: number): readonly string[] => Array.from({ length: n }, (_, i) => String(i))

/** Rules of every kind that this traffic never meets. */
function withRules(n: number): Documents {
  const documents = shipped()
  const add = (namespace: string, entries: Record<string, unknown>[]): void => {
    documents[namespace] = [...(documents[namespace] ?? []), ...entries]
  }
  add(
    'global-filters',
    numbers(n).map((i) => ({
      id: `bench${i}`,
      name: `bench${i}`,
      active: true,
      source: 'self-managed',
      mdate: '2026-01-02T03:04:05Z',
      tags: [`bench-${i}`],
      action: 'action-monitor',
      rule: {
        relation: 'AND',
        entries: [
          ['path', `^/never-${i}/`, ''],
          ['ip', `10.${String(Number(i) % 250)}.${String(Math.trunc(Number(i) / 250))}.0/24`, ''],
        ],
      },
    })),
  )
  add(
    'rate-limit-rules',
    numbers(n).map((i) => ({
      id: `bench${i}`,
      name: `bench${i}`,
      active: true,
      global: true,
      timeframe: 60,
      key: [{ attrs: 'ip' }],
      thresholds: [{ limit: 5, action: 'action-monitor' }],
      include: { relation: 'OR', tags: [`bench-${i}`] },
    })),
  )
  add(
    'flow-control-policies',
    numbers(n).map((i) => ({
      id: `bench${i}`,
      name: `bench${i}`,
      active: true,
      timeframe: 60,
      key: [{ attrs: 'ip' }],
      tags: ['x'],
      steps: [
        { method: 'GET', uri: `/never-${i}` },
        { method: 'POST', uri: `/never-${i}` },
      ],
    })),
  )
  add(
    'content-filter-rules',
    numbers(n).map((i) => ({
      id: `b${i}`,
      name: `b${i}`,
      category: 'bench',
      subcategory: 'bench',
      risk: 5,
      msg: 'never',
      operand: `never${i}\\s*\\(`,
    })),
  )
  const policy = documents['security-policies']?.find(({ id }) => id === '__default__')
  if (policy !== undefined) {
    const entries = numbers(n).map((i) => ({
      id: `bench${i}`,
      name: `bench${i}`,
      match: `^/never-${i}/`,
      backend_service: '__default__',
    }))
    policy['map'] = [...(policy['map'] as unknown[]), ...entries]
  }
  return documents
}

function compile(documents: Documents): Pipeline {
  const built = buildPolicy(documents, { allowLoopbackBackends: true })
  if (!built.ok) throw new Error(built.problems.slice(0, 5).map(formatProblem).join('\n'))
  return createPipeline(built.policy, {
    state: memoryState({ clock: systemClock }),
    locator,
    challenges: createChallenges(),
    onDefect: (error) => {
      throw error
    },
  })
}

const browser: RequestInput['headers'] = [
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['accept-language', 'en-GB,en;q=0.9,de;q=0.8'],
  ['accept-encoding', 'gzip, deflate, br, zstd'],
  ['sec-ch-ua', '"Chromium";v="142", "Not A(Brand";v="99"'],
  ['sec-fetch-mode', 'navigate'],
  ['sec-fetch-site', 'same-origin'],
  ['upgrade-insecure-requests', '1'],
  ['referer', 'https://www.example.com/products?category=lamps'],
  ['cookie', 'session=7f3c0c1e8f0e4b7e9d7a1f8e2a6f0b11; theme=dark; _ga=GA1.2.1234567890.1700000000'],
]

const input = (changes: Partial<RequestInput>): RequestInput => ({
  method: 'GET',
  scheme: 'https',
  authority: 'localhost',
  target: '/products/lamp?color=red&size=10&page=2',
  headers: browser,
  body: undefined,
  peer: '203.0.113.9',
  client: '203.0.113.9',
  timestamp: Date.now(),
  requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
  human: undefined,
  hints: { group: undefined, entry: undefined },
  plugins: new Map(),
  ...changes,
})

/** A cart: of 1 KB 14 items with 56 values, of 100 KB 350 with 1,400; every fourth note has an apostrophe. */
const jsonOf = (bytes: number, turn: number): Buffer => {
  const more = bytes > 10_000 ? ' and wrap it in paper with stars, please, no ribbon'.repeat(4) : ''
  const items: object[] = []
  let length = 12
  for (let i = 0; length < bytes; i++) {
    const note =
      i % 4 === 0
        ? `it's a gift for mum, no ${String(turn + i)}${more}`
        : `lamp ${String(turn + i)} in red${more}`
    const item = { sku: `LAMP-${String(turn + i)}`, qty: 2, note, price: 19.95 }
    length += JSON.stringify(item).length + 1
    items.push(item)
  }
  return Buffer.from(JSON.stringify({ items }))
}
const get = (turn: number): RequestInput =>
  input({ target: `/products/lamp-${String(turn % 500)}?color=red&size=10&page=${String(turn % 90)}` })
const post =
  (bytes: number) =>
  (turn: number): RequestInput =>
    input({
      method: 'POST',
      target: '/api/cart',
      headers: [...browser, ['content-type', 'application/json']],
      body: { bytes: jsonOf(bytes, turn), partial: false },
    })

const visitor = (turn: number): string => `203.0.${String(turn % 40)}.${String(Math.trunc(turn / 40) % 50)}`
const stranger = (turn: number): string =>
  `${String(20 + (turn % 60))}.${String((turn * 7) % 251)}.${String((turn * 13) % 241)}.${String(turn % 239)}`

type Mix = {
  readonly name: string
  readonly request: (turn: number) => RequestInput
  readonly client: (turn: number) => string
  readonly runs: number
}
const mixes: readonly Mix[] = [
  { name: 'GET', request: get, client: visitor, runs },
  { name: 'GET, new client', request: get, client: stranger, runs },
  { name: 'POST 1 KB JSON', request: post(1024), client: visitor, runs },
  {
    name: 'POST 100 KB JSON',
    request: post(102_400),
    client: visitor,
    runs: Math.max(20, Math.trunc(runs / 50)),
  },
]

const locator = await openLocator({})

type Quantiles = { readonly p50: number; readonly p99: number }

function quantiles(times: readonly number[]): Quantiles {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (q: number): number => sorted[Math.trunc(sorted.length * q)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** Microseconds from one milestone of the record to the next; what is left is the record itself. */
function addStages(stages: Map<string, number[]>, record: Decision['record']): void {
  let before = 0
  const add = (name: string, until: number): void => {
    const known = stages.get(name)
    if (known === undefined) stages.set(name, [until - before])
    else known.push(until - before)
    before = until
  }
  for (const { name, us } of record.profiling) if (name !== 'secpol') add(name, us)
  add('record', record.rbz_latency)
}

type Measured = Quantiles & { readonly stages: ReadonlyMap<string, readonly number[]> }

async function measure(pipeline: Pipeline, { request, client, runs: count }: Mix): Promise<Measured> {
  const times: number[] = []
  const stages = new Map<string, number[]>()
  const warm = Math.min(count, 1000)
  for (let i = 0; i < count + warm; i++) {
    const made = { ...request(i), client: client(i) }
    const start = performance.now()
    const { record } = await pipeline.decide(made)
    if (i < warm) continue
    times.push((performance.now() - start) * 1000)
    addStages(stages, record)
  }
  return { ...quantiles(times), stages }
}

const stageColumns = (stages: Measured['stages']): string =>
  [...stages]
    .map(([name, times]) => {
      const { p50, p99 } = quantiles(times)
      return `${name} ${String(p50)}/${String(p99)}`
    })
    .join(' · ')

const first = new Map<string, number>()
process.stdout.write('rules   request            p50 µs   p99 µs   growth of p50   stages, p50/p99 µs\n')
for (const n of [10, 1000, 10_000]) {
  const pipeline = compile(withRules(n))
  for (const mix of mixes) {
    const { p50, p99, stages } = await measure(pipeline, mix)
    if (n === 10) first.set(mix.name, p50)
    const growth = `${((p50 / (first.get(mix.name) ?? p50) - 1) * 100).toFixed(0)} %`
    process.stdout.write(
      `${String(n).padEnd(8)}${mix.name.padEnd(18)}${p50.toFixed(1).padStart(7)}${p99.toFixed(1).padStart(9)}${growth.padStart(16)}   ${stageColumns(stages)}\n`,
    )
  }
}
