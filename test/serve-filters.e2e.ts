// Several filter processes behind one Envoy: they share their counters in Redis, so that a limit holds once, and not once
// per process.
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type RedisServer, startRedis } from './support/redis.ts'
import { type TestWeir, editConfig, startWeir, waitFor } from './support/weir.ts'

const limit = 100

let redis: RedisServer
let weir: TestWeir
beforeAll(async () => {
  redis = await startRedis()
  weir = await startWeir({
    args: ['--filters', '2', '--redis', redis.url],
    // The machine of a test may be slow; the deadline is tested elsewhere.
    env: { WEIR_REDIS_DEADLINE: '500ms' },
    configure(folder) {
      editConfig(folder, 'rate-limit-rules', (entries) => {
        entries.push({
          id: 'shared',
          name: 'shared limit',
          active: true,
          global: true,
          timeframe: 60,
          key: [{ headers: 'x-key' }],
          thresholds: [{ limit, action: 'action-rate-limit-block' }],
        })
      })
    },
  })
})
afterAll(async () => {
  expect(await weir.stop()).toBe(0)
  await redis.stop()
})

const agent = new Agent({ keepAlive: true, maxSockets: 20 })
afterAll(() => agent.destroy())

const ask = (key: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port: weir.port, agent, headers: { host: 'localhost', 'x-key': key } },
      (answer) => {
        answer.resume()
        answer.on('end', () => resolve(answer.statusCode ?? 0))
      },
    )
    asked.once('error', reject)
    asked.end()
  })

const judgedBy = async (port: number): Promise<number> => {
  const text = await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()
  return [...text.matchAll(/^weir_decisions_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
}

describe('what three processes find in one folder', () => {
  const saying = (words: string): number => weir.log().filter(({ msg }) => msg?.includes(words)).length

  test('is warned about once', () => {
    expect(saying('"all" in force_deny')).toBe(1)
  })
  test('is refused once, and the seed of the machine is told once', async () => {
    const file = join(weir.config, 'actions.json')
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, '[{]')
    await weir.logged(({ msg }) => msg?.includes('actions.json: invalid JSON') === true)
    expect(saying('actions.json: invalid JSON')).toBe(1)
    expect(saying('use the one of this machine')).toBe(1)
    // The control plane has refused it for all: what it does not publish no filter hears of.
    const { filterMetrics } = weir.ports
    for (const port of [filterMetrics, filterMetrics + 2])
      expect(await (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()).not.toContain(
        'outcome="refused"',
      )
    writeFileSync(file, good)
  })
})

describe('two filters on one Redis', () => {
  test(`of 400 parallel requests exactly ${String(limit)} pass, and both filters had their share`, async () => {
    const statuses = await Promise.all(Array.from({ length: 400 }, () => ask('one')))
    expect(statuses.filter((status) => status === 200)).toHaveLength(limit)
    expect(statuses.filter((status) => status === 471)).toHaveLength(400 - limit)
    const { filterMetrics } = weir.ports
    const shares = await Promise.all([filterMetrics, filterMetrics + 2].map(judgedBy))
    expect(Math.min(...shares)).toBeGreaterThan(20)
  })

  test('one of them dies: the other goes on counting for both', async () => {
    process.kill(weir.pidOf('filter-2'), 'SIGKILL')
    const statuses: number[] = []
    await waitFor('the limit is reached', async () => {
      statuses.push(await ask('two'))
      return statuses.filter((status) => status === 471).length >= 10 ? true : undefined
    })
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(limit)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(limit / 2)
  })
})
