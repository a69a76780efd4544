// Every kind of document: its own examples are right, what is left out has the documented value, and other names and
// spellings mean the same (spec pipeline 7, control-plane 1).
import { describe, expect, test } from '@jest/globals'
import { chain, key, pfx } from '../certificate/certificate.fixture.ts'
import { buildPolicy } from '../load.ts'
import type { Finding, Report } from '../problem.ts'
import type { DocumentKind } from './document.ts'
import { documents } from './index.ts'

type Found = { readonly problems: string[]; readonly warnings: string[] }

function read(namespace: string, entry: unknown): Found & { readonly parsed: unknown } {
  const kind: DocumentKind<unknown> | undefined = documents.find((one) => one.namespace === namespace)
  if (kind === undefined) throw new Error(`no document ${namespace}`)
  const found: Found = { problems: [], warnings: [] }
  const line = (field: string, { reason }: Finding): string => `${field}: ${reason}`
  const report: Report = {
    problem: (field, finding) => found.problems.push(line(field, finding)),
    warning: (field, finding) => found.warnings.push(line(field, finding)),
  }
  return { ...found, parsed: kind.read(entry, report) }
}

type Fields = Readonly<Record<string, unknown>>

/** The smallest entry of each kind: its required fields. */
const smallest: Readonly<Record<string, Fields>> = {
  actions: { id: 'e', type: 'block' },
  'global-filters': { id: 'e', active: true, source: 'self-managed', mdate: '2026-01-02T03:04:05Z' },
  'flow-control-policies': {
    id: 'e',
    active: true,
    timeframe: 60,
    key: [{ attrs: 'ip' }],
    steps: [
      { method: 'GET', uri: '/a' },
      { method: 'POST', uri: '/a' },
    ],
  },
  'rate-limit-rules': { id: 'e', global: true, timeframe: 60, thresholds: [{ limit: 3, action: 'a' }] },
  'acl-profiles': { id: 'e' },
  'content-filter-rules': { id: 'e', operand: 'x', risk: 3, category: 'c', subcategory: 's', msg: 'm' },
  'content-filter-profiles': {
    id: 'e',
    ignore_alphanum: false,
    decoding: {},
    masking_seed: 's',
    headers: {},
    cookies: {},
    args: {},
    path: {},
  },
  'backend-services': { id: 'e', http11: true, least_conn: false, back_hosts: [{ host: 'a.example' }] },
  'proxy-templates': { id: 'e' },
  'security-policies': {
    id: 'e',
    map: [{ id: '__default_entry__', name: 'd', match: '/', backend_service: 'app' }],
  },
  'server-groups': { id: 'e', server_names: ['www.example.com'] },
  certificates: { id: 'e', cert_body: chain, private_key: key },
  'load-balancers': { id: 'e', listener_port: 8080 },
  'edge-functions': { id: 'e', phase: 'request_pre', code: '' },
  'mobile-application-groups': { id: 'e' },
  'system-db': { id: 'traffic', value: {} },
}

const kinds = documents.map(({ namespace }) => namespace)

describe('every kind of document', () => {
  test.each(kinds)('%s: its examples are right', (...[namespace]) => {
    const examples = documents.find((one) => one.namespace === namespace)?.examples ?? []
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(read(namespace, example).problems).toEqual([])
  })

  test.each(kinds)('%s: its required fields are enough, and each is required', (...[namespace]) => {
    const entry = smallest[namespace] ?? {}
    expect(read(namespace, entry).problems).toEqual([])
    for (const field of Object.keys(entry)) {
      const { [field]: _, ...rest } = entry
      expect(read(namespace, rest).problems).toEqual([`${field}: required`])
    }
  })

  test.each(kinds)('%s: fields of old exports are accepted, others are not', (...[namespace]) => {
    const old = { routing_profile: 'x', custom_listener: false, last_activated: 1, description: null }
    expect(read(namespace, { ...smallest[namespace], ...old }).problems).toEqual([])
    const { problems } = read(namespace, { ...smallest[namespace], colour: 'red' })
    expect(problems).toEqual(['colour: unknown field "colour"'])
  })

  test('all of them', () => {
    expect(Object.keys(smallest).toSorted()).toEqual([...kinds].toSorted())
  })
})

