// Offloaded blocking, as resources (spec control-plane 2.8, E39 to E41).
import { describe, expect, test } from '@jest/globals'
import type { Certificate } from '#config'
import { encodeJson } from '../proto-json.ts'
import { assertConsistent } from './consistency.ts'
import { type Json, isObject, textOf } from './json.ts'
import { maxOffloaded, offloadFilter, offloadResource, offloadSupport } from './offload.ts'
import { type ListenerSettings, defaultXdsSettings } from './settings.ts'
import * as site from './sites.fixture.ts'
import { buildSnapshot } from './snapshot.ts'

const listeners = 'type.googleapis.com/envoy.config.listener.v3.Listener'
const extensions = 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig'

/** Without the types, as the specification writes it. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const fields = Object.entries(value).filter(([name]) => name !== '@type')
  return Object.fromEntries(fields.map(([name, inner]) => [name, plain(inner)]))
}

const allow = { action: { name: 'allow', typed_config: { name: 'default', action: 'ALLOW' } } }

/** Every address that stands in a `CidrRange` somewhere in it. */
function addressesIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(addressesIn)
  if (!isObject(value)) return []
  const own = value['address_prefix']
  return [...(typeof own === 'string' ? [own] : []), ...Object.values(value).flatMap(addressesIn)]
}

describe('the list of a listener', () => {
  test('E40: a quarantined address is denied, everybody else is let in', () => {
    const resource = offloadResource('https', ['203.0.113.9'])
    expect(resource['name']).toBe('weir.offload.https')
    expect(plain(resource['typed_config'])).toEqual({
      matcher: {
        matcher_list: {
          matchers: [
            {
              predicate: {
                single_predicate: {
                  input: { name: 'envoy.matching.inputs.source_ip', typed_config: {} },
                  custom_match: {
                    name: 'envoy.matching.matchers.ip',
                    typed_config: {
                      stat_prefix: 'weir_offload',
                      cidr_ranges: [{ address_prefix: '203.0.113.9', prefix_len: 32 }],
                    },
                  },
                },
              },
              on_match: {
                action: { name: 'deny', typed_config: { name: 'quarantine', action: 'DENY' } },
              },
            },
          ],
        },
        on_no_match: allow,
      },
      stat_prefix: 'weir_offload',
      enforcement_type: 'CONTINUOUS',
    })
    expect(encodeJson('envoy.config.core.v3.TypedExtensionConfig', resource).length).toBeGreaterThan(0)
  })

  test('an empty one only lets in', () => {
    expect(plain(offloadResource('http', [])['typed_config'])).toMatchObject({
      matcher: { on_no_match: allow },
    })
    expect(JSON.stringify(offloadResource('http', []))).not.toContain('matcher_list')
  })

  const rows: readonly (readonly [says: string, given: readonly string[], listed: readonly string[]])[] = [
    ['both families', ['2001:db8::1', '192.0.2.1'], ['192.0.2.1', '2001:db8::1']],
    ['spellings of one address are one', ['2001:DB8:0::1', '2001:db8::1'], ['2001:db8::1']],
    ['what is no address is left out', ['', 'x', '192.0.2.0/24', '1.2.3.999'], []],
  ]
  test.each(rows)('%s', (_says, given, listed) =>
    expect(addressesIn(offloadResource('http', given))).toEqual(listed),
  )

  test('the order in which addresses came is none of its content', () => {
    const [a, b] = ['192.0.2.1', '192.0.2.2']
    expect(offloadResource('http', [a, b])).toEqual(offloadResource('http', [b, a]))
  })

  test(`of more than ${maxOffloaded} the newest are taken`, () => {
    const newestFirst = Array.from({ length: maxOffloaded + 500 }, (_, n) => `10.0.${n >> 8}.${n & 255}`)
    const listed = new Set(addressesIn(offloadResource('http', newestFirst)))
    expect(listed.size).toBe(maxOffloaded)
    expect(newestFirst.slice(0, maxOffloaded).every((address) => listed.has(address))).toBe(true)
  })
})

const http: ListenerSettings = { id: 'http', protocol: 'http', address: '0.0.0.0', port: 80, publicPort: 80 }
const objects = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isObject) : [])

