// What a request leaves behind: commands and bytes to Redis, bytes of its event. Counted, not timed, so that the figures
// are the same on any machine; docs/scaling.md reckons with them.
import { statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { figureOf } from './figures.ts'
import { mixes } from './mixes.ts'
import { type OpenLoop, openLoop } from './open-loop.ts'
import type { Row } from './results.ts'
import { type Alive, withServers } from './subjects/index.ts'

type Counts = Readonly<Record<string, number>>

/** Reads numbers of INFO, which counts its own command as well. */
async function redisCounts(redis: Redis): Promise<Counts> {
  const text = await redis.info('stats')
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN)
  return {
    'redis commands': read('total_commands_processed'),
    'redis bytes in': read('total_net_input_bytes'),
    'redis bytes out': read('total_net_output_bytes'),
  }
}

const sizeOf = (file: string | undefined): number =>
  file === undefined ? 0 : (statSync(file, { throwIfNoEntry: false })?.size ?? 0)

const rate = 100
const seconds = 5

async function leavesBehind({ port, journal, redisPort, subject }: Alive, mix: string): Promise<Row> {
  const redis = new Redis({ port: redisPort ?? 0, host: '127.0.0.1' })
  try {
    // Scripts are loaded and connections opened with the first requests.
    await openLoop(port, rate, 2, mix)
    await pause(2000)
    const [before, events] = [await redisCounts(redis), sizeOf(journal)]
    const { sent, lost }: OpenLoop = await openLoop(port, rate, seconds, mix)
    await pause(2000)
    const after = await redisCounts(redis)
    const requests = sent - lost
    const metrics = Object.entries(after).map(
      ([name, count]) => [`${name} a request`, figureOf([(count - (before[name] ?? 0)) / requests])] as const,
    )
    return {
      subject: subject.id,
      subjectName: subject.name,
      mix,
      mixName: mixes[mix]?.().name ?? mix,
      metrics: {
        ...Object.fromEntries(metrics),
        'event bytes a request': figureOf([(sizeOf(journal) - events) / requests]),
      },
    }
  } finally {
    redis.disconnect()
  }
}

export const footprint = (): Promise<readonly Row[]> =>
  withServers(['weir-redis'], async ([weir]) => {
    const rows: Row[] = []
    if (weir !== undefined)
      for (const mix of ['get', 'json', 'attacks']) rows.push(await leavesBehind(weir, mix))
    return rows
  })