const section = (maxCount: number | undefined, maxLength: number | undefined) => ({
  maxCount,
  maxLength,
  names: [],
  regex: [],
})

describe('what is left out has the documented value', () => {
  const rows: readonly (readonly [namespace: string, changes: Fields, parsed: Fields])[] = [
    ['actions', {}, { name: 'e', tags: [], type: 'block', status: 503, headers: [], content: undefined }],
    ['actions', { type: 'challenge' }, { status: 247, apiStatus: undefined, headers: [] }],
    ['actions', { type: 'interactive_challenge' }, { status: 247 }],
    ['global-filters', {}, { tags: [], actionId: undefined, rule: { relation: 'OR', entries: [] } }],
    ['global-filters', { action: null }, { actionId: undefined }],
    ['flow-control-policies', {}, { tags: [], include: [], exclude: [], timeframeMs: 60_000 }],
    [
      'rate-limit-rules',
      {},
      {
        active: true,
        key: [],
        event: undefined,
        include: { relation: 'OR', tags: [] },
        exclude: { relation: 'OR', tags: [] },
        banMs: undefined,
        timeframeMs: 60_000,
      },
    ],
    [
      'acl-profiles',
      {},
      {
        actionId: 'action-acl-block',
        forceDeny: [],
        passthrough: [],
        allowBot: [],
        denyBot: [],
        allow: [],
        deny: [],
      },
    ],
    ['content-filter-rules', {}, { risk: 3, message: 'm', tags: [] }],
    [
      'content-filter-profiles',
      {},
      {
        actionId: 'action-contentfilter-block',
        active: [],
        report: [],
        ignore: [],
        ignoreBody: false,
        contentTypes: [],
        decoding: { base64: true, dual: false, html: false, unicode: false },
        graphqlPath: '',
        maxBodyDepth: 100,
        maxBodySize: undefined,
        refererAsUri: false,
        sections: {
          headers: section(42, 2048),
          cookies: section(42, 2048),
          args: section(42, 2048),
          path: section(42, 2048),
          plugins: section(undefined, undefined),
          allsections: section(undefined, undefined),
        },
      },
    ],
    [
      'backend-services',
      {},
      {
        http2: false,
        transportMode: 'default',
        sticky: 'none',
        stickyCookieName: '',
        stickyStrict: false,
        hosts: [
          {
            host: 'a.example',
            httpPorts: [80],
            httpsPorts: [443],
            weight: 1,
            maxFails: 0,
            failTimeoutS: 10,
            backup: false,
            down: false,
          },
        ],
      },
    ],
    [
      'proxy-templates',
      {},
      {
        clientAddressHeaders: ['x-forwarded-for'],
        realIpHeader: 'x-real-ip',
        trusted: undefined,
        clientMaxBodyBytes: 150 * 1_048_576,
        clientBodyBufferBytes: 1_048_576,
        ipRatePerSecond: 1200,
        ipRateBurst: 400,
        clientBodyTimeoutS: 30,
        clientHeaderTimeoutS: 10,
        keepaliveTimeoutS: 75,
        sendTimeoutS: 10,
        requestTimeoutS: 0,
        connectTimeoutS: 5,
        proxySendTimeoutS: 30,
        proxyReadTimeoutS: 60,
        maxRequestHeadersKb: 128,
        upstreamHost: '$host',
        maskHeaders: [],
        acaoHeader: false,
        failureMode: 'closed',
        escapedSlashes: 'redirect',
        mergeSlashes: true,
        bodyOverflow: 'auto',
        unsizedBody: 'stream',
        websocket: true,
        advanced: [],
      },
    ],
    [
      'security-policies',
      {},
      {
        tags: [],
        session: [],
        sessionIds: [],
        entries: [
          {
            id: '__default_entry__',
            name: 'd',
            role: 'default',
            match: '/',
            aclId: '__acldefault__',
            aclActive: true,
            contentFilterId: '__defaultcontentfilter__',
            contentFilterActive: true,
            rateLimitIds: [],
            backendId: 'app',
            grpc: false,
          },
        ],
      },
    ],
    ['server-groups', {}, { policyId: '__default__', templateId: '__default__', httpRedirect: 'off' }],
    ['certificates', {}, { name: 'e', side: 'server', crl: [], keyPassword: undefined }],
    [
      'load-balancers',
      {},
      {
        listener: {
          protocol: 'http',
          address: '0.0.0.0',
          port: 8080,
          publicPort: 8080,
          proxyProtocolFrom: undefined,
          nodes: {},
          regions: {},
        },
      },
    ],
    ['edge-functions', {}, { name: 'e', phase: 'request_pre' }],
    ['mobile-application-groups', {}, { name: 'e', empty: true }],
    ['system-db', {}, { name: 'traffic', values: { deferArguments: false } }],
  ]
  test.each(rows)('%s %j', (...[namespace, changes, parsed]) => {
    expect(read(namespace, { ...smallest[namespace], ...changes }).parsed).toMatchObject(parsed)
  })

  test('of every kind', () => {
    expect(new Set(rows.map(([namespace]) => namespace)).size).toBe(kinds.length)
  })
})

