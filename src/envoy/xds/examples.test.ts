// The worked examples of the specification (control-plane §6) that speak of resources, by number.
import { describe, expect, test } from '@jest/globals'
import type { BackendService, MapEntry, Policy, ProxyTemplate, ServerGroup } from '#config'
import { compilePattern } from '#platform'
import { searchAsFullMatch } from './group-routes.ts'
import type { Json, JsonObject } from './json.ts'
import { type ListenerSettings, defaultXdsSettings } from './settings.ts'
import * as site from './sites.fixture.ts'
import { type Snapshot, buildSnapshot } from './snapshot.ts'

const http: ListenerSettings = {
  id: 'http',
  protocol: 'http',
  address: '0.0.0.0',
  port: 8080,
  publicPort: 80,
}

const noCertificates = { defaultCertificate: undefined, certificates: [] } as const

const snapshotOf = (policy: Policy, listeners: readonly ListenerSettings[] = [http]): Snapshot =>
  buildSnapshot(policy, { ...defaultXdsSettings, listeners })

function resources(snapshot: Snapshot, message: string): ReadonlyMap<string, JsonObject> {
  const list = snapshot.resources.get(`type.googleapis.com/${message}`) ?? []
  return new Map(list.map(({ name, json }) => [name, json]))
}
const clusters = (snapshot: Snapshot) => resources(snapshot, 'envoy.config.cluster.v3.Cluster')
const endpoints = (snapshot: Snapshot) =>
  resources(snapshot, 'envoy.config.endpoint.v3.ClusterLoadAssignment')
const listener = (snapshot: Snapshot) => resources(snapshot, 'envoy.config.listener.v3.Listener').get('http')
const routeConfiguration = (snapshot: Snapshot) =>
  resources(snapshot, 'envoy.config.route.v3.RouteConfiguration').get('http|plain')

type VirtualHost = {
  readonly name: string
  readonly domains: readonly string[]
  readonly routes: readonly JsonObject[]
}
const virtualHosts = (snapshot: Snapshot): readonly VirtualHost[] =>
  (routeConfiguration(snapshot)?.['virtual_hosts'] ?? []) as readonly VirtualHost[]

type Site = {
  service?: Partial<BackendService>
  template?: Partial<ProxyTemplate>
  entries?: readonly MapEntry[]
  group?: Partial<ServerGroup>
}

/** The examples' one site: `site1` on www.example.com with template `t1`, policy `sp1`, service `app`. */
function policyOf({ service, template, entries = [], group }: Site = {}): Policy {
  const fallback = site.entry({ backend: site.service(service) })
  return site.policy({
    serverGroups: [
      site.group({
        template: site.template({ id: 't1', websocket: false, ...template }),
        policy: site.securityPolicy({ entries: [...entries, fallback] }),
        ...group,
      }),
    ],
  })
}

const firstHost = (snapshot: Snapshot): VirtualHost => {
  const [host] = virtualHosts(snapshot)
  if (!host) throw new Error('no virtual host')
  return host
}
const routeNamed = (snapshot: Snapshot, name: string): JsonObject | undefined =>
  virtualHosts(snapshot)
    .flatMap(({ routes }) => routes)
    .find((route) => route['name'] === name)

const actionOf = (snapshot: Snapshot, name: string): JsonObject =>
  (routeNamed(snapshot, name)?.['route'] ?? {}) as JsonObject

const app = 'be|app|http'
const fallback = 'site1|__default_entry__'

