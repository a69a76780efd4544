// What counting costs: one operation in memory, the memory of a million counters, and one exchange with a Redis on this machine
// (started for the purpose; --url takes another one, whose keys `bench:*` then fill up for a minute).
//
//   node bench/state.ts [--url redis://…] [--seconds 3]
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { manualClock, systemClock } from '#platform'
import { type RedisState, type StateOperation, memoryState, redisState } from '#state'
import { startRedis } from '../test/support/redis.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    counters: { type: 'string' },
  },
})

/** A key as rate limit rules make them. */
const key = (i: number): string =>
  `limit:login-per-address:12:10.${String((i >> 16) & 255)}.${String((i >> 8) & 255)}.${String(i & 255)}`

type Make = (i: number) => StateOperation

const kinds: readonly (readonly [string, Make])[] = [
  ['count', (i) => ({ kind: 'count', key: key(i), windowMs: 60_000 })],
  [
    'count, ban mode',
    (i) => ({ kind: 'count', key: key(i), windowMs: 60_000, ban: { above: 1e9, forMs: 60_000 } }),
  ],
  ['distinct', (i) => ({ kind: 'distinct', key: key(i), value: String(i % 3), windowMs: 60_000 })],
  ['banned', (i) => ({ kind: 'banned', key: key(i) })],
  ['sequence', (i) => ({ kind: 'sequence', key: key(i), matched: [0], steps: 3, windowMs: 60_000 })],
  ['bucket', (i) => ({ kind: 'bucket', key: key(i), ratePerSecond: 100, burst: 20 })],
]

/** Nanoseconds per exchange of one operation; what building the operation costs is taken off. */
function memoryCost(make: Make, keys: number): number {
  const state = memoryState({ clock: systemClock })
  const rounds = 300_000
  let sink = 0
  const measure = (use: (operation: StateOperation) => void): number => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < rounds; i++) use(make(i % keys))
    return Number(process.hrtime.bigint() - start) / rounds
  }
  const exchange = (operation: StateOperation): void => {
    sink += state.exchange([operation]).answers.length
  }
  measure(exchange)
  const whole = measure(exchange)
  const building = measure((operation) => {
    sink += operation.key.length
  })
  if (sink === 0) throw new Error('nothing was measured')
  return whole - building
}

/** Runs in a child with --expose-gc: fills the state and reports what it holds on to. */
function fill(counters: number): void {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('start with --expose-gc')
  gc()
  const before = process.memoryUsage()
  const clock = manualClock(Date.now())
  const state = memoryState({ clock })
  const start = performance.now()
  let slowest = 0
  for (let i = 0; i < counters; i++) {
    const from = performance.now()
    state.exchange([{ kind: 'count', key: key(i), windowMs: 60_000 + (i % 3_540_000) }])
    slowest = Math.max(slowest, performance.now() - from)
  }
  const seconds = (performance.now() - start) / 1000
  const peak = process.memoryUsage().rss
  gc()
  const after = process.memoryUsage()
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  const held = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers
  console.log(
    `${String(state.stats().keys)} live counters: ${mb(held)} held, resident ${mb(after.rss - before.rss)} more`,
  )
  console.log(
    `(peak of the whole process ${mb(peak)}); filled in ${seconds.toFixed(1)} s, slowest exchange ${slowest.toFixed(1)} ms`,
  )
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(3).padStart(8)

/** As many exchanges as `parallel` callers get through, each waiting for its answer. */
async function redisCost(
  state: RedisState,
  parallel: number,
  operations: number,
  seconds: number,
): Promise<string> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  let local = 0
  const caller = async (n: number): Promise<void> => {
    for (let i = n; performance.now() < end; i += parallel) {
      const asked = Array.from({ length: operations }, (_, j): StateOperation => ({
        kind: 'count',
        key: `${key(i % 10_000)}:${String(j)}`,
        windowMs: 60_000,
      }))
      const start = performance.now()
      const exchange = await state.exchange(asked)
      times.push(performance.now() - start)
      if (exchange.local) local++
    }
  }
  await Promise.all(Array.from({ length: parallel }, (_, n) => caller(n)))
  const sorted = times.toSorted((a, b) => a - b)
  const rate = (times.length / seconds).toFixed(0).padStart(8)
  return `${String(parallel).padStart(8)} ${String(operations).padStart(10)} ${rate} ${at(sorted, 0.5)} ${at(sorted, 0.99)} ${String(local).padStart(6)}`
}

async function main(): Promise<void> {
  console.log('memory, nanoseconds per operation (10,000 keys | 200,000 keys)')
  for (const [name, make] of kinds) {
    const costs = [10_000, 200_000].map((keys) => memoryCost(make, keys).toFixed(0).padStart(8))
    console.log(`  ${name.padEnd(16)} ${costs.join(' | ')}`)
  }
  console.log('\nmemory, one million counters')
  const args = ['--expose-gc', new URL(import.meta.url).pathname, '--counters', '1000000']
  console.log(execFileSync(process.execPath, args, { encoding: 'utf8' }).replace(/^/gm, '  '))

  const server = values.url === undefined ? await startRedis() : undefined
  const url = values.url ?? server?.url ?? ''
  const quiet = { info: () => undefined, warn: () => undefined }
  const local = memoryState({ clock: systemClock })
  const state = redisState({ url, clock: systemClock, log: quiet, local, prefix: 'bench:', deadlineMs: 1000 })
  if (!(await state.ready(5000))) throw new Error(`no Redis at ${url}`)
  console.log(
    'Redis on this machine, milliseconds per exchange\nparallel operations  per sec      p50      p99  local',
  )
  const seconds = Number(values.seconds)
  for (const [parallel, operations] of [
    [1, 1],
    [1, 3],
    [1, 10],
    [32, 1],
    [32, 3],
  ] as const)
    console.log(await redisCost(state, parallel, operations, seconds))
  await state.close()
  await server?.stop()
}

if (values.counters === undefined) await main()
else fill(Number(values.counters))
