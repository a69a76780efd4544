// The shared state on real Redis servers: the contract on one and on a cluster of three masters, agreement with the state in
// memory on random operations, exact counts across processes, and what happens to requests while Redis is gone, stands still or is slow.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { systemClock } from '#platform'
import {
  type Exchange,
  type RedisState,
  type RedisStateOptions,
  type StateOperation,
  memoryState,
  redisState,
} from '#state'
import { stateContract } from '../src/state/contract.ts'
import {
  type RedisCluster,
  type RedisServer,
  type SlowProxy,
  slotShares,
  startRedis,
  startRedisCluster,
  startSlowProxy,
} from './support/redis.ts'

const deadlineMs = 200
/** What timers, the scheduler and a busy test machine may add to the deadline. */
const slackMs = 2000

/** Long enough for a busy test machine where a test is not about the deadline. */
const patientMs = 10_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

type Line = { readonly level: 'info' | 'warn'; readonly message: string; readonly node: unknown }

function open(url: string, more: Partial<RedisStateOptions> = {}) {
  const lines: Line[] = []
  const write = (level: Line['level']) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    lines.push({ level, message, node: fields['node'] })
  }
  const local = memoryState({ clock: systemClock })
  const log = { info: write('info'), warn: write('warn') }
  const state = redisState({ url, clock: systemClock, log, local, ...more })
  return { state, lines }
}

async function openReady(url: string, more: Partial<RedisStateOptions> = {}) {
  const opened = open(url, more)
  expect(await opened.state.ready(60_000)).toBe(true)
  return opened
}

let single: RedisServer
let cluster: RedisCluster
beforeAll(async () => {
  single = await startRedis()
  cluster = await startRedisCluster()
})
afterAll(async () => {
  await single.stop()
  await cluster.stop()
})

const stores = [
  ['one Redis', () => single.url],
  ['a cluster of three masters', () => cluster.url],
] as const

for (const [name, url] of stores) {
  stateContract(name, async () => {
    const { state } = await openReady(url(), { deadlineMs: patientMs })
    return { state, wait: (ms) => pause(ms + 5) }
  })
}

/** A pseudo-random sequence that a seed decides, so that a failure can be repeated. */
function randomFrom(seed: number): (n: number) => number {
  let x = seed
  return (n) => {
    x = (Math.imul(x, 1_103_515_245) + 12_345) & 0x7fffffff
    return (x >>> 8) % n
  }
}

function randomOperation(random: (n: number) => number, prefix: string): StateOperation {
  const key = `${prefix}:${String(random(12))}`
  const windowMs = 600_000
  const ban = random(3) === 0 ? { ban: { above: random(6), forMs: 600_000 } } : {}
  switch (random(5)) {
    case 0:
      return { kind: 'count', key, windowMs, ...ban }
    case 1:
      return { kind: 'distinct', key, windowMs, value: String(random(8)), ...ban }
    case 2:
      return { kind: 'banned', key }
    case 3: {
      const matched = [0, 1, 2, 3].filter(() => random(2) === 0)
      return { kind: 'sequence', key, windowMs, matched, steps: 4 }
    }
    default:
      // One in 10^6 s leaks away: time plays no part.
      return { kind: 'bucket', key, ratePerSecond: 1e-6, burst: random(4) }
  }
}

describe.each(stores)('%s agrees with memory', (_, url) => {
  test.each([1, 2, 3, 4, 5])('on random exchanges, seed %i', async (seed) => {
    const { state } = await openReady(url(), { deadlineMs: patientMs })
    const memory = memoryState({ clock: systemClock })
    const random = randomFrom(seed)
    const seen = new Set<number>()
    for (let i = 0; i < 60; i++) {
      const operations = Array.from({ length: 1 + random(8) }, () =>
        randomOperation(random, `random-${String(seed)}`),
      )
      const expected = memory.exchange(operations)
      expect(await state.exchange(operations)).toEqual(expected)
      for (const answer of expected.answers) seen.add(answer)
    }
    await state.close()
    // The sequence reached bans, counts and completed sequences, or it would show nothing.
    expect([...seen]).toEqual(expect.arrayContaining([-1, 0, 1, 2, 3]))
  })
})

