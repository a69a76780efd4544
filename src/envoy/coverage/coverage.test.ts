// What the coverage view says of a site, row by row; and that it says of bodies and failure modes what the routes do that
// Envoy gets.
import { describe, expect, test } from '@jest/globals'
import type { Certificate, ContentFilterProfile, MapEntry, RateLimitRule, ServerGroup } from '#config'
import { type Json, type JsonObject, isObject } from '../xds/json.ts'
import { defaultXdsSettings } from '../xds/settings.ts'
import type { ListenerSettings } from '../xds/settings.ts'
import {
  contentFilter,
  entry,
  group,
  policy,
  securityPolicy,
  service,
  template,
} from '../xds/sites.fixture.ts'
import { buildSnapshot } from '../xds/snapshot.ts'
import { certificateCoverage } from './certificate-coverage.ts'
import { type EntryCoverage, coverageOf } from './coverage.ts'

const now = Date.UTC(2026, 10, 21, 12)
const dayMs = 24 * 60 * 60 * 1000

const http: ListenerSettings = {
  id: 'http',
  protocol: 'http',
  address: '0.0.0.0',
  port: 8080,
  publicPort: 80,
}
const https: ListenerSettings = {
  id: 'https',
  protocol: 'https',
  address: '0.0.0.0',
  port: 8443,
  publicPort: 443,
  defaultCertificate: undefined,
  certificates: [],
}
const noBackends = { backends: undefined, now }

const certificate = (with_: Partial<Certificate> = {}): Certificate => ({
  id: 'web',
  name: 'web',
  side: 'server',
  chain: 'chain',
  key: 'key',
  names: ['www.example.com'],
  expires: now + 90 * dayMs,
  crl: [],
  ...with_,
})

const rule = (id: string, with_: Partial<RateLimitRule> = {}): RateLimitRule => ({
  id,
  name: id,
  tags: [],
  global: false,
  timeframeMs: 60_000,
  key: [{ in: 'attrs', attribute: 'ip' }],
  event: undefined,
  thresholds: [],
  include: { relation: 'OR', tags: [] },
  exclude: { relation: 'OR', tags: [] },
  banMs: undefined,
  connectedTo: new Set(),
  ...with_,
})

const rules = contentFilter({ active: ['cf-rule-risk:5' as ContentFilterProfile['active'][number]] })
const quiet = template({ websocket: false })

/** The row of one entry at a site without WebSockets. */
function rowOf(
  with_: Partial<MapEntry>,
  site: Partial<ServerGroup> = {},
  limits: readonly RateLimitRule[] = [],
) {
  const one = group({
    template: quiet,
    policy: securityPolicy({ entries: [entry({ contentFilter: rules, ...with_ })] }),
    ...site,
  })
  const view = coverageOf(policy({ serverGroups: [one], rateLimitRules: limits }), {
    listeners: [http],
    ...noBackends,
  })
  return view.sites[0]?.entries[0]
}

describe('whether requests of a path are inspected, and why not', () => {
  const buffer = quiet.clientBodyBufferBytes
  const rows: readonly (readonly [string, Partial<MapEntry>, Partial<EntryCoverage>])[] = [
    ['everything', {}, { inspection: 'full', why: [], bodyBytes: buffer }],
    [
      'content filter off',
      { contentFilterActive: false },
      { inspection: 'none', why: ['the content filter is off'], bodyBytes: undefined },
    ],
    [
      'content filter off, and a limit counts by an argument',
      { contentFilterActive: false, rateLimitRules: [rule('r', { key: [{ in: 'args', name: 'user' }] })] },
      { inspection: 'none', bodyBytes: buffer, rateLimits: ['r'] },
    ],
    [
      'bodies ignored',
      { contentFilter: { ...rules, ignoreBody: true } },
      {
        inspection: 'head',
        why: ['profile __defaultcontentfilter__ ignores bodies'],
        bodyBytes: undefined,
      },
    ],
    [
      'a profile without rules',
      { contentFilter: contentFilter() },
      { inspection: 'none', why: ['profile __defaultcontentfilter__ activates no rules'] },
    ],
    [
      'a profile that only reports',
      { contentFilter: { ...contentFilter(), report: rules.active } },
      { inspection: 'full', why: ['profile __defaultcontentfilter__ only reports'] },
    ],
    [
      'gRPC',
      { grpc: true, backend: service({ http2: true }) },
      { inspection: 'full', why: ['messages of gRPC calls are not read'] },
    ],
    ['gRPC without HTTP/2 has no route of its own', { grpc: true }, { inspection: 'full', why: [] }],
    ['ACL off', { aclActive: false }, { acl: { profile: '__acldefault__', active: false } }],
  ]
  test.each(rows)('%s', (...[, with_, expected]) => {
    expect(rowOf(with_)).toMatchObject(expected)
  })

  test('WebSockets', () => {
    expect(rowOf({}, { template: template() })?.why).toEqual(['frames of WebSockets are not read'])
  })

  test('limits of the path, of the site and of everybody, each once', () => {
    const siteLevel = entry({
      id: '__site_level__',
      role: 'site-level',
      rateLimitRules: [rule('b'), rule('a')],
    })
    const own = entry({ rateLimitRules: [rule('a')] })
    const site = { policy: securityPolicy({ entries: [own, siteLevel] }) }
    expect(rowOf({}, site, [rule('g', { global: true }), rule('elsewhere')])?.rateLimits).toEqual([
      'a',
      'b',
      'g',
    ])
  })
})

