import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSnapshotKeeper, packSnapshot, readKeptSnapshot, unpackSnapshot } from './kept-snapshot.ts'
import { defaultXdsSettings } from './settings.ts'
import * as site from './sites.fixture.ts'
import { type OfferedSnapshot, buildSnapshot } from './snapshot.ts'

const snapshot: OfferedSnapshot = buildSnapshot(site.policy(), defaultXdsSettings)
const packed = Buffer.concat(packSnapshot(snapshot, 'prod'))

let folder: string
let file: string
const warnings: string[] = []
const log = {
  debug: () => undefined,
  warn: (_: object, message: string) => void warnings.push(message),
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-kept-'))
  file = join(folder, 'data', 'envoy-config.kept')
  warnings.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const place = (maxBytes = 2 ** 20) => ({ file, maxBytes, bucket: 'prod', log })

const contents = ({ resources }: OfferedSnapshot): unknown =>
  [...resources]
    .filter(([, list]) => list.length > 0)
    .map(([type, list]) => [
      type,
      list.map(({ name, version, bytes }) => [name, version, Buffer.from(bytes).toString('hex')]),
    ])

describe('a kept snapshot', () => {
  test('is the one that was acknowledged', async () => {
    const keeper = createSnapshotKeeper({ ...place(), acknowledged: () => snapshot })
    await keeper.stop()
    const back = readKeptSnapshot(place())
    expect(back && contents(back)).toEqual(contents(snapshot))
    expect(back?.version).toBe(snapshot.version)
    expect(back?.staticClusters).toEqual(['weir_control'])
    expect(warnings).toEqual([])
  })

  test('tells which endpoints follow a cluster', () => {
    const clusters = unpackSnapshot(packed, 'prod').resources.get(
      'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    )
    expect(clusters?.map(({ references }) => references)).toEqual([
      [{ kind: 'endpoint', name: 'be|app|http' }],
      [{ kind: 'endpoint', name: 'weir_filter' }],
    ])
  })

  test('can only be read by its owner, and nothing is left beside it', async () => {
    await createSnapshotKeeper({ ...place(), acknowledged: () => snapshot }).stop()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'data'))).toEqual(['envoy-config.kept'])
  })

  test('is written once, however often it is acknowledged', async () => {
    let looks = 0
    const keeper = createSnapshotKeeper({
      ...place(),
      delayMs: 0,
      acknowledged: () => {
        looks++
        return snapshot
      },
    })
    keeper.consider()
    keeper.consider()
    while (looks === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    await keeper.stop()
    const { ino } = statSync(file)
    await keeper.stop()
    expect(statSync(file).ino).toBe(ino)
    expect(looks).toBe(3)
  })

  test('stays when what is offered now is not acknowledged', async () => {
    await createSnapshotKeeper({ ...place(), acknowledged: () => snapshot }).stop()
    await createSnapshotKeeper({ ...place(), acknowledged: () => undefined }).stop()
    expect(readKeptSnapshot(place())?.version).toBe(snapshot.version)
  })

  test('is not kept when it is too large', async () => {
    await createSnapshotKeeper({ ...place(1000), acknowledged: () => snapshot }).stop()
    expect(statSync(file, { throwIfNoEntry: false })).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('too large')])
  })

  test('is not there before the first', () => {
    expect(readKeptSnapshot(place())).toBeUndefined()
    expect(warnings).toEqual([])
  })
})

describe('a file that cannot be trusted', () => {
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(packed)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const rows: readonly (readonly [says: string, bytes: Buffer])[] = [
    ['that is empty', Buffer.alloc(0)],
    ['that is something else', Buffer.from('{"snapshot": true}\n')],
    ['that was cut', packed.subarray(0, packed.length - 1)],
    ['of which a bit of a resource flipped', changed(packed.length - 1)],
    ['of which a bit of the index flipped', changed(200)],
    ['of which a bit of the checksum flipped', changed(20)],
    ['that grew', Buffer.concat([packed, Buffer.from('x')])],
    ['of another bucket', Buffer.concat(packSnapshot(snapshot, 'test'))],
    ['of another form', Buffer.from(packed.toString('latin1').replace('snapshot-1', 'snapshot-0'), 'latin1')],
  ]
  for (const [says, bytes] of rows)
    test(`${says} is left out with a warning`, async () => {
      await createSnapshotKeeper({ ...place(), acknowledged: () => snapshot }).stop()
      expect(readFileSync(file)).toEqual(packed)
      writeFileSync(file, bytes)
      expect(readKeptSnapshot(place())).toBeUndefined()
      expect(warnings).toEqual([expect.stringContaining('left out')])
    })

  test('larger than allowed is not even read', async () => {
    await createSnapshotKeeper({ ...place(), acknowledged: () => snapshot }).stop()
    expect(readKeptSnapshot(place(1000))).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })
})
