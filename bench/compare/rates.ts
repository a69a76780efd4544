// What a constant rate does to a server: the latency that Weir adds at half of its saturation, what becomes of requests when
// three times as many come as it can take, and what a request costs when few come.
import { setTimeout as pause } from 'node:timers/promises'
import { settleMs } from './compare.ts'
import { figureOf } from './figures.ts'
import { closedLoop, writeRequests } from './load.ts'
import { mixes } from './mixes.ts'
import { type OpenLoop, openLoop } from './open-loop.ts'
import { cpuPerRequest, usageOf } from './processes.ts'
import type { Row } from './results.ts'
import { type Started, type Subject, withServers } from './subjects/index.ts'

export type RateOptions = {
  readonly quick: boolean
  readonly rounds: number
  readonly say: (line: string) => void
}

const mix = 'get'
const mixName = 'browser GET'

/** Requests a second in a closed loop. */
async function saturationOf({ port }: Started, seconds: number): Promise<number> {
  const requests = writeRequests(mixes[mix]?.().requests ?? [])
  try {
    await closedLoop(port, requests, { connections: 24, seconds: 3 })
    const { requests: count, seconds: took } = await closedLoop(port, requests, { connections: 24, seconds })
    return count / took
  } finally {
    requests.dispose()
  }
}

const row = (
  { id, name }: Pick<Subject, 'id' | 'name'>,
  metrics: Readonly<Record<string, readonly number[]>>,
): Row => ({
  subject: id,
  subjectName: name,
  mix,
  mixName,
  metrics: Object.fromEntries(Object.entries(metrics).map(([metric, values]) => [metric, figureOf(values)])),
})

const latencies = (runs: readonly OpenLoop[]): Readonly<Record<string, readonly number[]>> => ({
  'p50 ms': runs.map(({ p50 }) => p50),
  'p99 ms': runs.map(({ p99 }) => p99),
  'p99.9 ms': runs.map(({ p999 }) => p999),
  lost: runs.map(({ lost }) => lost),
})

/** Plain Envoy and Weir at the same rate: half of what Weir takes at most. */
export const addedLatency = ({ quick, rounds, say }: RateOptions): Promise<readonly Row[]> =>
  withServers(['envoy', 'weir'], async ([plain, weir]) => {
    if (plain === undefined || weir === undefined) return []
    const saturation = await saturationOf(weir, quick ? 3 : 10)
    const rate = Math.round(saturation / 2)
    say(`  saturation ${saturation.toFixed(0)} requests/s, measured at ${String(rate)}`)
    const seconds = quick ? 3 : 10
    const runs: { plain: OpenLoop; weir: OpenLoop }[] = []
    for (let round = 0; round < rounds; round++) {
      runs.push({
        plain: await openLoop(plain.port, rate, seconds, mix),
        weir: await openLoop(weir.port, rate, seconds, mix),
      })
      say(`  round ${String(round + 1)} of ${String(rounds)}`)
    }
    const added = (of: (run: OpenLoop) => number): readonly number[] =>
      runs.map((run) => of(run.weir) - of(run.plain))
    return [
      row(plain.subject, { 'rate/s': [rate], ...latencies(runs.map((run) => run.plain)) }),
      row(weir.subject, { 'rate/s': [rate], ...latencies(runs.map((run) => run.weir)) }),
      row(
        { id: 'added', name: 'added by Weir' },
        {
          'p50 ms': added(({ p50 }) => p50),
          'p99 ms': added(({ p99 }) => p99),
          'p99.9 ms': added(({ p999 }) => p999),
        },
      ),
    ]
  })

const memoryOf = ({ pids }: Started): number =>
  [...usageOf(pids).memory.values()].reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20

/** Goodput, latency of those admitted, and memory: before, while three times too many come, and after. */
export const overload = ({ quick, say }: RateOptions): Promise<readonly Row[]> =>
  withServers(['weir'], async ([weir]) => {
    if (weir === undefined) return []
    const saturation = await saturationOf(weir, quick ? 3 : 10)
    const seconds = quick ? 10 : 60
    const measured = async (id: string, name: string, rate: number, length: number): Promise<Row> => {
      const run = await openLoop(weir.port, Math.round(rate), length, mix)
      say(`  ${name}: ${String(run.good)} of ${String(run.sent)} answered well`)
      return row(
        { id, name },
        {
          'rate/s': [Math.round(rate)],
          'goodput/s': [run.good / length],
          'goodput of saturation': [run.good / length / saturation],
          ...latencies([run]),
          'refused %': [(100 * run.refused) / run.sent],
          'memory MiB': [memoryOf(weir)],
        },
      )
    }
    const before = await measured('before', 'half of saturation', saturation / 2, quick ? 5 : 15)
    const during = await measured('overload', `3 × saturation, ${String(seconds)} s`, saturation * 3, seconds)
    await pause(2000)
    const after = await measured('after', 'half of saturation, 2 s later', saturation / 2, quick ? 5 : 15)
    return [before, during, after]
  })

/** A fifth of what Weir takes at most on two cores, and less. */
const lowRates = [50, 200, 500]

/**
 * What a request costs by how many come. A process that sleeps has to be woken, which costs the same for one request as for
 * those that came together: the fewer come, the more of them pay it alone.
 */
export const costByRate = ({ quick, rounds, say }: RateOptions): Promise<readonly Row[]> =>
  withServers(['envoy', 'noop-lean', 'weir'], async (servers) => {
    for (const one of servers) await saturationOf(one, quick ? 3 : 10)
    const rows: Row[] = []
    for (const rate of quick ? lowRates.slice(-1) : lowRates) {
      const found = servers.map((server) => ({ server, runs: [] as Readonly<Record<string, number>>[] }))
      for (let round = 0; round < rounds; round++) {
        for (const { server, runs } of found) {
          const before = usageOf(server.pids)
          const run = await openLoop(server.port, rate, quick ? 3 : 8, mix)
          await pause(settleMs)
          runs.push(cpuPerRequest(before, usageOf(server.pids), run.good))
        }
        say(`  ${String(rate)} requests/s: round ${String(round + 1)} of ${String(rounds)}`)
      }
      for (const { server, runs } of found) {
        const metrics = Object.keys(runs[0] ?? {}).map(
          (metric) => [metric, runs.map((run) => run[metric] ?? Number.NaN)] as const,
        )
        rows.push({
          ...row(server.subject, Object.fromEntries(metrics)),
          mix: `${mix}-${String(rate)}`,
          mixName: `${mixName}, ${String(rate)}/s`,
        })
      }
    }
    return rows
  })
