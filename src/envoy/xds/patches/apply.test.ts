// What patches of templates do to resources, what they may not do, and how that is said (control-plane 2.13, E47).
import { describe, expect, test } from '@jest/globals'
import { type Problem, buildPolicy } from '#config'
import type { Json, JsonObject } from '../json.ts'
import { type XdsSettings, defaultXdsSettings } from '../settings.ts'
import { buildSnapshot } from '../snapshot.ts'
import { PatchesRefused } from './apply.ts'

const listeners: XdsSettings['listeners'] = [
  { id: 'http', protocol: 'http', address: '0.0.0.0', port: 8080, publicPort: 80 },
]

type Fields = Readonly<Record<string, unknown>>

const entry = (id: string, match: string): Fields => ({
  id,
  name: id,
  match,
  acl_profile: '__acldefault__',
  acl_profile_active: true,
  content_filter_profile: '__defaultcontentfilter__',
  content_filter_profile_active: false,
  backend_service: 'app',
})

const documents = (template: string, configuration: unknown, more: Fields = {}): Record<string, unknown> => ({
  'proxy-templates': [
    {
      id: template,
      name: template,
      trusted_nets: [],
      websocket: false,
      advanced_configuration: [
        {
          name: 'p',
          configuration: typeof configuration === 'string' ? configuration : JSON.stringify(configuration),
          ...more,
        },
      ],
    },
    ...(template === '__default__' ? [] : [{ id: '__default__', name: 'd', trusted_nets: [] }]),
  ],
  'server-groups': [
    {
      id: 'site1',
      name: 'site1',
      server_names: ['www.example.com'],
      security_policy: 'sp1',
      proxy_template: template,
    },
  ],
  'security-policies': [
    {
      id: 'sp1',
      name: 'sp1',
      session: [{ attrs: 'ip' }],
      map: [entry('E', '/e'), entry('__default_entry__', '/')],
    },
  ],
  'backend-services': [
    {
      id: 'app',
      name: 'app',
      http11: true,
      least_conn: false,
      sticky: 'none',
      transport_mode: 'https',
      back_hosts: [{ host: '10.0.0.1' }],
    },
  ],
})

type Outcome = { readonly resources: readonly JsonObject[] } | { readonly problems: readonly Problem[] }

function publish(documents: Record<string, unknown>, settings: Partial<XdsSettings> = {}): Outcome {
  const built = buildPolicy(documents)
  if (!built.ok) return { problems: built.problems }
  try {
    const { resources } = buildSnapshot(built.policy, { ...defaultXdsSettings, listeners, ...settings })
    return { resources: [...resources.values()].flat().map(({ json }) => json) }
  } catch (error) {
    if (error instanceof PatchesRefused) return { problems: error.problems }
    throw error
  }
}

function applied(
  documents: Record<string, unknown>,
  settings: Partial<XdsSettings> = {},
): readonly JsonObject[] {
  const outcome = publish(documents, settings)
  if ('problems' in outcome) throw new Error(JSON.stringify(outcome.problems))
  return outcome.resources
}

function problemsOf(
  configuration: unknown,
  template = 't1',
  settings: Partial<XdsSettings> = {},
): readonly Problem[] {
  const outcome = publish(documents(template, configuration), settings)
  return 'problems' in outcome ? outcome.problems : []
}

/** Every object in it that has this name. */
function named(value: Json | undefined, name: string): readonly JsonObject[] {
  if (typeof value !== 'object' || value === null) return []
  const inner = Object.values(value).flatMap((item: Json) => named(item, name))
  return !Array.isArray(value) && (value as JsonObject)['name'] === name
    ? [value as JsonObject, ...inner]
    : inner
}
const find = (resources: readonly JsonObject[], name: string): JsonObject =>
  resources.flatMap((one) => named(one, name))[0] ?? {}