const map = (entry: Fields): Fields => ({
  map: [{ id: '__default_entry__', name: 'd', match: '/', backend_service: 'app', ...entry }],
})

describe('other names and spellings mean the same', () => {
  const rows: readonly (readonly [namespace: string, written: Fields, meant: Fields])[] = [
    ['actions', { type: 'custom' }, { type: 'block' }],
    ['actions', { type: 'ichallenge' }, { type: 'interactive_challenge' }],
    ['actions', { tags: ['One two', 'ONE'] }, { tags: ['one', 'two'] }],
    ['global-filters', { source: '' }, { source: 'self-managed' }],
    ['global-filters', { source: 'self' }, { source: 'self-managed' }],
    ['global-filters', { rule: ['company', 'x'] }, { rule: ['organization', 'x'] }],
    ['global-filters', { rule: ['arguments', ['a', 'b']] }, { rule: ['args', ['a', 'b']] }],
    ['global-filters', { rule: ['asn', 'AS15169'] }, { rule: ['asn', 15169] }],
    ['global-filters', { rule: ['securitypolicy', 'x'] }, { rule: ['securitypolicyid', 'x'] }],
    [
      'global-filters',
      { rule: ['tag', 'Bot:Good One', 'why'] },
      { rule: { relation: 'OR', entries: [['tag', 'bot:good-one']] } },
    ],
    ['global-filters', { rule: [] }, { rule: {} }],
    ['flow-control-policies', { key: [{ attributes: 'company' }] }, { key: [{ attrs: 'organization' }] }],
    ['flow-control-policies', { key: [{ headers: 'X-Key' }] }, { key: [{ headers: 'x-key' }] }],
    ['rate-limit-rules', { timeframe: '3600' }, { timeframe: 3600 }],
    ['rate-limit-rules', { exclude: ['staff'] }, { exclude: { relation: 'OR', tags: ['staff'] } }],
    ['rate-limit-rules', { key: [{ arguments: 'user' }] }, { key: [{ args: 'user' }] }],
    ['rate-limit-rules', { key: [{ attrs: 'secpolid' }] }, { key: [{ attrs: 'securitypolicyid' }] }],
    ['rate-limit-rules', { pairwith: { self: 'self' } }, {}],
    ['content-filter-profiles', { action: '' }, { action: 'action-contentfilter-block' }],
    [
      'content-filter-profiles',
      { args: { names: [{ key: 'q', restrict: false, exclusions: ['cf-all'] }] } },
      { args: { names: [{ key: 'q', restrict: false, ignore_cf_rule_tags: ['cf-all'] }] } },
    ],
    ['acl-profiles', { action: null }, { action: 'action-acl-block' }],
    [
      'backend-services',
      { back_hosts: [{ host: 'a.example, b.example', http_port: 8080, https_port: 8443 }] },
      {
        back_hosts: [
          { host: 'a.example', http_ports: [8080], https_ports: [8443] },
          { host: 'b.example', http_ports: [8080], https_ports: [8443] },
        ],
      },
    ],
    ['backend-services', { least_conn: true }, { sticky: 'least_conn' }],
    ['backend-services', { least_conn: true, sticky: 'iphash' }, { sticky: 'iphash' }],
    ['proxy-templates', { limit_req_rate: 5 }, { limit_req_rate: '5' }],
    ['proxy-templates', { limit_req_rate: 0 }, { limit_req_rate: '0' }],
    ['proxy-templates', { upstream_host: '$http_host' }, { upstream_host: '$host' }],
    ['proxy-templates', { trusted_nets: null }, {}],
    ['proxy-templates', { mask_headers: 'Server | X-* ' }, { mask_headers: 'server|x-*' }],
    ['security-policies', map({ acl_active: false }), map({ acl_profile_active: false })],
    [
      'security-policies',
      map({ content_filter_active: false }),
      map({ content_filter_profile_active: false }),
    ],
    ['security-policies', map({ limit_ids: ['r', 'r'] }), map({ rate_limit_rules: ['r'] })],
    [
      'security-policies',
      map({ backend_id: 'app', backend_service: undefined }),
      map({ backend_service: 'app' }),
    ],
    ['security-policies', { match: 'www' }, {}],
    ['server-groups', { security_policy: '' }, { security_policy: '__default__' }],
    ['server-groups', { server_names: ['WWW.Example.com'] }, { server_names: ['www.example.com'] }],
  ]
  /** As it comes out of a file: without fields that are undefined. */
  const written = (namespace: string, changes: Fields): unknown =>
    JSON.parse(JSON.stringify({ ...smallest[namespace], ...changes }))

  test.each(rows)('%s %j = %j', (...[namespace, changes, meant]) => {
    const one = read(namespace, written(namespace, changes))
    const other = read(namespace, written(namespace, meant))
    expect(one.problems).toEqual([])
    expect(one.parsed).toEqual(other.parsed)
  })
})

