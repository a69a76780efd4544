// Every reference between documents is found from its other end, by whatever name the field is written.
import { describe, expect, test } from '@jest/globals'
import { documents } from './documents/index.ts'
import { inUse, referrersOf } from './referrers.ts'
import { type Schema, jsonSchema } from './schema/json.ts'

const all = {
  'global-filters': [{ id: 'cf', action: 'a' }],
  'proxy-templates': [
    { id: 't1', trusted_nets: [{ source: 'global_filter', gf_id: 'cf' }] },
    { id: 't2', trusted_nets: [{ source: 'ip', address: '10.0.0.0/8', comment: 'cf' }] },
  ],
  'system-db': [{ id: 'planet', value: { trusted_nets: [{ source: 'global_filter', gf_id: 'cf' }] } }],
  'rate-limit-rules': [
    {
      id: 'r',
      thresholds: [
        { limit: 1, action: 'a' },
        { limit: 2, action: 'b' },
      ],
    },
  ],
  'security-policies': [
    {
      id: 'p',
      name: 'Shop',
      map: [{ id: 'x', backend_id: 'app', limit_ids: ['r'], cloud_functions: ['f', 'g'] }],
    },
  ],
  'server-groups': [
    { id: 's', security_policy: 'p', ssl_certificate: 'web', client_certificate: 'web' },
    'no entry',
  ],
  'load-balancers': [{ id: 'https', default_certificate: 'web', certificates: ['other', 'web'] }],
}

const found = (namespace: string, id: string): readonly string[] =>
  referrersOf(all, namespace, id).map((one) => `${one.namespace} ${one.id} ${one.field}`)

describe('who refers to', () => {
  test.each([
    ['actions', 'a', ['global-filters cf action', 'rate-limit-rules r thresholds[0].action']],
    ['actions', 'b', ['rate-limit-rules r thresholds[1].action']],
    ['backend-services', 'app', ['security-policies p map[0].backend_service']],
    ['rate-limit-rules', 'r', ['security-policies p map[0].rate_limit_rules[0]']],
    ['edge-functions', 'g', ['security-policies p map[0].edge_functions[1]']],
    ['security-policies', 'p', ['server-groups s security_policy']],
    [
      'certificates',
      'web',
      [
        'server-groups s ssl_certificate',
        'server-groups s client_certificate',
        'load-balancers https default_certificate',
        'load-balancers https certificates[1]',
      ],
    ],
    ['actions', 'nobody', []],
    ['acl-profiles', 'a', []],
  ])('%s %s', (...[namespace, id, places]) => {
    expect(found(namespace, id)).toEqual(places)
  })

  test('E34: a filter that is a trusted source, of a template and of the planet', () => {
    expect(found('global-filters', 'cf')).toEqual([
      'system-db planet value.trusted_nets[0].gf_id',
      'proxy-templates t1 trusted_nets[0].gf_id',
    ])
  })
  test('E34: the message', () => {
    const [, template] = referrersOf(all, 'global-filters', 'cf')
    expect(inUse('cf', template === undefined ? [] : [template])).toBe(
      'entry [cf] is used by proxy-templates [t1] (trusted_nets[0])',
    )
  })
  test('the message names every referrer', () => {
    expect(inUse('r', referrersOf(all, 'rate-limit-rules', 'r'))).toBe(
      'entry [r] is used by security-policies [p] (map[0].rate_limit_rules[0])',
    )
  })
})

test('what fields refer to are documents', () => {
  const targets = (schema: Schema): readonly string[] => [
    ...(schema.refersTo === undefined ? [] : [schema.refersTo]),
    ...[schema.items, ...(schema.anyOf ?? []), ...Object.values(schema.properties ?? {})].flatMap((one) =>
      one === undefined ? [] : targets(one),
    ),
  ]
  const named = documents.flatMap((kind) =>
    [kind.schema, ...(kind.fixedEntries ?? []).map(({ schema }) => schema)].flatMap((schema) =>
      targets(jsonSchema(schema)),
    ),
  )
  const known: readonly string[] = documents.map(({ namespace }) => namespace)
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((namespace) => !known.includes(namespace))).toEqual([])
})