describe('sites and routes', () => {
  test('E01: a literal host', () => {
    const made = snapshotOf(policyOf())
    expect(virtualHosts(made).map(({ name, domains }) => ({ name, domains }))).toEqual([
      { name: 'site1', domains: ['www.example.com'] },
      { name: 'unrecognized', domains: ['*'] },
    ])
    expect(routeConfiguration(made)).toMatchObject({ ignore_port_in_host_matching: true })
  })

  test('E02: a wildcard and an expression', () => {
    const serverNames = [
      { kind: 'wildcard', suffix: '.shop.example' },
      { kind: 'regex', pattern: '^api[0-9]+\\.example\\.com$' },
    ] as const
    const [named, rest] = virtualHosts(snapshotOf(policyOf({ group: { serverNames } })))
    expect(named?.domains).toEqual(['*.shop.example'])
    expect(rest?.routes.map(({ name }) => name)).toEqual([fallback, 'unrecognized'])
    expect(rest?.routes[0]).toMatchObject({
      match: {
        headers: [
          {
            name: ':authority',
            string_match: { safe_regex: { regex: '(?i)^(?:api[0-9]+\\.example\\.com)\\.?(:[0-9]+)?$' } },
          },
        ],
      },
    })
  })

  const path = (match: string): MapEntry => site.entry({ id: `[${match}]`, role: 'path', match })

  test('E04: root, then by length of the expression, default last', () => {
    const entries = [
      site.entry({ id: 'root', role: 'root' }),
      path('/api'),
      path('^/api/v[0-9]+/'),
      path('/api/v1'),
    ]
    expect(firstHost(snapshotOf(policyOf({ entries }))).routes.map(({ name }) => name)).toEqual([
      'site1|root',
      'site1|[^/api/v[0-9]+/]',
      'site1|[/api/v1]',
      'site1|[/api]',
      fallback,
    ])
  })

  const searched: readonly (readonly [expression: string, path: string, found: boolean])[] = [
    ['/login', '/a/login/b', true],
    ['^/login$', '/login', true],
    ['^/login$', '/login/', false],
    ['^/a|/b$', '/a/x', true],
    ['^/a|/b$', '/zz/b', true],
    ['^/a|/b$', '/zz/bc', false],
  ]
  for (const [expression, value, found] of searched)
    test(`E05: ${expression} ${found ? 'finds' : 'does not find'} ${value}`, () => {
      expect(compilePattern(`^(?:${searchAsFullMatch(expression)})$`).test(value)).toBe(found)
    })

  test('E07: with a group for every host, that group is last', () => {
    const [rest] = virtualHosts(snapshotOf(policyOf({ group: { serverNames: [{ kind: 'everything' }] } })))
    expect(rest).toMatchObject({ name: 'unrecognized', domains: ['*'], routes: [{ name: fallback }] })
    expect(rest?.routes).toHaveLength(1)
  })

  const https: ListenerSettings = {
    id: 'https',
    protocol: 'https',
    address: '0.0.0.0',
    port: 8443,
    publicPort: 443,
    ...noCertificates,
  }
  const redirects: readonly (readonly [plain: number, secure: number, port: number | undefined])[] = [
    [80, 443, undefined],
    [8080, 443, 443],
    [80, 8443, 8443],
  ]
  for (const [plain, secure, port] of redirects)
    test(`E08: plaintext on ${plain}, TLS on ${secure}: to https before every entry`, () => {
      const made = snapshotOf(policyOf({ group: { httpRedirect: 308 } }), [
        { ...http, publicPort: plain },
        { ...https, publicPort: secure },
      ])
      expect(firstHost(made).routes[0]).toMatchObject({ name: 'site1|redirect', match: { prefix: '/' } })
      expect(routeNamed(made, 'site1|redirect')?.['redirect']).toEqual({
        https_redirect: true,
        response_code: 'PERMANENT_REDIRECT',
        ...(port === undefined ? {} : { port_redirect: port }),
      })
    })

  test('a name with port stands first in the virtual host of the bare name', () => {
    const policy = site.policy({
      serverGroups: [
        site.group({ id: 'bare', template: site.template({ websocket: false }) }),
        site.group({
          id: 'port',
          serverNames: [{ kind: 'literal', host: 'www.example.com:8443' }],
          template: site.template({ websocket: false }),
        }),
      ],
    })
    expect(firstHost(snapshotOf(policy))).toMatchObject({
      domains: ['www.example.com'],
      routes: [
        {
          name: 'port|__default_entry__',
          match: {
            headers: [
              { name: ':authority', string_match: { exact: 'www.example.com:8443', ignore_case: true } },
            ],
          },
        },
        { name: 'bare|__default_entry__' },
      ],
    })
  })

  test('IPv6 addresses are written in brackets', () => {
    const group = { serverNames: [{ kind: 'literal', host: '[2001:db8::1]' }] } as const
    expect(firstHost(snapshotOf(policyOf({ group }))).domains).toEqual(['[2001:db8::1]'])
  })
})