describe('what a single entry can be wrong about', () => {
  const deep = (levels: number): unknown =>
    levels === 0 ? ['path', 'x'] : { relation: 'AND', entries: [deep(levels - 1)] }
  const rows: readonly (readonly [namespace: string, changes: Fields, problem: string])[] = [
    ['actions', { params: { status: 199 } }, 'params.status: must be ≥ 200'],
    [
      'actions',
      { params: { content: 'x'.repeat(65_537) } },
      'params.content: must be an integer between 0 and 65536, is 65537',
    ],
    [
      'actions',
      { params: { headers: { 'Content-Length': '0' } } },
      'params.headers.Content-Length: header "content-length" cannot be set',
    ],
    ['actions', { params: { headers: { ':path': '/' } } }, 'params.headers[":path"]: must be a header name'],
    [
      'actions',
      { params: { headers: { 'x-a': 'b\r\nset-cookie: c' } } },
      'params.headers.x-a: must be one line',
    ],
    ['actions', { tags: ['x'.repeat(257)] }, 'tags: tag of more than 256 characters'],
    ['actions', { name: '' }, 'name: must be a string of 1 to 250 characters'],
    ['global-filters', { mdate: 'yesterday' }, 'mdate: must be an RFC 3339 date and time'],
    ['global-filters', { source: 'ftp://x/y' }, 'source: must be self-managed or an http(s) URL'],
    [
      'global-filters',
      { rule: ['path'] },
      'rule: must be [category, value] or [category, value, annotation]',
    ],
    ['global-filters', { rule: ['headers', 'x'] }, 'rule[1]: must be [name, value], two strings'],
    ['global-filters', { rule: ['ip', ''] }, 'rule[1]: must be a non-empty string'],
    ['global-filters', { rule: ['asn', 'AS4294967296'] }, 'rule[1]: invalid ASN "AS4294967296"'],
    [
      'global-filters',
      { rule: 'path' },
      'rule: must be a section {relation, entries} or an entry [category, value]',
    ],
    ['global-filters', { rule: deep(11) }, `rule${'.entries[0]'.repeat(10)}: nested deeper than 10 sections`],
    ['flow-control-policies', { timeframe: 0 }, 'timeframe: must be a number > 0'],
    ['flow-control-policies', { key: [] }, 'key: must be a list of at least one element'],
    [
      'flow-control-policies',
      {
        steps: [
          { method: 'GET', uri: 'a' },
          { method: 'GET', uri: '/b' },
        ],
      },
      'steps[0].uri: must be a path that begins with /',
    ],
    ['rate-limit-rules', { timeframe: '1.5' }, 'timeframe: must be an integer'],
    ['rate-limit-rules', { timeframe: 1e300 }, 'timeframe: must be ≤ 315360000'],
    ['rate-limit-rules', { thresholds: [] }, 'thresholds: must be a list of at least one element'],
    ['content-filter-rules', { operand: '' }, 'operand: must be a non-empty string'],
    ['content-filter-profiles', { masking_seed: '' }, 'masking_seed: must be a non-empty string'],
    [
      'content-filter-profiles',
      { graphql_path: 'query' },
      'graphql_path: invalid JSONPath at 0: must begin with $',
    ],
    ['content-filter-profiles', { args: { max_length: 0 } }, 'args.max_length: must be ≥ 1'],
    ['backend-services', { sticky: 'customcookie' }, 'sticky_cookie_name: required'],
    ['backend-services', { sticky_cookie_name: 'a b' }, 'sticky_cookie_name: must be a cookie name'],
    ['backend-services', { back_hosts: [] }, 'back_hosts: must be a list of at least one element'],
    [
      'backend-services',
      { back_hosts: [{ host: '127.1' }] },
      'back_hosts[0].host: must be a host name or an address',
    ],
    [
      'backend-services',
      { back_hosts: [{ host: 'http://a.example' }] },
      'back_hosts[0].host: must be a host name or an address',
    ],
    [
      'backend-services',
      { back_hosts: [{ host: 'a.example', weight: 0 }] },
      'back_hosts[0].weight: must be an integer between 1 and 1000, is 0',
    ],
    ['proxy-templates', { ssl_protocols: ['TLSv1.1', 'TLSv1.3'] }, 'ssl_protocols: not contiguous'],
    [
      'proxy-templates',
      { ssl_ciphers: 'AES128-SHA:DHE-RSA-AES128-SHA' },
      'ssl_ciphers: cipher suite "DHE-RSA-AES128-SHA" is not known to Envoy',
    ],
    ['server-groups', { client_certificate_mode: 'on' }, 'client_certificate: required'],
    [
      'server-groups',
      { server_names: ['~^a'], tcp_passthrough: true },
      'tcp_passthrough: needs a literal or *. server name',
    ],
    [
      'certificates',
      { id: 'Web_1' },
      'id: must be an id of 1 to 63 lower-case letters, digits or "-", beginning with a letter',
    ],
    ['certificates', { cert_body: 'hello' }, 'cert_body: no certificate in PEM found'],
    ['certificates', { pfx }, 'pfx: given beside cert_body or private_key'],
    [
      'certificates',
      { cert_body: '', private_key: '', pfx, pfx_password: 'no' },
      'pfx_password: pfx_password does not open the PFX file',
    ],
    ['load-balancers', { listener_port: 0 }, 'listener_port: must be an integer between 1 and 65535, is 0'],
    ['load-balancers', { address: '0.0.0.0/0' }, 'address: invalid address or CIDR "0.0.0.0/0"'],
    [
      'load-balancers',
      { protocol: 'https', certificates: ['a', 'b', 'a'] },
      'certificates[2]: duplicate certificate',
    ],
    [
      'load-balancers',
      { protocol: 'https', default_certificate: 'a', certificates: ['b', 'c'], max_certificates: 2 },
      'certificates: 3 certificates, and max_certificates is 2',
    ],
    ['load-balancers', { max_certificates: -1 }, 'max_certificates: must be ≥ 0'],
    ['load-balancers', { address: 'localhost' }, 'address: invalid address or CIDR "localhost"'],
    [
      'load-balancers',
      { public_port: 65536 },
      'public_port: must be an integer between 1 and 65535, is 65536',
    ],
    [
      'load-balancers',
      { provider: 'aws', listener_port: 0 },
      'listener_port: must be an integer between 1 and 65535, is 0',
    ],
    [
      'load-balancers',
      { proxy_protocol: true, proxy_protocol_from: ['10.0.0.0/8', 'lb'] },
      'proxy_protocol_from[1]: invalid address or CIDR "lb"',
    ],
    ['load-balancers', { nodes: { zone: 1 } }, 'nodes.zone: must be a string'],
    [
      'load-balancers',
      { regions: { lon: 'far away' } },
      'regions.lon: must be a code of 1 to 32 letters, digits, "_" or "-", or automatic',
    ],
    ['load-balancers', { proxy_protocol: true }, 'proxy_protocol_from: required with proxy_protocol'],
    [
      'proxy-templates',
      { large_client_header_buffers_size: 1024, large_client_header_buffers_count: 64 },
      'large_client_header_buffers_count: size × count must be ≤ 8192 KB',
    ],
    [
      'proxy-templates',
      { client_header_buffer_size: '32' },
      'client_header_buffer_size: must be an integer between 1 and 16, is "32"',
    ],
    [
      'proxy-templates',
      { trusted_nets: [{ source: 'ip', gf_id: 'f', address: '10.0.0.0/8' }] },
      'trusted_nets[0].gf_id: unknown field "gf_id"',
    ],
    [
      'proxy-templates',
      { trusted_nets: [{ source: 'ip', address: '10.0.0.0/40' }] },
      'trusted_nets[0].address: invalid address or CIDR "10.0.0.0/40"',
    ],
    [
      'proxy-templates',
      { xff_header_name: 'a,b,c,d,e,f' },
      'xff_header_name: must be 1 to 5 header names, comma-separated',
    ],
    [
      'security-policies',
      map({ backend_service: null }),
      'map[0].backend_service: must be the id of an entry',
    ],
    ['edge-functions', { id: 'a-b' }, 'id: must be an id of 1 to 64 letters, digits or "_"'],
    [
      'edge-functions',
      { phase: 'late' },
      'phase: must be one of request_pre, request_post, response_pre, response_post',
    ],
    ['edge-functions', { timeout_ms: 0 }, 'timeout_ms: must be ≥ 1'],
    ['mobile-application-groups', { grace: '2h' }, 'grace: must be an integer between 1 and 86400, is "2h"'],
    [
      'mobile-application-groups',
      { signatures: [{ hash: `AB:${'cd'.repeat(31)}` }] },
      'signatures[0].hash: must be 64 lower-case hexadecimal digits without separators',
    ],
    [
      'mobile-application-groups',
      { signatures: [{ hash: 'abc' }] },
      'signatures[0].hash: must be 64 lower-case hexadecimal digits, or abadbabe',
    ],
    [
      'mobile-application-groups',
      { active_config: [{ active: true }, { active: true }] },
      'active_config: 2 profiles are active',
    ],
    [
      'mobile-application-groups',
      { active_config: [{ json: '[]' }] },
      'active_config[0].json: must be a JSON object or its text',
    ],
    ['mobile-application-groups', { secret: 'short' }, 'secret: must be 32 bytes in base64'],
    ['server-groups', { server_names: ['*'] }, 'server_names[0]: must be a host, a *. name or an expression'],
    ['server-groups', { server_names: [] }, 'server_names: must be a list of 1 to 100 elements'],
    ['server-groups', { http_redirect: 300 }, 'http_redirect: must be one of off, 301, 302, 307, 308'],
  ]
  test.each(rows)('%s %#: %j', (...[namespace, changes, problem]) => {
    expect(read(namespace, { ...smallest[namespace], ...changes }).problems).toEqual([problem])
  })
})