describe('one Redis', () => {
  test('a window is not prolonged by a client that counts on, and every key ends by itself', async () => {
    const { state } = await openReady(single.url, { prefix: 'ttl:', deadlineMs: patientMs })
    await state.exchange([
      { kind: 'count', key: 'k', windowMs: 60_000, ban: { above: 0, forMs: 30_000 } },
      { kind: 'distinct', key: 'd', value: 'v', windowMs: 60_000 },
      { kind: 'sequence', key: 's', matched: [0], steps: 2, windowMs: 60_000 },
      { kind: 'bucket', key: 'b', ratePerSecond: 1, burst: 59 },
    ])
    const rows: readonly (readonly [string, number])[] = [
      ['ttl:{k}:count', 60_000],
      ['ttl:{k}:ban', 30_000],
      ['ttl:{d}:distinct', 60_000],
      ['ttl:{s}:sequence', 60_000],
      ['ttl:{b}:bucket', 1000],
    ]
    for (const [key, most] of rows) {
      const left = Number(/:(-?\d+)/.exec(await single.command(`PTTL ${key}`))?.[1])
      expect(left).toBeGreaterThan(0)
      expect(left).toBeLessThanOrEqual(most)
    }
    await state.close()
  })
  test('a set stops growing at its bound', async () => {
    const { state } = await openReady(single.url, { prefix: 'full:', deadlineMs: patientMs })
    const fill = "for i = 1, 99999 do redis.call('SADD', KEYS[1], i) end"
    await single.command(`EVAL "${fill}" 1 full:{d}:distinct`)
    const add = (value: string) => ({ kind: 'distinct', key: 'd', value, windowMs: 60_000 }) as const
    const { answers } = await state.exchange([add('a'), add('b'), add('c')])
    expect(answers).toEqual([100_000, 100_000, 100_000])
    await state.close()
  })
  test('scripts that the server forgot are sent again within the same exchange', async () => {
    const { state } = await openReady(single.url, { deadlineMs: patientMs })
    const event = { kind: 'count', key: 'flushed', windowMs: 60_000 } as const
    await state.exchange([event])
    await single.command('SCRIPT FLUSH')
    expect(await state.exchange([event, { kind: 'banned', key: 'flushed' }, event])).toEqual({
      answers: [2, 0, 3],
      local: false,
    })
    await state.close()
  })
  test('a password is used; a wrong one is counted locally and named in the log', async () => {
    const locked = await startRedis()
    await locked.command('CONFIG SET requirepass s@cret')
    const right = await openReady(locked.url.replace('//', '//:s%40cret@'), { deadlineMs: patientMs })
    const event = { kind: 'count', key: 'k', windowMs: 60_000 } as const
    expect(await right.state.exchange([event])).toEqual({ answers: [1], local: false })
    const wrong = open(locked.url.replace('//', '//:wrong@'))
    expect(await wrong.state.ready(300)).toBe(false)
    expect(await wrong.state.exchange([event])).toEqual({ answers: [1], local: true })
    expect(wrong.lines).toHaveLength(1)
    expect(wrong.state.stats().links[0]?.reason).toMatch(/WRONGPASS|NOAUTH/)
    await right.state.close()
    await wrong.state.close()
    await locked.stop()
  })
  test('a server that refuses to write is as good as away', async () => {
    const server = await startRedis()
    const { state } = await openReady(server.url, { probeMs: 20 })
    await server.command('CONFIG SET min-replicas-to-write 1')
    const event = { kind: 'count', key: 'k', windowMs: 60_000 } as const
    for (let i = 1; i <= 5; i++) expect(await state.exchange([event])).toEqual({ answers: [i], local: true })
    expect(state.stats().links[0]).toMatchObject({ up: false, takeovers: 1 })
    expect(state.stats().links[0]?.reason).toContain('NOREPLICAS')
    await server.command('CONFIG SET min-replicas-to-write 0')
    expect(await state.ready(60_000)).toBe(true)
    expect(await state.exchange([event])).toEqual({ answers: [1], local: false })
    await state.close()
    await server.stop()
  })
  test('braces in the prefix are refused', () => {
    expect(() => open(single.url, { prefix: 'a{b}:' })).toThrow('braces')
  })
})

/** Runs `requests` parallel exchanges in a process of its own; how many answers were at most the limit. */
async function countInProcess(
  url: string,
  requests: number,
): Promise<{ child: ChildProcess; go(): Promise<readonly number[]> }> {
  const child = fork(new URL('./support/state-process.ts', import.meta.url), [url, String(requests)], {
    execArgv: [],
  })
  const [ready] = (await once(child, 'message')) as [unknown]
  expect(ready).toBe('ready')
  return {
    child,
    async go() {
      const answered = once(child, 'message')
      child.send('go')
      const [answers] = (await answered) as [readonly number[]]
      await once(child, 'exit')
      return answers
    },
  }
}

describe.each(stores)('%s counts across processes', (_, url) => {
  test('limit 100, 400 parallel requests from two processes: exactly 100 pass', async () => {
    const processes = await Promise.all([countInProcess(url(), 200), countInProcess(url(), 200)])
    const answers = (await Promise.all(processes.map(({ go }) => go()))).flat()
    expect(answers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i + 1))
    expect(answers.filter((count) => count <= 100)).toHaveLength(100)
  })
})

