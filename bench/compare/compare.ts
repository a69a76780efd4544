// Servers against each other on one machine in one run: all are started, then take turns, round after round, so that
// whatever else the machine does meets all of them.
import { once } from 'node:events'
import { type IncomingMessage, get } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { figureOf } from './figures.ts'
import { type Load, type Requests, closedLoop, writeRequests } from './load.ts'
import { type Mix, host } from './mixes.ts'
import { type Origin, startOrigin } from './origin.ts'
import { cpuPerRequest, usageOf } from './processes.ts'
import type { Row } from './results.ts'
import type { Started, Subject } from './subjects/index.ts'

export type Comparison = {
  readonly subjects: readonly Subject[]
  readonly mixes: readonly (readonly [id: string, mix: Mix])[]
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Seconds of load for each server before anything counts: what a compiler does at first, it does not do for weeks. */
  readonly warmUpSeconds: number
  readonly say: (line: string) => void
}

type Alive = Started & { readonly subject: Subject }

type Measured = { readonly load: Load; readonly metrics: Readonly<Record<string, number>> }

/** An ordinary request passes, or the server is not what it is called. */
async function checkServes({ port, subject }: Alive): Promise<void> {
  const headers = { host, accept: 'text/html', 'user-agent': 'Mozilla/5.0', 'x-forwarded-for': '203.0.113.9' }
  const sent = get({ host: '127.0.0.1', port, path: '/products/lamp?color=red', headers, agent: false })
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  if (answer.statusCode !== 200)
    throw new Error(`${subject.name} answers ${String(answer.statusCode)} to an ordinary GET`)
}

/** What a load leaves to be done, access logs above all, is done within this time and counts as well. */
export const settleMs = 1500

async function measure(
  alive: Alive,
  requests: Requests,
  seconds: number,
  connections: number,
): Promise<Measured> {
  const before = usageOf(alive.pids)
  const load = await closedLoop(alive.port, requests, { connections, seconds })
  await pause(settleMs)
  const after = usageOf(alive.pids)
  const metrics = {
    'requests/s': load.requests / load.seconds,
    'p50 ms': load.p50,
    'p99 ms': load.p99,
    'p99.9 ms': load.p999,
    'refused %': (100 * load.refused) / load.requests,
    errors: load.errors,
  }
  const memory = [...after.memory.values()].reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20
  return {
    load,
    metrics: { ...cpuPerRequest(before, after, load.requests), 'memory MiB': memory, ...metrics },
  }
}

function rowOf({ subject }: Alive, mix: string, { name }: Mix, rounds: readonly Measured[]): Row {
  const [first] = rounds
  const metrics = Object.keys(first?.metrics ?? {}).map(
    (metric) => [metric, figureOf(rounds.map((round) => round.metrics[metric] ?? Number.NaN))] as const,
  )
  return {
    subject: subject.id,
    subjectName: subject.name,
    mix,
    mixName: name,
    metrics: Object.fromEntries(metrics),
  }
}

async function takeTurns(alive: readonly Alive[], comparison: Comparison): Promise<readonly Row[]> {
  const { mixes, rounds, seconds, connections, say } = comparison
  const rows: Row[] = []
  for (const [id, mix] of mixes) {
    const requests = writeRequests(mix.requests)
    try {
      if (rows.length === 0)
        for (const { port } of alive)
          await closedLoop(port, requests, { connections, seconds: comparison.warmUpSeconds })
      const found = new Map(alive.map((one) => [one, [] as Measured[]] as const))
      // The first round of a mix warms caches up, and is not counted.
      for (let round = 0; round <= rounds; round++) {
        for (const one of alive) {
          const measured = await measure(one, requests, seconds, mix.connections ?? connections)
          if (round > 0) found.get(one)?.push(measured)
        }
        if (round > 0) say(`  ${mix.name}: round ${String(round)} of ${String(rounds)}`)
      }
      for (const [one, measured] of found) rows.push(rowOf(one, id, mix, measured))
    } finally {
      requests.dispose()
    }
  }
  return rows
}

async function startAll(origin: Origin, { subjects, say }: Comparison, alive: Alive[]): Promise<void> {
  for (const subject of subjects) {
    say(`  starts ${subject.name}`)
    alive.push({ subject, ...(await subject.start({ originPort: origin.port })) })
  }
  for (const one of alive) await checkServes(one)
}

/** Starts the servers, measures, and stops them whatever happens. */
export async function compare(comparison: Comparison): Promise<readonly Row[]> {
  const origin = await startOrigin()
  const alive: Alive[] = []
  try {
    await startAll(origin, comparison, alive)
    return await takeTurns(alive, comparison)
  } finally {
    for (const one of alive.toReversed()) await one.stop()
    await origin.stop()
  }
}
