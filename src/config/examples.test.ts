// The worked examples of the specification (control-plane §6) that speak of documents, by number: what is refused, where,
// and in which words.
import { describe, expect, test } from '@jest/globals'
import { type LoadOptions, buildPolicy } from './load.ts'

type Entry = Readonly<Record<string, unknown>>
type Documents = Readonly<Record<string, readonly Entry[]>>

const entry = (more: Entry): Entry => ({
  name: 'e',
  acl_profile: '__acldefault__',
  acl_profile_active: true,
  content_filter_profile: '__defaultcontentfilter__',
  content_filter_profile_active: true,
  backend_service: 'app',
  ...more,
})
const fallback = entry({ id: '__default_entry__', match: '/' })
const group = (id: string, more: Entry = {}): Entry => ({
  id,
  name: id,
  server_names: ['www.example.com'],
  security_policy: 'sp1',
  proxy_template: 't1',
  ...more,
})
const policy = (map: readonly Entry[]): Entry => ({ id: 'sp1', name: 'sp1', session: [{ attrs: 'ip' }], map })
const service = (more: Entry = {}): Entry => ({
  id: 'app',
  name: 'app',
  http11: true,
  least_conn: false,
  sticky: 'none',
  transport_mode: 'default',
  back_hosts: [{ host: '10.0.0.1' }],
  ...more,
})

/** The site of the examples, but for these documents. */
const site = (more: Documents = {}): Documents => ({
  'server-groups': [group('site1')],
  'security-policies': [policy([fallback])],
  'backend-services': [service()],
  'proxy-templates': [{ id: 't1', name: 't1', trusted_nets: [] }],
  ...more,
})

function problemsOf(documents: Documents, options: LoadOptions = {}): readonly unknown[] {
  const built = buildPolicy(documents, options)
  if (built.ok) return []
  return built.problems.map(({ document, entry, field, reason }) => ({ document, entry, field, reason }))
}
const template = (more: Entry): Documents => ({
  'proxy-templates': [{ id: 't1', name: 't1', trusted_nets: [], ...more }],
})
const map = (...entries: readonly Entry[]): Documents => ({
  'security-policies': [policy([...entries, fallback])],
})
const hosts = (more: Entry): Documents => ({
  'backend-services': [service({ back_hosts: [{ host: '10.0.0.1', ...more }] })],
})

test('the site of the examples is right', () => {
  expect(problemsOf(site())).toEqual([])
})

describe('is refused', () => {
  const rows: readonly (readonly [
    string,
    Documents,
    readonly [document: string, entry: string, field: string],
    unknown,
  ])[] = [
    [
      'E03: a host in two groups, naming both',
      { 'server-groups': [group('a'), group('b')] },
      ['server-groups', 'b', 'server_names[0]'],
      'www.example.com is already served by group a',
    ],
    [
      'E06: two entries with the same match',
      map(entry({ id: 'a', match: '/api' }), entry({ id: 'b', match: '/api' })),
      ['security-policies', 'sp1', 'map[1].match'],
      expect.stringContaining('duplicate'),
    ],
    [
      'E06: what RE2 lacks, with its place',
      map(entry({ id: 'a', match: '(?<!x)y' })),
      ['security-policies', 'sp1', 'map[0].match'],
      expect.stringMatching(/at 0: .*look-behind/),
    ],
    [
      'E14: a cookie name that is no token',
      { 'backend-services': [service({ sticky: 'customcookie', sticky_cookie_name: 'my cookie name' })] },
      ['backend-services', 'app', 'sticky_cookie_name'],
      expect.any(String),
    ],
    [
      'E18: a variable that is not known',
      template({ upstream_host: '$foo' }),
      ['proxy-templates', 't1', 'upstream_host'],
      expect.any(String),
    ],
    [
      'E19: a backend on this machine',
      hosts({ host: 'localhost' }),
      ['backend-services', 'app', 'back_hosts[0].host'],
      expect.stringContaining('refers to this machine'),
    ],
    [
      'E19: a weight of nothing',
      hosts({ weight: 0 }),
      ['backend-services', 'app', 'back_hosts[0].weight'],
      expect.any(String),
    ],
    [
      'E19: less than no failures',
      hosts({ max_fails: -1 }),
      ['backend-services', 'app', 'back_hosts[0].max_fails'],
      expect.any(String),
    ],
    [
      'E19: port 0',
      hosts({ http_ports: [0] }),
      ['backend-services', 'app', 'back_hosts[0].http_ports[0]'],
      expect.any(String),
    ],
    [
      'E30: TLS versions with a gap',
      template({ ssl_protocols: ['TLSv1.1', 'TLSv1.3'] }),
      ['proxy-templates', 't1', 'ssl_protocols'],
      'not contiguous',
    ],
  ]
  test.each(rows)('%s', (_says, documents, [document, id, field], reason) => {
    expect(problemsOf(site(documents))).toEqual([{ document, entry: id, field, reason }])
  })
})

describe('is accepted', () => {
  const rows: readonly (readonly [string, Documents, LoadOptions])[] = [
    [
      'E04: entries of any order',
      map(entry({ id: '__root_entry__', match: '^/$' }), entry({ id: 'a', match: '/api' })),
      {},
    ],
    [
      'E06: the same match in two policies',
      {
        'security-policies': [policy([fallback]), { ...policy([fallback]), id: 'sp2' }],
      },
      {},
    ],
    [
      'E19: a backend on this machine, where that is allowed',
      hosts({ host: 'localhost' }),
      { allowLoopbackBackends: true },
    ],
  ]
  test.each(rows)('%s', (_says, documents, options) => {
    expect(problemsOf(site(documents), options)).toEqual([])
  })
})

test('E19: a backend on this machine, where it depends on the command, is told', () => {
  const built = buildPolicy(site(hosts({ host: 'localhost' })), { allowLoopbackBackends: 'with a warning' })
  expect(built.ok).toBe(true)
  expect(built.warnings).toEqual([
    {
      file: 'backend-services.json',
      document: 'backend-services',
      entry: 'app',
      field: 'back_hosts[0].host',
      reason:
        '"localhost" refers to this machine: weir control and weir filter --config, whose Envoys are elsewhere, refuse it',
      remedy: 'Name the origin’s own address, or set envoy.allow_loopback_backends.',
    },
  ])
})

test('E34: a trusted filter contributes its addresses, and nothing else', () => {
  const rule = {
    relation: 'OR',
    entries: [
      ['ip', '192.0.2.0/25', 'a'],
      ['asn', '13335', 'b'],
      {
        relation: 'AND',
        entries: [
          ['ip', '198.51.100.7', 'c'],
          ['path', '^/x', 'd'],
        ],
      },
    ],
  }
  const built = buildPolicy(
    site({
      ...template({ trusted_nets: [{ source: 'global_filter', gf_id: 'cf', comment: '' }] }),
      'global-filters': [
        {
          id: 'cf',
          name: 'cf',
          source: 'self-managed',
          mdate: '2026-01-02T03:04:05Z',
          active: true,
          tags: ['cdn'],
          action: 'action-monitor',
          rule,
        },
      ],
    }),
  )
  expect(built).toMatchObject({
    ok: true,
    policy: {
      serverGroups: [
        { template: { trustedSources: ['192.0.2.0/25', expect.stringMatching(/^198\.51\.100\.7(\/32)?$/)] } },
      ],
    },
  })
})