describe('an expression is judged at once, also where other fields are wrong', () => {
  test.each<[string, Fields, readonly string[]]>([
    [
      'content-filter-rules',
      { operand: 'a(', risk: 9 },
      ['operand: invalid regex at 0: missing )', 'risk: must be ≤ 5'],
    ],
    ['content-filter-rules', { operand: 'a(' }, ['operand: invalid regex at 0: missing )']],
    [
      'security-policies',
      { map: [{ id: '__default_entry__', name: 1, match: '/(', backend_service: 'app' }] },
      ['map[0].name: must be a string of 1 to 250 characters', 'map[0].match: invalid regex at 0: missing )'],
    ],
  ])('%s %#', (namespace, changes, problems) => {
    const found = read(namespace, { ...smallest[namespace], ...changes })
    expect(found.problems.toSorted()).toEqual(problems.toSorted())
  })
})

describe('E53 of the control plane: the rate of an address', () => {
  test.each(['9.8', '', '-9', 'text', '100001'])('%j is refused', (limit_req_rate) => {
    expect(read('proxy-templates', { ...smallest['proxy-templates'], limit_req_rate }).problems).toEqual([
      `limit_req_rate: must be an integer between 1 and 100000, is ${JSON.stringify(limit_req_rate)}`,
    ])
  })
  test.each(['0', '1', '100000'])('%j is not', (limit_req_rate) => {
    expect(read('proxy-templates', { ...smallest['proxy-templates'], limit_req_rate }).problems).toEqual([])
  })
})