describe('backends', () => {
  test('E09: a service of addresses', () => {
    const made = snapshotOf(policyOf())
    expect([...clusters(made).keys()]).toEqual([app, 'weir_filter'])
    expect(clusters(made).get(app)).toMatchObject({ type: 'EDS', lb_policy: 'ROUND_ROBIN' })
    expect(endpoints(made).get(app)).toEqual({
      cluster_name: app,
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: { address: { socket_address: { address: '10.0.0.1', port_value: 80 } } },
              load_balancing_weight: 1,
            },
          ],
        },
      ],
      policy: { overprovisioning_factor: 1000000 },
    })
  })

  test('E09: a service with a name is resolved by Envoy', () => {
    const made = snapshotOf(policyOf({ service: { hosts: [site.host({ host: 'origin.internal' })] } }))
    expect(clusters(made).get(app)).toMatchObject({
      type: 'STRICT_DNS',
      respect_dns_ttl: true,
      dns_lookup_family: 'ALL',
    })
    expect([...endpoints(made).keys()]).toEqual(['weir_filter'])
  })

  const a = site.host({ host: '10.0.0.1', weight: 3 })
  const b = site.host({ host: '10.0.0.2' })
  const c = site.host({ host: '10.0.0.3', backup: true })
  const groupsOf = (hosts: BackendService['hosts']): Json | undefined =>
    endpoints(snapshotOf(policyOf({ service: { hosts } }))).get(app)?.['endpoints']

  test('E10: weights, and a backup as second priority', () => {
    const groups = groupsOf([a, b, c])
    expect(groups).toMatchObject([
      { lb_endpoints: [{ load_balancing_weight: 3 }, { load_balancing_weight: 1 }] },
      { priority: 1, lb_endpoints: [{ load_balancing_weight: 1 }] },
    ])
  })

  test('E11: a host that is down stays, unhealthy; backups alone are first', () => {
    expect(groupsOf([a, { ...b, down: true }])).toMatchObject([
      { lb_endpoints: [{}, { health_status: 'UNHEALTHY' }] },
    ])
    expect(groupsOf([c])).toEqual([{ lb_endpoints: [expect.anything()] }])
  })

  const outliers: readonly (readonly [
    says: string,
    hosts: BackendService['hosts'],
    failures: number | undefined,
    ejection?: string,
  ])[] = [
    ['max_fails and fail_timeout', [{ ...a, maxFails: 3, failTimeoutS: 20 }], 3, '20s'],
    [
      'the smallest max_fails, the longest time',
      [{ ...a, maxFails: 5, failTimeoutS: 20 }, { ...b, maxFails: 2, failTimeoutS: 60 }, c],
      2,
      '60s',
    ],
    ['at least a second', [{ ...a, maxFails: 1, failTimeoutS: 0 }], 1, '1s'],
    ['none when no host may fail', [a, b], undefined],
  ]
  for (const [says, hosts, failures, ejection] of outliers)
    test(`E12: outlier detection: ${says}`, () => {
      const made = clusters(snapshotOf(policyOf({ service: { hosts } }))).get(app)
      expect(made?.['outlier_detection']).toEqual(
        failures === undefined
          ? undefined
          : {
              split_external_local_origin_errors: true,
              consecutive_local_origin_failure: failures,
              enforcing_consecutive_local_origin_failure: 100,
              consecutive_5xx: 0,
              enforcing_consecutive_5xx: 0,
              enforcing_consecutive_gateway_failure: 0,
              enforcing_success_rate: 0,
              enforcing_local_origin_success_rate: 0,
              base_ejection_time: ejection,
              max_ejection_time: ejection,
              interval: '1s',
              max_ejection_percent: 100,
            },
      )
    })

  const sticky: readonly (readonly [
    service: Partial<BackendService>,
    policy: string,
    hash: Json | undefined,
  ])[] = [
    [{ sticky: 'none' }, 'ROUND_ROBIN', undefined],
    [{ sticky: 'least_conn' }, 'LEAST_REQUEST', undefined],
    [{ sticky: 'iphash' }, 'MAGLEV', [{ connection_properties: { source_ip: true } }]],
    [
      { sticky: 'autocookie' },
      'MAGLEV',
      [
        {
          cookie: {
            name: 'weir_srv',
            ttl: '0s',
            path: '/',
            attributes: [{ name: 'SameSite', value: 'Lax' }],
          },
        },
      ],
    ],
    [{ sticky: 'customcookie', stickyCookieName: 'AWSALB' }, 'MAGLEV', [{ cookie: { name: 'AWSALB' } }]],
  ]
  for (const [service, policy, hash] of sticky)
    test(`E13, E14: sticky ${String(service.sticky)}`, () => {
      const made = snapshotOf(policyOf({ service }))
      expect(clusters(made).get(app)?.['lb_policy']).toBe(policy)
      expect(actionOf(made, fallback)['hash_policy']).toEqual(hash)
    })

  test('E14: over TLS the cookie is for TLS alone', () => {
    const listeners = [{ ...http, id: 'https', protocol: 'https' as const, ...noCertificates }]
    const made = snapshotOf(policyOf({ service: { sticky: 'autocookie' } }), listeners)
    const [host] = (resources(made, 'envoy.config.route.v3.RouteConfiguration').get('https|off')?.[
      'virtual_hosts'
    ] ?? []) as readonly VirtualHost[]
    expect(host?.routes[0]).toMatchObject({
      route: {
        hash_policy: [{ cookie: { attributes: [{ name: 'SameSite', value: 'Lax' }, { name: 'Secure' }] } }],
      },
    })
  })

  test('E14: strict, the cookie names the host and nothing is hashed', () => {
    const made = snapshotOf(policyOf({ service: { sticky: 'autocookie', stickyStrict: true } }))
    expect(clusters(made).get(app)?.['lb_policy']).toBe('ROUND_ROBIN')
    expect(actionOf(made, fallback)).not.toHaveProperty('hash_policy')
    expect(routeNamed(made, fallback)).toMatchObject({
      typed_per_filter_config: {
        'envoy.filters.http.stateful_session': {
          stateful_session: { session_state: { typed_config: { cookie: { name: 'weir_srv' } } } },
        },
      },
    })
  })

  test('E15: always TLS to the origin, on each of its ports', () => {
    const hosts = [site.host({ host: '10.0.0.1', httpsPorts: [443, 8443] })]
    const made = snapshotOf(policyOf({ service: { transportMode: 'https', hosts } }))
    expect([...clusters(made).keys()]).toEqual(['be|app|https', 'weir_filter'])
    expect(endpoints(made).get('be|app|https')).toMatchObject({ endpoints: [{ lb_endpoints: [{}, {}] }] })
    expect(routeNamed(made, fallback)).toMatchObject({ route: { cluster: 'be|app|https' } })
    expect(clusters(made).get('be|app|https')).toMatchObject({
      transport_socket: {
        typed_config: { common_tls_context: { tls_params: { tls_maximum_protocol_version: 'TLSv1_3' } } },
      },
    })
  })

  test('E16: port bridge', () => {
    const hosts = [site.host({ host: '10.0.0.1,10.0.0.2' })]
    const made = snapshotOf(policyOf({ service: { transportMode: 'port_bridge', hosts } }), [
      http,
      { ...http, id: 'alt', port: 8090, publicPort: 8090 },
    ])
    expect([...endpoints(made).keys()]).toEqual(['be|app|8090|http', 'be|app|80|http', 'weir_filter'])
    expect(endpoints(made).get('be|app|8090|http')).toMatchObject({
      endpoints: [
        {
          lb_endpoints: ['10.0.0.1', '10.0.0.2'].map((address) => ({
            endpoint: { address: { socket_address: { address, port_value: 8090 } } },
          })),
        },
      ],
    })
  })

  const hosts: readonly (readonly [upstreamHost: string, action: JsonObject])[] = [
    ['$host', {}],
    ['origin.internal', { host_rewrite_literal: 'origin.internal' }],
    ['$proxy_host', { auto_host_rewrite: true }],
  ]
  for (const [upstreamHost, action] of hosts)
    test(`E18: upstream_host ${upstreamHost}`, () => {
      const made = actionOf(snapshotOf(policyOf({ template: { upstreamHost } })), fallback)
      const { host_rewrite_literal, auto_host_rewrite } = made
      expect({ host_rewrite_literal, auto_host_rewrite }).toEqual({
        host_rewrite_literal: undefined,
        auto_host_rewrite: undefined,
        ...action,
      })
    })

  test('a second template with another connect time-out has a cluster of its own', () => {
    const other = site.template({ id: 't2', connectTimeoutS: 9 })
    const policy = site.policy({
      serverGroups: [
        site.group(),
        site.group({ id: 'b', template: other, serverNames: [{ kind: 'literal', host: 'b.example' }] }),
      ],
    })
    const made = snapshotOf(policy)
    expect([...clusters(made).keys()]).toEqual([app, `${app}@t2`, 'weir_filter'])
    expect(clusters(made).get(`${app}@t2`)).toMatchObject({ connect_timeout: '9s' })
    expect(routeNamed(made, 'b|__default_entry__')).toMatchObject({ route: { cluster: `${app}@t2` } })
  })
})

