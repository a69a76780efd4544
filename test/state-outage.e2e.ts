// What a visitor notices when Redis is away, through a real Envoy and a real filter: nothing, but for one deadline at most.
// The operator is told in three ways: events carry `state:local`, the log says so once, a metric says so until Redis is back.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { send } from './support/http.ts'
import { type RedisServer, type SlowProxy, startRedis, startSlowProxy } from './support/redis.ts'
import { type LogLine, type TestWeir, editConfig, startWeir, waitFor } from './support/weir.ts'

/** Long enough to tell one deadline from three, whatever a busy test machine adds. */
const deadlineMs = 2000
/** What Envoy, the filter, the shop and a busy machine may take. */
const slackMs = 1900
const rulesOfAKind = 50

const limit = (n: number, global: boolean): object => ({
  id: `${global ? 'global' : 'path'}-${String(n)}`,
  name: `${global ? 'global' : 'path'} ${String(n)}`,
  global,
  timeframe: 600,
  key: [{ attrs: 'ip' }, { headers: `x-key-${String(n)}` }],
  // Every other rule counts different values, in a set.
  ...(n % 2 === 0 ? {} : { pairwith: { attrs: 'path' } }),
  thresholds: [{ limit: 1000, action: 'action-rate-limit-block' }],
})

const flow = (n: number): object => ({
  id: `flow-${String(n)}`,
  name: `flow ${String(n)}`,
  active: true,
  timeframe: 600,
  key: [{ attrs: 'ip' }],
  steps: [
    { method: 'GET', uri: '/' },
    { method: 'GET', uri: `/next-${String(n)}` },
  ],
  tags: [`flow-${String(n)}`],
})

const numbers = Array.from({ length: rulesOfAKind }, (_, n) => n)

/** Fifty sequences, fifty limits of every site and fifty of the path. */
function manyRules(folder: string): void {
  editConfig(folder, 'flow-control-policies', (entries) => {
    entries.push(...numbers.map(flow))
  })
  editConfig(folder, 'rate-limit-rules', (entries) => {
    entries.push(...numbers.map((n) => limit(n, true)), ...numbers.map((n) => limit(n, false)))
  })
  editConfig(folder, 'security-policies', (entries) => {
    for (const { map } of entries as { map: { rate_limit_rules: string[] }[] }[])
      for (const entry of map) entry.rate_limit_rules.push(...numbers.map((n) => `path-${String(n)}`))
  })
}

let redis: RedisServer
let proxy: SlowProxy
let weir: TestWeir
beforeAll(async () => {
  redis = await startRedis()
  proxy = await startSlowProxy(redis.port)
  weir = await startWeir({
    args: ['--redis', `redis://127.0.0.1:${String(proxy.port)}`],
    env: { WEIR_REDIS_DEADLINE: `${String(deadlineMs)}ms`, WEIR_ENVOY_FILTER_TIMEOUT: '10s' },
    configure: manyRules,
  })
})
afterAll(async () => {
  redis.resume()
  await weir.stop()
  await proxy.stop()
  await redis.stop()
})

const keys = numbers.map((n) => [`x-key-${String(n)}`, 'v'] as const)

/** One request that concerns all rules. */
async function ask(): Promise<{
  readonly status: number
  readonly ms: number
  readonly tags: readonly string[]
}> {
  const start = performance.now()
  const { status, headers } = await send({ port: weir.port, host: 'localhost', headers: keys })
  const ms = performance.now() - start
  const { tags } = await weir.event(String(headers['x-request-id']))
  return { status, ms, tags }
}

/** A figure of the filter, summed over its labels. */
async function metric(name: string): Promise<number> {
  const { filterMetrics } = weir.ports
  const text = await (await fetch(`http://127.0.0.1:${String(filterMetrics)}/metrics`)).text()
  const values = text.split('\n').filter((line) => line.startsWith(`${name}{`))
  expect(values).not.toEqual([])
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

const said =
  (words: string) =>
  ({ msg }: LogLine): boolean =>
    msg?.includes(words) === true
const tookOver = said('counting locally')
const cameBack = said('Redis is back')

describe('at most three exchanges a request', () => {
  test(`${String(rulesOfAKind)} rules of every kind make three round trips`, async () => {
    // The first request teaches Redis the scripts.
    expect((await ask()).status).toBe(200)
    const trips = proxy.roundTrips()
    const exchanges = await metric('weir_state_exchanges_total')
    expect(await ask()).toMatchObject({ status: 200, tags: expect.not.arrayContaining(['state:local']) })
    expect(proxy.roundTrips() - trips).toBe(3)
    expect((await metric('weir_state_exchanges_total')) - exchanges).toBe(3)
  })
})

describe('while Redis is away', () => {
  const troubles: readonly (readonly [string, { begin(): unknown; end(): unknown }])[] = [
    ['stopped', { begin: () => redis.kill(), end: () => redis.start() }],
    ['standing still', { begin: () => redis.pause(), end: () => redis.resume() }],
    ['slow', { begin: () => proxy.delay(2 * deadlineMs), end: () => proxy.delay(0) }],
  ]
  test.each(troubles)(
    '%s: requests go on, events and log and metrics say so, and it returns by itself',
    async (_, { begin, end }) => {
      expect(await metric('weir_state_up')).toBe(1)
      const before = weir.log().length
      const takeovers = await metric('weir_state_takeovers_total')
      const local = await metric('weir_state_local_exchanges_total')
      await begin()

      for (let i = 0; i < 8; i++) {
        const { status, ms, tags } = await ask()
        expect({ status, local: tags.includes('state:local') }).toEqual({ status: 200, local: true })
        // One deadline, although the request has three exchanges.
        expect(ms).toBeLessThan(deadlineMs + slackMs)
      }
      expect(await metric('weir_state_up')).toBe(0)
      expect(await metric('weir_state_takeovers_total')).toBe(takeovers + 1)
      expect((await metric('weir_state_local_exchanges_total')) - local).toBe(24)
      await weir.logged(tookOver, before)
      expect(weir.log().slice(before).filter(tookOver)).toHaveLength(1)

      await end()
      await waitFor('Redis counts again', async () =>
        (await metric('weir_state_up')) === 1 ? true : undefined,
      )
      expect(await ask()).toMatchObject({ status: 200, tags: expect.not.arrayContaining(['state:local']) })
      await weir.logged(cameBack, before)
      expect(weir.log().slice(before).filter(cameBack)).toHaveLength(1)
    },
  )
})