describe('a site', () => {
  const siteOf = (with_: Partial<ServerGroup>, listeners: readonly ListenerSettings[] = [http, https]) =>
    coverageOf(policy({ serverGroups: [group(with_)] }), { listeners, ...noBackends }).sites[0]

  test('its paths stand in the order in which they are looked for', () => {
    const entries = [
      entry({ id: 'd' }),
      entry({ id: 'short', role: 'path', match: '^/a' }),
      entry({ id: 'long', role: 'path', match: '^/a/b' }),
      entry({ id: 'r', role: 'root', match: '^/$' }),
      entry({ id: 's', role: 'site-level' }),
    ]
    const site = siteOf({ policy: securityPolicy({ entries }) })
    expect(site?.entries.map(({ id, match }) => `${id} ${match}`)).toEqual([
      'r /',
      'long ^/a/b',
      'short ^/a',
      'd ',
    ])
  })

  test('one that asks for certificates is closed, whatever its template says', () => {
    const open = template({ failureMode: 'open' })
    const asked = { mode: 'on', ca: certificate({ id: 'ca', expires: now + dayMs }), crl: [] } as const
    expect(siteOf({ template: open })?.failureMode).toBe('open')
    expect(siteOf({ template: open, clientCertificate: asked })).toMatchObject({
      failureMode: 'closed',
      clientCertificates: { mode: 'on', crl: true, ca: { id: 'ca', days: 1, state: 'expires soon' } },
    })
  })

  test('TLS that is passed through is not inspected, and shows no certificate of ours', () => {
    const passed = { tcpPassthrough: true, certificate: certificate() }
    expect(siteOf(passed)?.entries.map(({ role, inspection, why }) => ({ role, inspection, why }))).toEqual([
      { role: 'passthrough', inspection: 'none', why: ['TLS is passed through unopened'] },
      expect.objectContaining({ role: 'default' }),
    ])
    expect(siteOf(passed)?.certificate).toBeUndefined()
    expect(siteOf(passed, [http])?.entries).toHaveLength(1)
  })

  test('without a TLS listener its certificate is shown to nobody', () => {
    expect(siteOf({ certificate: certificate() }, [http])?.certificate).toBeUndefined()
    expect(siteOf({ certificate: certificate() })?.certificate?.id).toBe('web')
  })

  test('sites are sorted; the one of all other hosts is named', () => {
    const everything = group({ id: 'a', serverNames: [{ kind: 'everything' }] })
    const view = (...groups: readonly ServerGroup[]) =>
      coverageOf(policy({ serverGroups: groups }), { listeners: [http], ...noBackends })
    expect(view(group({ id: 'b' }), everything).sites.map(({ id }) => id)).toEqual(['a', 'b'])
    expect(view(group(), everything).otherHosts).toBe('a')
    expect(view(group()).otherHosts).toBeUndefined()
  })

  test('patches, by name and target', () => {
    const patch = {
      name: 'slow uploads',
      field: 'advanced_configuration[0]',
      position: 0,
      target: 'route',
      protocols: ['http'],
      listener: undefined,
      entry: 'up',
      service: undefined,
      change: { kind: 'merge', merge: {} },
    } as const
    expect(siteOf({ template: template({ advanced: [patch] }) })?.patches).toEqual([
      { name: 'slow uploads', target: 'route', protocols: ['http'], only: 'up' },
    ])
  })

  test('what became of requests to its backend', () => {
    const health = { requests: 9, failures: [{ reason: 'answered 503', count: 2 }] }
    const view = coverageOf(policy(), { listeners: [http], backends: new Map([['app', health]]), now })
    expect(view.sites[0]?.entries[0]).toMatchObject({ backend: 'app', health })
  })
})