describe('E47 advanced configuration', () => {
  test('E47 a merge patch of an entry changes its routes and no others', () => {
    const made = applied(
      documents('t1', { target: 'route', match: { entry: 'E' }, merge: { route: { idle_timeout: '600s' } } }),
    )
    expect(find(made, 'site1|E')).toMatchObject({ route: { idle_timeout: '600s', timeout: '0s' } })
    expect(find(made, 'site1|__default_entry__')).toMatchObject({ route: { idle_timeout: '60s' } })
  })

  test('E47 a patch that takes the filter away is refused, by name', () => {
    expect(
      problemsOf(
        { target: 'http_connection_manager', patch: [{ op: 'remove', path: '/http_filters/3' }] },
        '__default__',
      ),
    ).toEqual([
      expect.objectContaining({
        document: 'proxy-templates',
        entry: '__default__',
        field: 'advanced_configuration[0]',
        reason: 'removes envoy.filters.http.ext_authz at /http_filters',
      }),
    ])
  })

  test('E47 a field that Envoy does not know is refused, with its place', () => {
    expect(problemsOf({ target: 'route', merge: { route: { idle_timout: '1s' } } })).toEqual([
      expect.objectContaining({ entry: 't1', reason: 'unknown field idle_timout at /route/idle_timout' }),
    ])
  })
})

describe('an expression that RE2 does not take', () => {
  test.each([
    [
      { route: { regex_rewrite: { pattern: { regex: '(' }, substitution: 'x' } } },
      '/route/regex_rewrite/pattern/regex',
    ],
    [
      { route: { cors: { allow_origin_string_match: [{ safe_regex: { regex: '(?=a)' } }] } } },
      '/route/cors/allow_origin_string_match/0/safe_regex/regex',
    ],
  ])('%j', (merge, pointer) => {
    expect(problemsOf({ target: 'route', merge })).toEqual([
      expect.objectContaining({
        entry: 't1',
        reason: expect.stringMatching(`^invalid regex at \\d+: .* at ${pointer}$`),
        remedy: 'Correct the expression there; the syntax is that of RE2.',
      }),
    ])
  })
})

describe('a patch that names what is not there', () => {
  const warningsOf = (configuration: unknown): readonly string[] => {
    const built = buildPolicy(documents('t1', configuration))
    return built.warnings.flatMap(({ entry, reason, remedy }) =>
      entry === 't1' ? [`${reason} ${remedy}`] : [],
    )
  }
  const merge = {}

  test.each([
    [{ target: 'route', match: { entry: 'E' }, merge }, []],
    [{ target: 'route', merge }, []],
    [{ target: 'virtual_host', match: { entry: '__default_entry__' }, merge }, []],
    [{ target: 'cluster', match: { service: 'app' }, merge }, []],
    [{ target: 'downstream_tls', match: { listener: 'http' }, merge }, []],
    [
      { target: 'route', match: { entry: 'e' }, merge },
      [
        expect.stringMatching(
          /^no site with this template has the map entry "e", so the patch changes nothing Did you mean "E"\?/,
        ),
      ],
    ],
    [
      { target: 'cluster', match: { service: 'ap' }, merge },
      [expect.stringMatching(/backend service "ap".*Did you mean "app"\?/)],
    ],
    [
      { target: 'downstream_tls', match: { listener: 'htps' }, merge },
      [expect.stringMatching(/load balancer "htps"/)],
    ],
    [
      [
        { target: 'route', merge },
        { target: 'route', match: { entry: 'none' }, merge },
      ],
      [expect.stringMatching(/^patch 2: no site/)],
    ],
  ])('%j', (configuration, wanted) => {
    expect(warningsOf(configuration)).toEqual(wanted)
  })

  test('in a template that no site uses, nothing is said', () => {
    const built = buildPolicy({
      ...documents('t1', {}),
      ...{
        'proxy-templates': [
          { id: 't1', name: 't1', trusted_nets: [] },
          {
            id: 'spare',
            name: 'spare',
            trusted_nets: [],
            advanced_configuration: [
              { name: 'p', configuration: '{"target": "route", "match": {"entry": "x"}, "merge": {}}' },
            ],
          },
        ],
      },
    })
    expect(built.warnings.filter(({ entry }) => entry === 'spare')).toEqual([])
  })
})

