// Tokens of certificate orders in every route configuration (spec control-plane 2.5, 2.10).
import { describe, expect, test } from '@jest/globals'
import { type Json, isObject, textOf } from './json.ts'
import { type ListenerSettings, defaultXdsSettings } from './settings.ts'
import * as site from './sites.fixture.ts'
import { buildSnapshot } from './snapshot.ts'

const place = { address: '0.0.0.0', port: 0 } as const
const listeners: readonly ListenerSettings[] = [
  { ...place, id: 'http', protocol: 'http', publicPort: 80 },
  {
    ...place,
    id: 'https',
    protocol: 'https',
    publicPort: 443,
    defaultCertificate: undefined,
    certificates: [],
  },
]
const acme = [
  { token: 'abc_-1', authorization: 'abc_-1.thumb' },
  { token: 'def', authorization: 'def.thumb' },
]
const policy = site.policy({
  serverGroups: [
    site.group({ httpRedirect: 301 }),
    site.group({ id: 'wild', serverNames: [{ kind: 'wildcard', suffix: '.example.org' }] }),
  ],
})

const objects = (value: Json | undefined) => (Array.isArray(value) ? value.filter(isObject) : [])

/** The routes of every virtual host of every route configuration. */
function hostsOf(tokens: typeof acme) {
  const settings = { ...defaultXdsSettings, listeners }
  const { resources } = buildSnapshot(policy, settings, { offload: [], acme: tokens })
  const tables = resources.get('type.googleapis.com/envoy.config.route.v3.RouteConfiguration') ?? []
  return tables.flatMap(({ name, json }) =>
    objects(json['virtual_hosts']).map((host) => ({
      host: `${name} ${textOf(host, 'name')}`,
      routes: objects(host['routes']),
    })),
  )
}

describe('tokens that Weir waits for', () => {
  test('are answered first on every host, the unknown one too', () => {
    const hosts = hostsOf(acme)
    expect(hosts.map(({ host }) => host)).toEqual([
      'https|off site1',
      'https|off wild',
      'https|off unrecognized',
      'http|plain site1',
      'http|plain wild',
      'http|plain unrecognized',
    ])
    for (const { routes } of hosts)
      expect(routes.slice(0, 2).map(({ name }) => name)).toEqual(['acme|abc_-1', 'acme|def'])
  })

  test('get the authorization as it is, and the filter is not asked', () => {
    expect(hostsOf(acme)[0]?.routes[0]).toEqual({
      name: 'acme|abc_-1',
      match: { path: '/.well-known/acme-challenge/abc_-1' },
      direct_response: { status: 200, body: { inline_string: 'abc_-1.thumb' } },
      typed_per_filter_config: {
        'envoy.filters.http.ext_authz': {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
          disabled: true,
        },
      },
    })
  })

  test('leave the other routes as they are', () => {
    const without = hostsOf([])
    const others = hostsOf(acme).map(({ host, routes }) => ({ host, routes: routes.slice(2) }))
    expect(others).toEqual(without)
    expect(JSON.stringify(without)).not.toContain('acme|')
  })
})