describe('a certificate', () => {
  test.each([
    [90, 'valid'],
    [14, 'valid'],
    [13, 'expires soon'],
    [0, 'expires soon'],
    [-1, 'expired'],
  ] as const)('with %i days left: %s', (days, state) => {
    const one = certificate({ expires: now + days * dayMs })
    expect(certificateCoverage(one, [], now)).toMatchObject({ days, state })
  })

  test('the placeholder has no end', () => {
    const one = certificate({ id: 'placeholder', expires: Number.MAX_SAFE_INTEGER, names: [] })
    expect(certificateCoverage(one, ['www.example.com'], now)).toEqual({
      id: 'placeholder',
      expires: undefined,
      days: undefined,
      state: 'placeholder',
      unfit: [],
    })
  })

  test.each([
    ['www.example.com', true],
    ['www.example.com:8443', true],
    ['a.shop.example', true],
    ['*.shop.example', true],
    ['a.b.shop.example', false],
    ['shop.example', false],
    ['other.example', false],
    ['~^api[0-9]', true],
    ['__default__', true],
  ])('made for www.example.com and *.shop.example fits %s: %s', (host, fits) => {
    const one = certificate({ names: ['www.example.com', '*.shop.example'] })
    expect(certificateCoverage(one, [host], now).unfit).toHaveLength(fits ? 0 : 1)
  })
})

/** Every object inside a resource. */
function objectsIn(value: Json): readonly JsonObject[] {
  if (isObject(value)) return [value, ...Object.values(value).flatMap(objectsIn)]
  return Array.isArray(value) ? value.flatMap(objectsIn) : []
}

test('what it says of bodies and failure modes is what the routes do', () => {
  const entries = [
    entry({ id: 'full', role: 'path', match: '^/full' }),
    entry({ id: 'off', role: 'path', match: '^/off', contentFilterActive: false }),
    entry({ id: 'head', role: 'path', match: '^/head', contentFilter: contentFilter({ ignoreBody: true }) }),
    entry({
      id: 'counted',
      role: 'path',
      match: '^/counted',
      contentFilterActive: false,
      rateLimitRules: [rule('r', { event: { in: 'args', name: 'q' } })],
    }),
    entry(),
  ]
  const sites = [
    group({
      id: 'closed',
      policy: securityPolicy({ entries }),
      template: template({ clientBodyBufferBytes: 8192 }),
    }),
    group({
      id: 'open',
      serverNames: [{ kind: 'literal', host: 'open.example' }],
      policy: securityPolicy({ entries }),
      template: template({ id: 'o', failureMode: 'open' }),
    }),
  ]
  const one = policy({ serverGroups: sites })
  const snapshot = buildSnapshot(one, { ...defaultXdsSettings, listeners: [http] })
  const [table] = snapshot.resources.get('type.googleapis.com/envoy.config.route.v3.RouteConfiguration') ?? []
  const routeOf = (name: string): JsonObject | undefined =>
    objectsIn(table?.json ?? {}).find((one) => one['name'] === name && 'typed_per_filter_config' in one)

  const view = coverageOf(one, { listeners: [http], ...noBackends })
  const said = view.sites.flatMap((site) => site.entries.map((path) => ({ site, path })))
  expect(said).toHaveLength(10)
  for (const { site, path } of said) {
    const route = routeOf(`${site.id}|${path.id}`)
    const limit = route?.['request_body_buffer_limit']
    expect([path.id, limit]).toEqual([path.id, path.bodyBytes === undefined ? undefined : 2 * path.bodyBytes])
    const open = Object.keys((route?.['typed_per_filter_config'] ?? {}) as object).includes(
      'weir.ext_authz.open',
    )
    expect(open ? 'open' : 'closed').toBe(site.failureMode)
  }
})