describe('a patch is applied', () => {
  test('to the virtual hosts of the sites that have the entry', () => {
    const patch = (entry: string): Fields => ({
      target: 'virtual_host',
      match: { entry },
      merge: { response_headers_to_remove: ['server'] },
    })
    expect(find(applied(documents('t1', patch('E'))), 'site1')).toMatchObject({
      response_headers_to_remove: ['server'],
    })
    expect(find(applied(documents('t1', patch('F'))), 'site1')).not.toHaveProperty(
      'response_headers_to_remove',
    )
  })

  test('as YAML, in order, several in one text', () => {
    const text = [
      '- target: route',
      '  merge: {route: {timeout: 5s}}',
      '- target: route',
      '  patch:',
      '    - {op: test, path: /route/timeout, value: 5s}',
      '    - {op: add, path: /response_headers_to_remove, value: [x-powered-by]}',
    ].join('\n')
    expect(find(applied(documents('t1', text)), 'site1|E')).toMatchObject({
      route: { timeout: '5s' },
      response_headers_to_remove: ['x-powered-by'],
    })
  })

  test('to clusters, which then bear the name of the template', () => {
    const made = applied(
      documents('t1', [
        { target: 'cluster', match: { service: 'app' }, merge: { per_connection_buffer_limit_bytes: 32768 } },
        { target: 'upstream_tls', merge: { common_tls_context: { alpn_protocols: ['http/1.1'] } } },
      ]),
    )
    expect(find(made, 'be|app|https@t1')).toMatchObject({
      per_connection_buffer_limit_bytes: 32768,
      transport_socket: { typed_config: { common_tls_context: { alpn_protocols: ['http/1.1'] } } },
    })
    expect(find(made, 'site1|E')).toMatchObject({ route: { cluster: 'be|app|https@t1' } })
    expect(find(made, 'be|app|https')).toEqual({})
  })

  test('to virtual hosts', () => {
    const headers = [{ header: { key: 'strict-transport-security', value: 'max-age=63072000' } }]
    const made = applied(
      documents('t1', { target: 'virtual_host', merge: { response_headers_to_add: headers } }),
    )
    expect(find(made, 'site1')).toMatchObject({ response_headers_to_add: headers })
  })

  test.each([
    ['__default__', 'at.example'],
    ['t1', undefined],
  ])('to the connections of plaintext listeners only from the template of all: %s', (template, via) => {
    const made = applied(
      documents(template, { target: 'http_connection_manager', merge: { via: 'at.example' } }),
    )
    const manager = find(made, 'envoy.filters.network.http_connection_manager')
    expect((manager['typed_config'] as JsonObject)['via']).toBe(via)
  })

  test('only on listeners of the named protocols', () => {
    const made = applied(
      documents('t1', { target: 'route', merge: { route: { timeout: '5s' } } }, { protocol: ['https'] }),
    )
    expect(find(made, 'site1|E')).toMatchObject({ route: { timeout: '0s' } })
  })

  test('to what is not listed, where the installation says so', () => {
    const unsafe = { patches: { unsafe: true, allow: [] } }
    const change = { target: 'filter_chain', merge: { transport_socket_connect_timeout: '3s' } }
    expect(find(applied(documents('__default__', change), unsafe), 'plain|u')).toMatchObject({
      transport_socket_connect_timeout: '3s',
    })
  })
})

