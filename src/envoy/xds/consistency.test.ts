import { describe, expect, test } from '@jest/globals'
import * as site from './sites.fixture.ts'
import { InconsistentSnapshot, assertConsistent, inconsistencies } from './consistency.ts'
import { defaultXdsSettings } from './settings.ts'
import { type Snapshot, buildSnapshot } from './snapshot.ts'

const whole = (): Snapshot => buildSnapshot(site.policy(), defaultXdsSettings)

/** The snapshot without what the predicate takes away. */
const without = (gone: (kind: string, name: string) => boolean): Snapshot => {
  const snapshot = whole()
  const resources = new Map(
    [...snapshot.resources].map(([url, list]) => [
      url,
      list.filter(({ name }) => !gone(url.slice(url.lastIndexOf('.') + 1), name)),
    ]),
  )
  return { ...snapshot, resources }
}

describe('a snapshot', () => {
  test('that the generator made is consistent', () => {
    expect(inconsistencies(whole())).toEqual([])
  })

  const missing: readonly (readonly [says: string, kind: string, name: string, problem: string])[] = [
    [
      'a route to a cluster that is not there',
      'Cluster',
      'be|app|http',
      'route http|plain names cluster be|app|http, which does not exist',
    ],
    [
      'a cluster without its endpoints',
      'ClusterLoadAssignment',
      'be|app|http',
      'cluster be|app|http names endpoint be|app|http, which does not exist',
    ],
    [
      'a listener without its routes',
      'RouteConfiguration',
      'http|plain',
      'listener http names route http|plain, which does not exist',
    ],
    [
      'a listener that asks a filter that is not there',
      'Cluster',
      'weir_filter',
      'listener http names cluster weir_filter, which does not exist',
    ],
  ]
  for (const [says, kind, name, problem] of missing)
    test(`${says} is refused`, () => {
      const snapshot = without((of, called) => of === kind && called === name)
      expect(inconsistencies(snapshot)).toContain(problem)
      expect(() => assertConsistent(snapshot)).toThrow(InconsistentSnapshot)
    })

  test('whose access log goes nowhere is refused', () => {
    expect(inconsistencies({ ...whole(), staticClusters: [] })).toEqual([
      'listener http names cluster weir_control, which does not exist',
    ])
  })

  test('with one host in two groups is refused', () => {
    const twice = site.policy({ serverGroups: [site.group({ id: 'a' }), site.group({ id: 'b' })] })
    expect(inconsistencies(buildSnapshot(twice, defaultXdsSettings))).toEqual([
      'route http|plain has the domain www.example.com twice',
    ])
  })

  test('of the same documents has the same bytes, of others not', () => {
    const again = whole()
    expect(again.version).toBe(whole().version)
    const other = buildSnapshot(
      site.policy({ serverGroups: [site.group({ id: 'other' })] }),
      defaultXdsSettings,
    )
    expect(other.version).not.toBe(again.version)
  })

  test('carries a version of 16 hexadecimal digits per resource, sorted by name', () => {
    for (const list of whole().resources.values()) {
      expect(list.map(({ name }) => name)).toEqual(list.map(({ name }) => name).toSorted())
      for (const { version } of list) expect(version).toMatch(/^[0-9a-f]{16}$/)
    }
  })
})
