// Odd requests through a real Envoy to origins that keep the bytes they get: whatever a client writes, the request that the
// filter judged is the request that an origin receives, or no origin receives any.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { compare, outcomeOf } from './support/differential.ts'
import { oddHeads } from './support/odd/heads.ts'
import { oddStreams } from './support/odd/streams.ts'
import { oddTargets } from './support/odd/targets.ts'
import type { RecordingOrigin } from './support/recording-origin.ts'
import { type Sites, startSites } from './support/sites.ts'
import { startPlaces, targetsDocuments } from './support/targets-site.ts'
import { type Outcome, sendBytes, sendStream } from './support/wire.ts'

type Row<T> = readonly [says: string, wanted: T, got: T]

/** Rows whose outcome is another one, as a table. */
const wrongRows = <T>(rows: readonly Row<T>[]): readonly string[] =>
  rows
    .filter(([, wanted, got]) => JSON.stringify(wanted) !== JSON.stringify(got))
    .map(
      ([says, wanted, got]) => `${JSON.stringify(says)}: ${JSON.stringify(wanted)} → ${JSON.stringify(got)}`,
    )

/** In batches, so that Envoy has many at once and the test does not wait for each. */
async function inBatches<T, U>(all: readonly T[], run: (one: T) => Promise<U>): Promise<readonly U[]> {
  const done: U[] = []
  for (let at = 0; at < all.length; at += 32)
    done.push(...(await Promise.all(all.slice(at, at + 32).map(run))))
  return done
}

const withTarget = (target: string): Buffer =>
  Buffer.from(`GET ${target} HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n`, 'latin1')

const modes = (['redirect', 'forward', 'keep', 'reject'] as const).flatMap((slashes) =>
  [true, false].map((merge) => ({ slashes, merge })),
)

/** What each handling of escaped slashes makes of them: the target that arrives, or a status. */
const escaped: Readonly<
  Record<(typeof modes)[number]['slashes'], readonly (readonly [string, string | number])[]>
> = {
  redirect: [
    ['/x%2fy', 307],
    ['/x%5cy', 307],
  ],
  forward: [
    ['/x%2fy', '/x/y'],
    ['/x%5cy', '/x/y'],
  ],
  keep: [
    ['/x%2fy', '/x%2fy'],
    ['/x%5Cy', '/x%5Cy'],
  ],
  reject: [
    ['/x%2fy', 400],
    ['/x%5cy', 400],
  ],
}

test('there are at least 300 of them', () => {
  expect(new Set(oddTargets.map(([target]) => target)).size).toBeGreaterThan(300)
  const names = oddStreams.map(([says]) => says)
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
})

describe.each(modes)('escaped slashes $slashes, merged $merge', ({ slashes, merge }) => {
  let origins: readonly RecordingOrigin[] = []
  let sites: Sites

  beforeAll(async () => {
    origins = await startPlaces()
    sites = await startSites({
      documents: targetsDocuments(origins, { escaped_slashes: slashes, merge_slashes: merge }),
    })
  })
  afterAll(async () => {
    await sites?.stop()
    await Promise.all(origins.map((origin) => origin.stop()))
  })

  const outcome = ({ text, statuses }: Outcome): string | number => outcomeOf(text, statuses, origins)
  const sendTargets = (
    rows: readonly (readonly [string, string | number])[],
  ): Promise<readonly Row<unknown>[]> =>
    inBatches(rows, async ([target, wanted]) => [
      target,
      wanted,
      outcome(await sendBytes(sites.port, withTarget(target))),
    ])

  test('targets', async () => {
    const rows = await sendTargets(oddTargets)
    // The table says what becomes of them under the defaults.
    const byDefault = slashes === 'redirect' && merge
    expect(byDefault ? wrongRows(rows) : []).toEqual([])
    const { arrivals, wrong } = compare(sites, origins)
    expect(wrong).toEqual([])
    expect(arrivals).toBeGreaterThan(200)
  })

  test('escaped slashes are treated as the template says', async () => {
    expect(wrongRows(await sendTargets(escaped[slashes]))).toEqual([])
    expect(wrongRows(await sendTargets([['/x//y', merge ? '/x/y' : '/x//y']]))).toEqual([])
    expect(compare(sites, origins).wrong).toEqual([])
  })

  test('no redirect leads to another host', async () => {
    const answers = await inBatches(['/%2fother.example/admin', '/%5c%2Fother.example', '/%2f'], (target) =>
      sendBytes(sites.port, withTarget(target)),
    )
    const locations = answers.flatMap(({ text }) => /^location: (.*)\r$/im.exec(text)?.[1] ?? [])
    const away = (location: string): boolean =>
      URL.parse(location, 'http://www.example.com')?.host !== 'www.example.com'
    expect(locations.filter(away)).toEqual([])
    expect(locations).toHaveLength(slashes === 'redirect' ? answers.length : 0)
  })

  test('heads and framings', async () => {
    const rows = await inBatches(oddHeads, async ([says, bytes, wanted]): Promise<Row<unknown>> => [
      says,
      wanted,
      (await sendBytes(sites.port, Buffer.from(bytes, 'latin1'), wanted.length)).statuses,
    ])
    expect(wrongRows(rows)).toEqual([])
    expect(compare(sites, origins).wrong).toEqual([])
  })

  test('HTTP/2', async () => {
    const before = compare(sites, origins).arrivals
    const rows = await inBatches(oddStreams, async ([says, stream, wanted]): Promise<Row<boolean>> => {
      const marked = { ...stream, fields: [...stream.fields, ['x-case', says] as const] }
      await sendStream(sites.port, marked)
      const arrived = origins.some(({ requests }) =>
        requests.some(({ headers }) => headers.some(([name, value]) => name === 'x-case' && value === says)),
      )
      return [says, wanted, arrived]
    })
    expect(wrongRows(rows)).toEqual([])
    const { arrivals, wrong } = compare(sites, origins)
    expect(wrong).toEqual([])
    expect(arrivals - before).toBeGreaterThan(15)
  })
})
