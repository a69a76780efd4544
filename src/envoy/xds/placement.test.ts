// Which Envoy has which listener, and whom it asks first (spec control-plane 1.5, example E42).
import { describe, expect, test } from '@jest/globals'
import type { AdsNode } from './node.ts'
import { type Placement, byPriority, missingListeners, placementsOf, preferenceOf } from './placement.ts'

const envoy = (region: string, labels: AdsNode['labels'] = {}): AdsNode => ({
  id: 'envoy-0',
  role: 'envoy',
  cluster: 'weir',
  agent: 'envoy',
  build: '1.40.0',
  region,
  bucket: 'prod',
  grpcAddress: undefined,
  labels,
})

const placement = (listener: string, more: Partial<Placement> = {}): Placement => ({
  listener,
  nodes: {},
  regions: {},
  ...more,
})

describe('the filters that an Envoy asks', () => {
  const filters = [
    { id: 'a', region: 'ffm' },
    { id: 'b', region: 'ffm' },
    { id: 'c', region: 'lax' },
  ]
  const orderOf = (location: string, preference: string) =>
    byPriority(filters, location, preference).map((group) => group.map(({ id }) => id))

  test.each([
    ['preferred ones first, all others after them', 'lon', 'ffm', [['a', 'b'], ['c']]],
    ['automatic without own ones: all alike', 'ams', 'automatic', [['a', 'b', 'c']]],
    ['automatic: the own ones, then the rest', 'lax', 'automatic', [['c'], ['a', 'b']]],
    ['preferred, and none of them there: all others alike', 'lon', 'par', [['a', 'b', 'c']]],
    ['preferred elsewhere, although there are own ones', 'lax', 'ffm', [['a', 'b'], ['c']]],
  ])('%s', (_says, location, preference, expected) => {
    expect(orderOf(location, preference)).toEqual(expected)
  })
})

describe('the preference of an Envoy', () => {
  const lonToFfm = placement('https', { regions: { lon: 'ffm' } })
  const rows: readonly (readonly [string, readonly Placement[], AdsNode, string])[] = [
    ['is what a load balancer says of its location', [lonToFfm], envoy('lon'), 'ffm'],
    ['is automatic for a location that none names', [lonToFfm], envoy('ams'), 'automatic'],
    [
      'may be automatic by name',
      [placement('https', { regions: { lon: 'automatic' } })],
      envoy('lon'),
      'automatic',
    ],
    [
      'is of a load balancer that it has',
      [placement('edge', { nodes: { tier: 'edge' }, regions: { lon: 'lax' } }), lonToFfm],
      envoy('lon'),
      'ffm',
    ],
    [
      'is of the first that names it, when several do',
      [
        placement('http', { regions: { ams: 'lax' } }),
        lonToFfm,
        placement('more', { regions: { lon: 'lax' } }),
      ],
      envoy('lon'),
      'ffm',
    ],
    ['does not come from what every object has', [lonToFfm], envoy('constructor'), 'automatic'],
  ]
  test.each(rows)('%s', (_says, placements, node, expected) => {
    expect(preferenceOf(placements, node)).toBe(expected)
  })
})

describe('a listener', () => {
  const edge = placement('edge', { nodes: { tier: 'edge', zone: 'a' } })
  test.each([
    ['without labels is everywhere', placement('http'), {}, []],
    ['is where all its labels are', edge, { tier: 'edge', zone: 'a', more: 'x' }, []],
    ['is not where one is another', edge, { tier: 'edge', zone: 'b' }, ['edge']],
    ['is not where one is missing', edge, { tier: 'edge' }, ['edge']],
  ])('%s', (_says, one, labels, missing) => {
    expect(missingListeners([one], envoy('lon', labels))).toEqual(missing)
  })

  test('that is everywhere and prefers nothing needs no placement', () => {
    const balancer = (id: string, more: object = {}) => ({
      id,
      name: id,
      protocol: 'http' as const,
      address: '0.0.0.0',
      port: 80,
      publicPort: 80,
      proxyProtocolFrom: undefined,
      nodes: {},
      regions: {},
      ...more,
    })
    expect(placementsOf([balancer('http'), balancer('edge', { nodes: { tier: 'edge' } })])).toEqual([
      { listener: 'edge', nodes: { tier: 'edge' }, regions: {} },
    ])
  })
})