describe('what is allowed and yet told', () => {
  const rows: readonly (readonly [namespace: string, changes: Fields, warning: string])[] = [
    [
      'server-groups',
      { server_names: ['www.example.com.'] },
      'server_names[0]: is no host name and therefore read as an expression',
    ],
    [
      'server-groups',
      { server_names: ['https://www.example.com'] },
      'server_names[0]: is no host name and therefore read as an expression',
    ],
    [
      'actions',
      { type: 'monitor', params: { status: 403 } },
      'params.status: not used by actions of type "monitor"',
    ],
    [
      'flow-control-policies',
      {
        steps: [
          { method: 'GET', uri: '/a' },
          { method: 'GET', uri: '/a' },
        ],
      },
      'steps[1]: steps[1] is equal to the step before it',
    ],
    ['acl-profiles', { force_deny: ['all'] }, 'force_deny: "all" in force_deny: every request is refused'],
    ['acl-profiles', { passthrough: ['all'] }, 'passthrough: "all" in passthrough: no request is examined'],
    [
      'content-filter-profiles',
      { active: ['cf-rule-id:x'], ignore: ['cf-rule-id:x'] },
      'active: tag "cf-rule-id:x" is in active and in ignore',
    ],
    [
      'load-balancers',
      { default_certificate: 'web' },
      'default_certificate: has no effect: the protocol is http',
    ],
    [
      'load-balancers',
      { proxy_protocol_from: ['10.0.0.0/8'] },
      'proxy_protocol_from: has no effect while proxy_protocol is false',
    ],
    [
      'edge-functions',
      { code: 'return' },
      'code: edge functions do not run yet: the code is kept, and neither compiled nor run',
    ],
    [
      'mobile-application-groups',
      { signatures: [{ hash: 'abadbabe', active: true }], secret: 'env:SECRET' },
      'signatures[0].hash: emulators and debug builds count as the app',
    ],
    [
      'mobile-application-groups',
      { signatures: [{ hash: 'a'.repeat(64), active: true }] },
      'secret: without a secret a signature proves only knowledge of a public digest',
    ],
  ]
  test.each(rows)('%s %#: %j', (...[namespace, changes, warning]) => {
    const found = read(namespace, { ...smallest[namespace], ...changes })
    expect(found.problems).toEqual([])
    expect(found.warnings).toEqual([warning])
  })
})

test('examples that name each other make a configuration', () => {
  const examples = Object.fromEntries(documents.map(({ namespace, examples }) => [namespace, [...examples]]))
  const result = buildPolicy(examples)
  expect(result.ok ? [] : result.problems).toEqual([])
})