describe('templates and limits', () => {
  const manager = (snapshot: Snapshot, chain = 0): JsonObject => {
    const chains = listener(snapshot)?.['filter_chains'] as readonly {
      filters: readonly { typed_config: JsonObject }[]
    }[]
    const found = chains[chain]?.filters.at(-1)?.typed_config
    if (!found) throw new Error('no connection manager')
    return found
  }

  test('E20: the size of the header block', () => {
    expect(manager(snapshotOf(policyOf({ template: { maxRequestHeadersKb: 128 } })))).toMatchObject({
      max_request_headers_kb: 128,
    })
  })

  test('E21: time-outs', () => {
    const template = {
      clientHeaderTimeoutS: 7,
      keepaliveTimeoutS: 60,
      sendTimeoutS: 9,
      clientBodyTimeoutS: 30,
      proxyReadTimeoutS: 45,
      proxySendTimeoutS: 20,
      connectTimeoutS: 4,
    }
    const made = snapshotOf(policyOf({ template }))
    expect(manager(made)).toMatchObject({
      request_headers_timeout: '7s',
      common_http_protocol_options: { idle_timeout: '60s' },
      stream_idle_timeout: '30s',
      stream_flush_timeout: '9s',
    })
    expect(routeNamed(made, fallback)).toMatchObject({
      route: {
        timeout: '0s',
        idle_timeout: '45s',
        flush_timeout: '9s',
        retry_policy: { per_try_idle_timeout: '45s' },
      },
    })
    expect(clusters(made).get(app)).toMatchObject({ connect_timeout: '4s' })
  })

  test('without keep-alive a connection takes one request', () => {
    const made = manager(snapshotOf(policyOf({ template: { keepaliveTimeoutS: 0 } })))
    expect(made).toMatchObject({ common_http_protocol_options: { max_requests_per_connection: 1 } })
  })

  const settingsOf = (
    snapshot: Snapshot,
    name: string,
    filter = 'envoy.filters.http.ext_authz',
  ): JsonObject | undefined => {
    const filters = routeNamed(snapshot, name)?.['typed_per_filter_config'] as
      Readonly<Record<string, JsonObject>> | undefined
    return filters?.[filter]
  }

  test('E24: the body goes to the filter where something reads it', () => {
    const entries = [
      site.entry({ id: 'E', role: 'path', match: '/e' }),
      site.entry({ id: 'F', role: 'path', match: '/f', contentFilterActive: false }),
    ]
    const made = snapshotOf(policyOf({ entries }))
    const context = { 'weir.lb': 'http', 'weir.sg': 'site1', 'weir.mtls': 'off' }
    expect(settingsOf(made, 'site1|E')?.['check_settings']).toEqual({
      with_request_body: { max_request_bytes: 1048576, allow_partial_message: true, pack_as_bytes: true },
      context_extensions: { ...context, 'weir.entry': 'E' },
    })
    expect(routeNamed(made, 'site1|E')).toMatchObject({ request_body_buffer_limit: 2097152 })
    expect(settingsOf(made, 'site1|F')?.['check_settings']).toEqual({
      disable_request_body_buffering: true,
      context_extensions: { ...context, 'weir.entry': 'F' },
    })
    expect(routeNamed(made, 'site1|F')).not.toHaveProperty('request_body_buffer_limit')
  })

  test('E26: streams have a variant of their own, before the entry', () => {
    const backend = site.service({ http2: true })
    const entries = [site.entry({ id: 'E', role: 'path', match: '/e', grpc: true, backend })]
    const made = snapshotOf(policyOf({ entries, template: { websocket: true } }))
    expect(firstHost(made).routes.map(({ name }) => name)).toEqual([
      'site1|E|grpc',
      'site1|E|websocket',
      'site1|E',
      `${fallback}|websocket`,
      fallback,
    ])
    for (const [name, match] of [
      ['site1|E|grpc', { grpc: {} }],
      [
        'site1|E|websocket',
        {
          headers: expect.arrayContaining([
            { name: 'upgrade', string_match: { exact: 'websocket', ignore_case: true } },
          ]),
        },
      ],
    ] as const) {
      const route = routeNamed(made, name)
      expect(route).toMatchObject({ match, route: { idle_timeout: '3600s' } })
      expect(JSON.stringify(route)).not.toContain('per_try_idle_timeout')
      expect(settingsOf(made, name)).toMatchObject({
        check_settings: { disable_request_body_buffering: true },
      })
    }
  })

  const noGrpc: readonly (readonly [says: string, entry: Partial<MapEntry>])[] = [
    ['the entry does not say so', { grpc: false, backend: site.service({ http2: true }) }],
    ['the origin does not speak HTTP/2', { grpc: true }],
    [
      'nothing is buffered anyway',
      { grpc: true, backend: site.service({ http2: true }), contentFilterActive: false },
    ],
  ]
  for (const [says, entry] of noGrpc)
    test(`E26: no variant for gRPC when ${says}`, () => {
      const entries = [site.entry({ id: 'E', role: 'path', match: '/e', ...entry })]
      expect(routeNamed(snapshotOf(policyOf({ entries })), 'site1|E|grpc')).toBeUndefined()
    })

  test('E28: masked headers', () => {
    const made = snapshotOf(
      policyOf({ template: { maskHeaders: ['server*', 'x-powered-by', '*-Version', 'x-*-id'] } }),
    )
    expect(settingsOf(made, fallback, 'envoy.filters.http.header_mutation')).toMatchObject({
      mutations: {
        response_mutations: [
          { remove_on_match: { key_matcher: { prefix: 'server', ignore_case: true } } },
          { remove: 'x-powered-by' },
          { remove_on_match: { key_matcher: { safe_regex: { regex: '(?i).*\\-version' } } } },
          { remove_on_match: { key_matcher: { safe_regex: { regex: '(?i)x\\-.*\\-id' } } } },
        ],
      },
    })
  })

  test('E29: failing open is the second filter', () => {
    const made = snapshotOf(policyOf({ template: { failureMode: 'open' } }))
    expect(settingsOf(made, fallback)).toEqual(expect.objectContaining({ disabled: true }))
    expect(settingsOf(made, fallback, 'weir.ext_authz.open')).toMatchObject({
      check_settings: { context_extensions: { 'weir.sg': 'site1' } },
    })
    expect(settingsOf(made, 'unrecognized')).toMatchObject({
      check_settings: { context_extensions: { 'weir.sg': '' } },
    })
  })

  test('a body of undeclared size ends at the limit when the template says so', () => {
    const made = snapshotOf(
      policyOf({ template: { unsizedBody: 'limit', clientMaxBodyBytes: 5000, websocket: true } }),
    )
    expect(settingsOf(made, fallback, 'envoy.filters.http.buffer')).toMatchObject({
      buffer: { max_request_bytes: 5000 },
    })
    expect(settingsOf(made, `${fallback}|websocket`, 'envoy.filters.http.buffer')).toBeUndefined()
  })

  test('whether a request without length has a body is found out where the body is not read either', () => {
    const backend = site.service({ http2: true })
    const unread = { contentFilterActive: false, grpc: true, backend } as const
    const entries = [site.entry({ id: 'F', role: 'path', match: '/f', ...unread })]
    const made = snapshotOf(
      policyOf({ entries, template: { unsizedBody: 'length_required', websocket: false } }),
    )
    expect(firstHost(made).routes.map(({ name }) => name)).toEqual([
      'site1|F|grpc',
      'site1|F|unsized',
      'site1|F',
      fallback,
    ])
    expect(routeNamed(made, 'site1|F|unsized')).toMatchObject({
      match: { headers: [{ name: 'content-length', present_match: true, invert_match: true }] },
    })
    expect(settingsOf(made, 'site1|F|unsized')).toMatchObject({
      check_settings: { with_request_body: { max_request_bytes: 1, allow_partial_message: true } },
    })
  })

  test('E31: trusted peers have a chain of their own', () => {
    const made = snapshotOf(policyOf({ template: { trustedSources: ['10.0.0.0/8'] } }))
    const trusted = [{ address_prefix: '10.0.0.0', prefix_len: 8 }]
    expect(listener(made)?.['filter_chains']).toMatchObject([
      { name: 'plain|t', filter_chain_match: { source_prefix_ranges: trusted } },
      { name: 'plain|u' },
    ])
    expect(manager(made, 0)).toMatchObject({
      original_ip_detection_extensions: [
        {
          name: 'envoy.http.original_ip_detection.xff',
          typed_config: { xff_trusted_cidrs: { cidrs: trusted }, skip_xff_append: false },
        },
      ],
    })
    expect(manager(made, 0)).not.toHaveProperty('use_remote_address')
    expect(manager(made, 1)).toMatchObject({ use_remote_address: true })
  })

  test('E31: without trusted peers there is one chain', () => {
    expect(listener(snapshotOf(policyOf()))?.['filter_chains']).toMatchObject([{ name: 'plain|u' }])
  })

  test('E33: the client address in another header', () => {
    const made = snapshotOf(
      policyOf({ template: { trustedSources: ['10.0.0.0/8'], clientAddressHeaders: ['True-Client-IP'] } }),
    )
    expect(manager(made, 0)).toMatchObject({
      original_ip_detection_extensions: [{ typed_config: { header_name: 'true-client-ip' } }],
    })
  })

  test('the HTTP filters stand in their order', () => {
    const filters = manager(snapshotOf(policyOf()))['http_filters'] as readonly {
      name: string
      disabled?: boolean
    }[]
    expect(filters.map(({ name, disabled = false }) => `${disabled ? '-' : '+'} ${name}`)).toEqual([
      '+ envoy.filters.http.header_mutation',
      '- envoy.filters.http.compressor',
      '- envoy.filters.http.buffer',
      '+ envoy.filters.http.ext_authz',
      '- weir.ext_authz.open',
      '- envoy.filters.http.ext_proc',
      '- envoy.filters.http.stateful_session',
      '+ envoy.filters.http.router',
    ])
  })
})