/** One count; how long it took. */
async function timed(state: RedisState, key: string): Promise<Exchange & { readonly ms: number }> {
  const start = performance.now()
  const exchange = await state.exchange([{ kind: 'count', key, windowMs: 600_000 }])
  return { ...exchange, ms: performance.now() - start }
}

/** Exchanges, one after the other, until Redis answers again; fails after a minute. */
async function untilShared(state: RedisState, key: string): Promise<void> {
  const end = performance.now() + 60_000
  while (performance.now() < end) {
    if (!(await timed(state, key)).local) return
    await pause(20)
  }
  throw new Error('still counting locally after a minute')
}

describe('while Redis is away', () => {
  let server: RedisServer
  let proxy: SlowProxy
  let state: RedisState
  let lines: readonly Line[]
  beforeEach(async () => {
    server = await startRedis()
    proxy = await startSlowProxy(server.port)
    ;({ state, lines } = await openReady(`redis://127.0.0.1:${String(proxy.port)}`, {
      deadlineMs,
      probeMs: 20,
    }))
  })
  afterEach(async () => {
    server.resume()
    await state.close()
    await proxy.stop()
    await server.stop()
  })

  const troubles: readonly (readonly [string, { begin(): unknown; end(): unknown }])[] = [
    ['stopped', { begin: () => server.kill(), end: () => server.start() }],
    ['paused', { begin: () => server.pause(), end: () => server.resume() }],
    ['slow', { begin: () => proxy.delay(4 * deadlineMs), end: () => proxy.delay(0) }],
  ]
  test.each(troubles)(
    '%s: local counters take over within the deadline, cost nothing afterwards, and give back',
    async (_, { begin, end }) => {
      expect(await timed(state, 'k')).toMatchObject({ answers: [1], local: false })
      await begin()

      const during: (Exchange & { readonly ms: number })[] = []
      for (let i = 0; i < 50; i++) during.push(await timed(state, 'k'))
      expect(during.map(({ local }) => local)).toEqual(during.map(() => true))
      // Local counters begin at 0 and count every request.
      expect(during.map(({ answers }) => answers[0])).toEqual(during.map((_, i) => i + 1))
      for (const { ms } of during) expect(ms).toBeLessThan(deadlineMs + slackMs)
      // At most three requests wait for the deadline; the others do not even become promises.
      const afterwards = during.slice(3).map(({ ms }) => ms)
      expect(afterwards.toSorted((a, b) => a - b)[Math.floor(afterwards.length / 2)]).toBeLessThan(1)
      expect(state.exchange([{ kind: 'banned', key: 'k' }])).not.toBeInstanceOf(Promise)

      await end()
      await untilShared(state, 'k')
      const { takeovers, returns } = state.stats().links[0] ?? {}
      expect({ takeovers, returns }).toEqual({ takeovers: 1, returns: 1 })
      expect(lines.map(({ level }) => level)).toEqual(['info', 'warn', 'info'])
    },
  )
  test('parallel requests in flight when it stands still all end within the deadline', async () => {
    server.pause()
    const all = Array.from({ length: 500 }, (_, i) => timed(state, `p-${String(i)}`))
    // A plain timer set after them all shows what the machine makes of the deadline while it does this.
    const start = performance.now()
    const plain = await pause(deadlineMs).then(() => performance.now() - start)
    for (const { local, ms } of await Promise.all(all)) {
      expect(local).toBe(true)
      expect(ms).toBeLessThan(plain + slackMs)
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(state.stats()).toMatchObject({ deadlines: 500, localExchanges: 500 })
  })
  test('answers that come after the deadline are ignored', async () => {
    proxy.delay(2 * deadlineMs)
    expect(await timed(state, 'late')).toMatchObject({ answers: [1], local: true })
    proxy.delay(0)
    await pause(4 * deadlineMs)
    // Redis did count the first one, the caller got the local answer, and this is simply the next.
    expect(await timed(state, 'late')).toMatchObject({ answers: [2], local: false })
  })
  test('what a request has waited before is taken off, and a node is not blamed for the rest', async () => {
    const count = [{ kind: 'count', key: 'k', windowMs: 600_000 }] as const
    expect(state.exchange(count, deadlineMs)).toEqual({ answers: [1], local: true })
    proxy.delay(4 * deadlineMs)
    for (let i = 2; i < 8; i++)
      expect(await state.exchange(count, deadlineMs - 5)).toEqual({ answers: [i], local: true })
    expect(state.stats().links[0]).toMatchObject({ up: true, takeovers: 0 })
  })
  test('one slow answer does not take the store away', async () => {
    proxy.delay(2 * deadlineMs)
    await timed(state, 'k')
    proxy.delay(0)
    await pause(4 * deadlineMs)
    expect(await timed(state, 'k')).toMatchObject({ local: false })
    expect(state.stats().links[0]).toMatchObject({ up: true, takeovers: 0 })
  })
  test('a filter that starts without Redis counts locally and finds it later', async () => {
    await server.kill()
    const early = open(server.url, { deadlineMs, probeMs: 20 })
    expect(await early.state.ready(100)).toBe(false)
    expect(await timed(early.state, 'k')).toMatchObject({ answers: [1], local: true })
    await server.start()
    expect(await early.state.ready(60_000)).toBe(true)
    expect(await timed(early.state, 'k')).toMatchObject({ answers: [1], local: false })
    expect(early.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
    await early.state.close()
  })
  test('a connection that leads nowhere is replaced', async () => {
    await timed(state, 'k')
    proxy.stall()
    const start = performance.now()
    expect(await timed(state, 'k')).toMatchObject({ local: true })
    await untilShared(state, 'k')
    // A second of silence, and the probes of the new connection.
    expect(performance.now() - start).toBeLessThan(20_000)
    expect(state.stats().links[0]).toMatchObject({ takeovers: 1, returns: 1 })
  })
  test('closed, it still answers', async () => {
    await state.close()
    expect(await timed(state, 'k')).toMatchObject({ answers: [1], local: true })
  })
})

describe('a cluster that loses a master', () => {
  let own: RedisCluster
  beforeAll(async () => {
    own = await startRedisCluster()
  })
  afterAll(() => own.stop())

  test('only its keys are counted locally; it returns by itself', async () => {
    // Without this the other two refuse as well: whether they do is the operator's choice.
    for (const master of own.masters) await master.command('CONFIG SET cluster-require-full-coverage no')
    const { state, lines } = await openReady(own.url, { deadlineMs, probeMs: 20 })
    const keys = Array.from({ length: 30 }, (_, i) => `key-${String(i)}`)
    const all = (): Promise<readonly (Exchange & { readonly ms: number })[]> =>
      Promise.all(keys.map((key) => timed(state, key)))
    for (let i = 0; i < 3; i++) expect((await all()).map(({ local }) => local)).toEqual(keys.map(() => false))

    const [victim] = own.masters
    await victim?.kill()
    const during = [...(await all()), ...(await all()), ...(await all())]
    for (const { ms } of during) expect(ms).toBeLessThan(deadlineMs + slackMs)
    const local = new Set(keys.filter((_, i) => during[i]?.local))
    expect(local.size).toBeGreaterThan(0)
    expect(local.size).toBeLessThan(keys.length)
    // Local counters begin at 0, the others go on.
    expect((await all()).map(({ answers }) => answers[0])).toEqual(
      keys.map((key) => (local.has(key) ? 4 : 7)),
    )
    // An exchange over all masters has both kinds of answers, in order, and says so.
    const mixed = await state.exchange(keys.map((key) => ({ kind: 'count', key, windowMs: 600_000 })))
    expect(mixed).toEqual({ answers: keys.map((key) => (local.has(key) ? 5 : 8)), local: true })
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1)

    await victim?.start()
    expect(await state.ready(60_000)).toBe(true)
    expect((await all()).map((exchange) => exchange.local)).toEqual(keys.map(() => false))
    await state.close()
  })

  test('a replica that takes over is found', async () => {
    const failing = await startRedisCluster()
    const [victim] = failing.masters
    if (victim === undefined) throw new Error('no masters')
    await failing.addReplica(victim)
    const { state } = await openReady(failing.url, { deadlineMs, probeMs: 20 })
    await victim.kill()
    const keys = Array.from({ length: 30 }, (_, i) => `key-${String(i)}`)
    const all = () => Promise.all(keys.map((key) => timed(state, key)))
    await all()
    expect(await state.ready(60_000)).toBe(true)
    expect((await all()).map(({ local }) => local)).toEqual(keys.map(() => false))
    await state.close()
    await failing.stop()
  })

  test('slots that move are followed', async () => {
    const { state } = await openReady(own.url, { deadlineMs: patientMs })
    const ids = await Promise.all(
      own.masters.map(async (master) => /\n([0-9a-f]{40})/.exec(await master.command('CLUSTER MYID'))?.[1]),
    )
    const key = 'moves'
    const reply = (await own.masters[0]?.command(`CLUSTER KEYSLOT weir:{${key}}:count`)) ?? ''
    const slot = Number(/:(\d+)/.exec(reply)?.[1])
    const owner = own.masters[slotShares.findLastIndex((first) => first <= slot)]
    const next = own.masters.findIndex((master) => master !== owner)
    expect(await timed(state, key)).toMatchObject({ answers: [1], local: false })
    await owner?.command(`DEL weir:{${key}}:count`)
    for (const master of own.masters)
      await master.command(`CLUSTER SETSLOT ${String(slot)} NODE ${String(ids[next])}`)
    expect(await timed(state, key)).toMatchObject({ answers: [1], local: false })
    expect(await timed(state, key)).toMatchObject({ answers: [2], local: false })
    await state.close()
  })
})