const clusterOf = (merge: Fields): Fields => ({ target: 'cluster', merge })
const routeOf = (merge: Fields): Fields => ({ target: 'route', merge })
const grow = (path: string, value: unknown, target = 'route'): Fields => ({
  target,
  patch: [{ op: 'add', path, value }],
})
const logger = (type: string, fields: Fields): Fields => ({
  name: 'x',
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.access_loggers.${type}`, ...fields },
})

describe('a patch is refused that', () => {
  const rows: readonly (readonly [string, unknown, string])[] = [
    [
      'sends requests elsewhere',
      routeOf({ route: { cluster: 'weir_control' } }),
      'may not be changed at /route/cluster',
    ],
    [
      'changes who is asked',
      routeOf({ typed_per_filter_config: null }),
      'may not be changed at /typed_per_filter_config',
    ],
    [
      'changes what a route matches',
      routeOf({ match: { case_sensitive: false } }),
      'may not be changed at /match/case_sensitive',
    ],
    ['names a route anew', routeOf({ name: 'x' }), 'may not be changed at /name'],
    [
      'takes a generated header away',
      routeOf({ request_headers_to_add: [] }),
      'may not be changed at /request_headers_to_add',
    ],
    [
      'speaks in the name of the filter',
      grow('/request_headers_to_add/-', { header: { key: 'X_Weir-Verdict', value: 'pass' } }),
      'X_Weir-Verdict is given by Weir alone at /request_headers_to_add/1/header/key',
    ],
    [
      'states the certificate of a client',
      grow('/request_headers_to_add/-', { header: { key: 'SSL_CLIENT_VERIFY', value: 'SUCCESS' } }),
      'SSL_CLIENT_VERIFY is given by Weir alone at /request_headers_to_add/1/header/key',
    ],
    [
      'states the address of a client',
      grow('/request_headers_to_add/-', { header: { key: 'x-real-ip', value: '1.2.3.4' } }),
      'x-real-ip is given by Weir alone at /request_headers_to_add/1/header/key',
    ],
    [
      'changes where a service is',
      clusterOf({ load_assignment: { cluster_name: 'x' } }),
      'may not be changed at /load_assignment',
    ],
    [
      'says the same in other letters',
      clusterOf({ transportSocket: { name: 'x' } }),
      'duplicate field: "transportSocket"',
    ],
    ['is no value for Envoy', clusterOf({ connect_timeout: '0s' }), 'must be > 0 s at /connect_timeout'],
    ['has a value of the wrong kind', routeOf({ route: { timeout: 5 } }), 'at /route/timeout'],
    [
      'reads a file of the proxy',
      {
        target: 'upstream_tls',
        merge: { common_tls_context: { tls_certificates: [{ private_key: { filename: '/etc/key' } }] } },
      },
      'filename is no source that a patch may use at /common_tls_context/tls_certificates/0/private_key/filename',
    ],
    [
      'reads a variable of the proxy',
      clusterOf({ metadata: { filter_metadata: { x: { environment_variable: 'HOME' } } } }),
      'environment_variable is no source that a patch may use',
    ],
    [
      'removes what is not there',
      { target: 'route', patch: [{ op: 'remove', path: '/cors' }] },
      'there is nothing at /cors',
    ],
    [
      'leaves nothing',
      { target: 'route', patch: [{ op: 'replace', path: '', value: 1 }] },
      'leaves no resource',
    ],
    ['has no target', { merge: {} }, 'target: required'],
    [
      'has another target',
      { target: 'listener', merge: {} },
      'target: must be one of http_connection_manager',
    ],
    [
      'is narrowed to what it has not',
      { target: 'route', match: { service: 'app' }, merge: {} },
      'unknown field "service"',
    ],
    ['has two changes', { target: 'route', merge: {}, patch: [] }, 'one of merge and patch is needed'],
    [
      'has an unknown operation',
      { target: 'route', patch: [{ op: 'set', path: '/x' }] },
      'patch[0]: op must be one of',
    ],
    ['is no JSON', '[{"target": }]', 'line 1, column 13'],
    ['is no list', 'hello', 'must be a list of patches'],
    ['is long', `["${'x'.repeat(65_536)}"]`, 'must be ≤ 64 KB'],
    [
      'grows without end',
      [
        'a: &a [x,x,x,x,x,x,x,x,x]',
        ...'bcdefgh'.split('').map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`),
      ].join('\n'),
      'holds more than 20000 values',
    ],
    [
      'is a snippet of nginx',
      '-----BEGIN SERVER-----\nproxy_pass http://app;\n',
      'the nginx directive proxy_pass cannot be run',
    ],
  ]
  test.each(rows)('%s', (_says, configuration, reason) => {
    const problems = problemsOf(configuration)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({
      entry: 't1',
      field: 'advanced_configuration[0]',
      reason: expect.stringContaining(reason),
    })
    expect(problems[0]?.remedy).not.toBe('')
  })

  const managers: readonly (readonly [string, unknown, string])[] = [
    ['opens upgrades', { merge: { upgrade_configs: [] } }, 'may not be changed at /upgrade_configs'],
    [
      'loosens the reading of requests',
      { merge: { normalize_path: false } },
      'may not be changed at /normalize_path',
    ],
    [
      'ends the access log',
      { merge: { access_log: [] } },
      'removes envoy.access_loggers.http_grpc at /access_log',
    ],
    [
      'takes a limit of HTTP/2 away',
      { merge: { http2_protocol_options: { max_concurrent_streams: null } } },
      'may not be changed at /http2_protocol_options/max_concurrent_streams',
    ],
    [
      'writes a file',
      {
        patch: [
          {
            op: 'add',
            path: '/access_log/-',
            value: logger('file.v3.FileAccessLog', { path: '/etc/cron.d/x' }),
          },
        ],
      },
      'a patch may log to /dev/stdout and /dev/stderr alone at /access_log/1/typed_config/path',
    ],
    [
      'runs code',
      { merge: { tracing: { provider: { name: 'envoy.filters.http.lua' } } } },
      'envoy.filters.http.lua needs the setting envoy.advanced.allow at /tracing/provider/name',
    ],
  ]
  test.each(managers)('%s on connections', (_says, change, reason) => {
    const problems = problemsOf({ target: 'http_connection_manager', ...(change as Fields) }, '__default__')
    expect(problems.map(({ reason: said }) => said)).toEqual([expect.stringContaining(reason)])
  })

  test('says which of several it is, and all of them', () => {
    const good = routeOf({ route: { timeout: '5s' } })
    const reasons = problemsOf([
      routeOf({ name: 'x' }),
      good,
      routeOf({ match: { case_sensitive: false } }),
    ]).map(({ reason }) => reason)
    expect(reasons).toEqual([
      'patch 1: may not be changed at /name',
      'patch 3: may not be changed at /match/case_sensitive',
    ])
  })
})

test('a log to standard output may be added', () => {
  const value = logger('file.v3.FileAccessLog', { path: '/dev/stdout' })
  const made = applied(documents('__default__', grow('/access_log/-', value, 'http_connection_manager')))
  const manager = find(made, 'envoy.filters.network.http_connection_manager')
  expect(manager).toMatchObject({ typed_config: { access_log: [expect.anything(), value] } })
})

test.each([
  [
    'conf_specific',
    'proxy_read_timeout 300s;',
    'the nginx directive proxy_read_timeout cannot be run',
    'Use proxy_read_timeout.',
  ],
  [
    'ssl_conf_specific',
    'ssl_protocols TLSv1.2;',
    'the nginx directive ssl_protocols cannot be run',
    'Use ssl_protocols.',
  ],
])('%s is refused with the field that says the same', (field, text, reason, remedy) => {
  const outcome = buildPolicy({
    'proxy-templates': [{ id: 't1', name: 't1', trusted_nets: [], [field]: text }],
  })
  expect(outcome.ok ? [] : outcome.problems).toContainEqual(
    expect.objectContaining({ field, reason, remedy }),
  )
})
