// Which filters Envoys are told of (spec control-plane 2.11), over minutes that are not waited for.
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Fleet, type FleetMember, type FleetOptions, createFleet } from './fleet.ts'
import { keepFleet, readKeptFleet } from './kept-fleet.ts'

const filter = (id: string, port = 9191): FleetMember => ({
  id,
  address: { host: '10.0.0.1', port },
  region: 'local',
})

const fleets: Fleet[] = []
function open(options?: FleetOptions): Fleet {
  const fleet = createFleet(options)
  fleets.push(fleet)
  return fleet
}
const ids = (fleet: Fleet) => fleet.members()?.map(({ id }) => id)

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  for (const fleet of fleets.splice(0)) fleet.stop()
  jest.useRealTimers()
})

describe('a fleet', () => {
  test('is unknown until a filter comes, then sorted', () => {
    const fleet = open()
    expect(fleet.members()).toBeUndefined()
    fleet.seen(filter('b'))
    fleet.seen(filter('a'))
    expect(ids(fleet)).toEqual(['a', 'b'])
  })

  test('says when it changes, and only then', () => {
    const fleet = open()
    const changes: (readonly string[])[] = []
    fleet.onChange((members) =>
      changes.push(members.map(({ id, address }) => `${id}:${String(address.port)}`)),
    )
    fleet.seen(filter('a'))
    fleet.seen(filter('a'))
    fleet.seen(filter('a', 9193))
    fleet.lost('a')
    fleet.seen(filter('a', 9193))
    fleet.lost('nobody')
    expect(changes).toEqual([['a:9191'], ['a:9193']])
  })

  test('keeps a filter for a minute after it lost its stream', () => {
    const fleet = open()
    fleet.seen(filter('a'))
    fleet.seen(filter('b'))
    fleet.lost('b')
    jest.advanceTimersByTime(59_000)
    expect(ids(fleet)).toEqual(['a', 'b'])
    jest.advanceTimersByTime(2000)
    expect(ids(fleet)).toEqual(['a'])
  })

  test('a filter that comes back within the minute has never left', () => {
    const fleet = open()
    fleet.seen(filter('a'))
    fleet.seen(filter('b'))
    fleet.lost('b')
    jest.advanceTimersByTime(59_000)
    fleet.seen(filter('b'))
    jest.advanceTimersByTime(120_000)
    expect(ids(fleet)).toEqual(['a', 'b'])
  })

  test('nobody leaves while nobody is connected, and then each has a minute', () => {
    const fleet = open()
    for (const id of ['a', 'b', 'c']) fleet.seen(filter(id))
    for (const id of ['a', 'b', 'c']) fleet.lost(id)
    jest.advanceTimersByTime(600_000)
    expect(ids(fleet)).toEqual(['a', 'b', 'c'])
    fleet.seen(filter('a'))
    jest.advanceTimersByTime(59_000)
    expect(ids(fleet)).toEqual(['a', 'b', 'c'])
    fleet.seen(filter('b'))
    jest.advanceTimersByTime(2000)
    expect(ids(fleet)).toEqual(['a', 'b'])
  })

  test('begins with those of before a restart, who have a minute to come back', () => {
    const fleet = open({ kept: [filter('a'), filter('b')] })
    expect(ids(fleet)).toEqual(['a', 'b'])
    fleet.seen(filter('a'))
    jest.advanceTimersByTime(61_000)
    expect(ids(fleet)).toEqual(['a'])
  })
})

describe('the list on disk', () => {
  const warnings: string[] = []
  const log = { warn: (_: object, message: string) => void warnings.push(message) }
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'weir-fleet-'))
    warnings.length = 0
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  const place = (bucket = 'prod') => ({ file: join(folder, 'sub', 'filters.kept'), bucket, log })

  test('is read as it was written, by its owner alone', () => {
    keepFleet(place(), [filter('a'), filter('b', 1)])
    expect(readKeptFleet(place())).toEqual([filter('a'), filter('b', 1)])
    expect(statSync(place().file).mode & 0o777).toBe(0o600)
    expect(warnings).toEqual([])
  })
  test('may not be there yet', () => {
    expect(readKeptFleet(place())).toEqual([])
    expect(warnings).toEqual([])
  })
  test.each([
    ['of another bucket', JSON.stringify({ bucket: 'test', filters: [filter('a')] })],
    ['cut off', '{"bucket":"prod","filt'],
    ['something else', '[]'],
  ])('is left out with a warning when it is %s', (_what, text) => {
    keepFleet(place(), [])
    writeFileSync(place().file, text)
    expect(readKeptFleet(place())).toEqual([])
    expect(warnings).toHaveLength(1)
  })
  test('has no names, which Envoy would refuse', () => {
    keepFleet(place(), [{ ...filter('a'), address: { host: 'filter.internal', port: 1 } }, filter('b')])
    expect(readKeptFleet(place()).map(({ id }) => id)).toEqual(['b'])
  })
})