const certificate = (name: string): Certificate => ({
  id: name,
  name,
  side: 'server',
  chain: 'chain',
  key: 'key',
  names: [name],
  expires: 0,
  crl: [],
})

const trusting = site.policy({
  serverGroups: [
    site.group(),
    site.group({ id: 'b', serverNames: [], template: site.template({ trustedSources: ['10.0.0.0/8'] }) }),
  ],
})

describe('a listener takes part', () => {
  const rows = [
    ['where nobody is trusted to speak for clients', http, site.policy(), 'supported'],
    ['E41: not where a template of one site trusts a proxy', http, trusting, 'unsupported'],
    ['with the PROXY protocol in any case', { ...http, proxyProtocolFrom: [] }, trusting, 'supported'],
    ['without any site', http, site.policy({ serverGroups: [] }), 'supported'],
    [
      'not without any site where the default template trusts a proxy',
      http,
      site.policy({ serverGroups: [], defaultTemplate: site.template({ trustedSources: ['10.0.0.1'] }) }),
      'unsupported',
    ],
  ] as const
  test.each(rows)('%s', (_says, listener, policy, support) =>
    expect(offloadSupport(listener, policy)).toBe(support),
  )
})

describe('in a snapshot', () => {
  const settings = { ...defaultXdsSettings, listeners: [http, { ...http, id: 'alt', port: 81 }] }
  const listsOf = (policy = site.policy(), offload: readonly string[] = []) => {
    const snapshot = buildSnapshot(policy, settings, { offload, acme: [] })
    assertConsistent(snapshot)
    return (snapshot.resources.get(extensions) ?? []).map(({ name, json }) => [name, addressesIn(json)])
  }

  test('every listener has its list, empty ones too', () =>
    expect(listsOf()).toEqual([
      ['weir.offload.alt', []],
      ['weir.offload.http', []],
    ]))

  test('a listener that cannot take part keeps an empty one', () => {
    expect(listsOf(site.policy(), ['192.0.2.1'])).toEqual([
      ['weir.offload.alt', ['192.0.2.1']],
      ['weir.offload.http', ['192.0.2.1']],
    ])
    expect(listsOf(trusting, ['192.0.2.1'])).toEqual([
      ['weir.offload.alt', []],
      ['weir.offload.http', []],
    ])
  })

  test('a new list changes nothing but itself', () => {
    const [before, after] = [[], ['192.0.2.1']].map((offload) =>
      buildSnapshot(site.policy(), settings, { offload, acme: [] }),
    )
    const changed = [...(after?.resources ?? [])].filter(
      ([url, list]) =>
        JSON.stringify(list.map(({ version }) => version)) !==
        JSON.stringify(before?.resources.get(url)?.map(({ version }) => version)),
    )
    expect(changed.map(([url]) => url)).toEqual([extensions])
  })

  test('E39: it is the first filter of every chain, passed through ones too', () => {
    const www = certificate('www.example.com')
    const template = site.template({ trustedSources: ['10.0.0.0/8'] })
    const policy = site.policy({
      serverGroups: [
        site.group({ certificate: www, template }),
        site.group({
          id: 'passed',
          serverNames: [{ kind: 'literal', host: 'passed.example.com' }],
          tcpPassthrough: true,
        }),
      ],
    })
    const secure = {
      ...http,
      id: 'https',
      protocol: 'https',
      defaultCertificate: www,
      certificates: [],
    } as const
    const snapshot = buildSnapshot(policy, { ...settings, listeners: [http, secure] })
    const chains = (snapshot.resources.get(listeners) ?? []).flatMap(({ name, json }) =>
      objects(json['filter_chains']).map((chain) => ({ name, chain })),
    )
    expect(
      chains.map(({ name, chain }) => `${name} ${textOf(chain, 'name').replace(/^p-[^|]*/, 'p')}`),
    ).toEqual([
      'http plain|t',
      'http plain|u',
      'https passthrough|passed',
      'https p|t',
      'https p|u',
      'https default|t',
      'https default|u',
    ])
    for (const { name, chain } of chains) expect(objects(chain['filters'])[0]).toEqual(offloadFilter(name))
  })
})
