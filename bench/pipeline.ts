// What one decision costs in process: three typical requests under the shipped policy, with 10, 1,000 and 10,000 rules of
// each kind that do not match. Prints microseconds per request and the growth over 10 rules.
//
//   node bench/pipeline.ts [--runs N]
import { readFileSync, readdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { systemClock } from '#platform'
import { type Pipeline, createPipeline } from '#pipeline'
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

const jsonOf = (bytes: number): Buffer => {
  const items: object[] = []
  while (JSON.stringify({ items }).length < bytes)
    items.push({ sku: `LAMP-${String(items.length)}`, qty: 2, note: "it's a gift for mum", price: 19.95 })
  return Buffer.from(JSON.stringify({ items }))
}
const post = (bytes: number): RequestInput =>
  input({
    method: 'POST',
    target: '/api/cart',
    headers: [...browser, ['content-type', 'application/json']],
    body: { bytes: jsonOf(bytes), partial: false },
  })

const requests: readonly (readonly [name: string, request: RequestInput, runs: number])[] = [
  ['GET', input({}), runs],
  ['POST 1 KB JSON', post(1024), runs],
  ['POST 100 KB JSON', post(102_400), Math.max(20, Math.trunc(runs / 50))],
]

const locator = await openLocator({})

async function measure(
  pipeline: Pipeline,
  request: RequestInput,
  count: number,
): Promise<{ p50: number; p99: number }> {
  const times: number[] = []
  for (let i = 0; i < count + Math.min(count, 500); i++) {
    const start = performance.now()
    await pipeline.decide({ ...request, client: `203.0.${String(i % 250)}.${String(i % 253)}` })
    if (i >= Math.min(count, 500)) times.push((performance.now() - start) * 1000)
  }
  times.sort((a, b) => a - b)
  const at = (q: number): number => times[Math.trunc(times.length * q)] ?? 0
  return { p50: at(0.5), p99: at(0.99) }
}

/** Microseconds per stage, from the milestones of one median-like run. */
async function stages(pipeline: Pipeline, request: RequestInput): Promise<string> {
  const { record } = await pipeline.decide(request)
  return record.profiling.map(({ name, us }) => `${name} ${String(us)}`).join(' · ')
}

const first = new Map<string, number>()
process.stdout.write('rules   request            p50 µs   p99 µs   growth of p50\n')
for (const n of [10, 1000, 10_000]) {
  const pipeline = compile(withRules(n))
  for (const [name, request, count] of requests) {
    const { p50, p99 } = await measure(pipeline, request, count)
    if (n === 10) first.set(name, p50)
    const growth = `${((p50 / (first.get(name) ?? p50) - 1) * 100).toFixed(0)} %`
    process.stdout.write(
      `${String(n).padEnd(8)}${name.padEnd(18)}${p50.toFixed(1).padStart(7)}${p99.toFixed(1).padStart(9)}${growth.padStart(12)}\n`,
    )
    if (n === 10) process.stdout.write(`        reached at (µs): ${await stages(pipeline, request)}\n`)
  }
}
