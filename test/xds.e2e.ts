// The generated configuration on a real Envoy: what is accepted, where requests go, what a client cannot do.
// The filter is a stand-in that lets everything pass, so that what is seen here is Envoy's doing.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { renderBootstrap } from '#envoy'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { type Sent, send, sendRaw } from './support/http.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const bootstrap = (control: Control, id: string): string =>
  renderBootstrap({ NODE_ID: id, ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port })

const start = (control: Control, id = 'envoy-0', listeners: readonly string[] = ['http']): Promise<Envoy> =>
  startEnvoy({ bootstrap: bootstrap(control, id), listeners, args: ['--reject-unknown-dynamic-fields'] })

const to = (origin: Origin, more: Parameters<typeof site.service>[0] = {}) =>
  site.service({
    id: origin.name,
    hosts: [site.host({ host: '127.0.0.1', httpPorts: [origin.port] })],
    ...more,
  })

const valuesOf = (lines: Arrived['headers'], name: string): readonly string[] =>
  lines.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)

describe('a policy with several sites', () => {
  let a: Origin
  let b: Origin
  let control: Control
  let envoy: Envoy
  let port: number
  let other: number

  beforeAll(async () => {
    ;[a, b, control] = await Promise.all([startOrigin('a'), startOrigin('b'), startControl()])
    const only = (backend: Origin) => site.securityPolicy({ entries: [site.entry({ backend: to(backend) })] })
    const policy = site.policy({
      serverGroups: [
        site.group({
          id: 'site1',
          policy: site.securityPolicy({
            entries: [
              site.entry({ id: 'root', role: 'root', backend: to(a) }),
              site.entry({ id: 'api', role: 'path', match: '/api', backend: to(b) }),
              site.entry({
                id: 'v1',
                role: 'path',
                match: '^/api/v[0-9]{1,64}/',
                backend: to(a),
                contentFilterActive: false,
              }),
              site.entry({ backend: to(a) }),
            ],
          }),
        }),
        site.group({
          id: 'wild',
          serverNames: [{ kind: 'wildcard', suffix: '.shop.example' }],
          policy: only(b),
        }),
        site.group({
          id: 'regex',
          serverNames: [{ kind: 'regex', pattern: '^api[0-9]+\\.example\\.com$' }],
          policy: only(b),
        }),
        site.group({
          id: 'port',
          serverNames: [{ kind: 'literal', host: 'ported.example:8443' }],
          policy: only(b),
        }),
        site.group({
          id: 'masked',
          serverNames: [{ kind: 'literal', host: 'masked.example' }],
          policy: only(b),
          template: site.template({
            id: 'masking',
            maskHeaders: ['server', 'x-pow*'],
            acaoHeader: true,
            upstreamHost: 'inner.example',
            websocket: false,
          }),
        }),
      ],
    })
    await control.publish(policy, {
      listeners: [
        { id: 'http', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 80 },
        { id: 'alt', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 8090 },
      ],
    })
    envoy = await start(control, 'envoy-0', ['http', 'alt'])
    port = await envoy.listenerPort('http')
    other = await envoy.listenerPort('alt')
  })

  afterAll(async () => {
    await envoy?.stop()
    control?.stop()
    await Promise.all([a?.stop(), b?.stop()])
  })

  const arrivedFor = async (sent: Omit<Sent, 'port'>): Promise<Arrived> => {
    const { status, body } = await send({ port, ...sent })
    expect(status).toBe(200)
    return JSON.parse(body) as Arrived
  }

  test('Envoy accepts every kind of resource and refuses none', () => {
    const [node] = control.ads.status().nodes
    expect(node).toMatchObject({ id: 'envoy-0', cluster: 'weir', build: '1.40.0' })
    expect(node?.types.map(({ type }) => type)).toEqual([
      'cluster',
      'endpoint',
      'listener',
      'route',
      'extension',
    ])
    expect(node?.types.every(({ acked, nack }) => acked !== undefined && nack === undefined)).toBe(true)
  })

  test('Envoy warns of no field that is deprecated', () => {
    expect(envoy.logs()).toContain('starting main dispatch loop')
    expect(envoy.logs()).not.toMatch(/deprecated/i)
  })

  const routed: readonly (readonly [
    says: string,
    host: string,
    path: string,
    origin: string,
    entry: string,
  ])[] = [
    ['the root entry takes / alone', 'www.example.com', '/', 'a', 'root'],
    ['the query is not part of the path', 'www.example.com', '/?q=/api', 'a', 'root'],
    ['an expression is searched, not matched whole', 'www.example.com', '/old/api', 'b', 'api'],
    ['the longest expression decides', 'www.example.com', '/api/v1/x', 'a', 'v1'],
    ['the default entry catches the rest', 'www.example.com', '/x', 'a', '__default_entry__'],
    ['Host is compared without case, port and trailing dot', 'WWW.Example.com.:8443', '/api', 'b', 'api'],
    ['a wildcard covers several labels', 'a.b.shop.example', '/', 'b', '__default_entry__'],
    ['an expression is a site', 'api7.example.com', '/', 'b', '__default_entry__'],
    ['an expression is a site on any port', 'API7.example.com:8080', '/', 'b', '__default_entry__'],
    ['a name with port is a site on that port', 'ported.example:8443', '/', 'b', '__default_entry__'],
  ]
  for (const [says, host, path, origin, entry] of routed)
    test(`${says}: ${host}${path} → ${origin}`, async () => {
      const arrived = await arrivedFor({ host, path })
      expect(arrived.origin).toBe(origin)
      expect(control.checks.at(-1)?.context).toMatchObject({
        'weir.lb': 'http',
        'weir.entry': entry,
        'weir.mtls': 'off',
      })
    })

  const nobodys = [
    'unknown.example',
    'api.example.com',
    'ported.example',
    'ported.example:80',
    'shop.example',
  ]
  for (const host of nobodys)
    test(`nobody's host is asked about and then answered 421: ${host}`, async () => {
      const { status } = await send({ port, host })
      expect(status).toBe(421)
      expect(control.checks.at(-1)?.context).toMatchObject({ 'weir.sg': '', 'weir.entry': '' })
    })

  test('Host reaches the origin without its trailing dot, else unchanged', async () => {
    const arrived = await arrivedFor({ host: 'WWW.Example.com.:8443' })
    expect(valuesOf(arrived.headers, 'host')).toEqual(['WWW.Example.com:8443'])
  })

  test('the second listener has its own name and public port', async () => {
    const { body } = await send({ port: other })
    expect(valuesOf((JSON.parse(body) as Arrived).headers, 'x-forwarded-port')).toEqual(['8090'])
    expect(control.checks.at(-1)?.context['weir.lb']).toBe('alt')
  })

  test("the response carries Envoy's request id, and the origin gets the same", async () => {
    const { headers, body } = await send({ port, headers: [['x-request-id', 'chosen-by-client']] })
    const id = headers['x-request-id']
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(valuesOf((JSON.parse(body) as Arrived).headers, 'x-request-id')).toEqual([id])
  })

  const paths: readonly (readonly [says: string, sent: string, arrives: string])[] = [
    ['dot segments are resolved', '/a/../b/./c', '/b/c'],
    ['encoded dots are resolved', '/a/%2e%2e/b', '/b'],
    ['nothing is above the root', '/../../etc/passwd', '/etc/passwd'],
    ['slashes are merged', '//a///b', '/a/b'],
    ['the query is left alone', '/a?x=/../y//z', '/a?x=/../y//z'],
  ]
  for (const [says, path, arrives] of paths)
    test(`${says}: ${path} → ${arrives}`, async () => {
      expect((await arrivedFor({ path })).url).toBe(arrives)
      expect(control.checks.at(-1)?.headers).toContainEqual([':path', arrives])
    })

  for (const path of ['/a%2fb', '/a%5Cb', '/a/..%2f..%2fetc'])
    test(`an escaped slash is redirected to what it means: ${path}`, async () => {
      const before = a.arrived.length
      const { status, headers } = await send({ port, path })
      expect(status).toBe(307)
      expect(headers.location).not.toMatch(/%2f|%5c/i)
      expect(a.arrived.length).toBe(before)
    })

  const forbidden = [
    'x-weir-action',
    'X_Weir_Action',
    'x-weir_anything',
    'x-envoy-retry-on',
    'X-Envoy-Upstream-Rq-Timeout-Ms',
    'x_envoy_original_path',
    'SSL_CLIENT_VERIFY',
    'ssl-client-s-dn',
    'X-Real-IP',
    'x_real_ip',
    'x-real_ip',
    'X_Forwarded_For',
    'x-forwarded_proto',
    'x_forwarded-host',
    'content_length',
    'transfer_encoding',
  ]
  for (const name of forbidden)
    test(`a client cannot send ${name}`, async () => {
      const arrived = await arrivedFor({ headers: [[name, '203.0.113.66']] })
      expect(arrived.headers.filter(([, value]) => value.includes('203.0.113.66'))).toEqual([])
      expect(control.checks.at(-1)?.headers.filter(([, value]) => value.includes('203.0.113.66'))).toEqual([])
    })

  test('headers that only look alike pass', async () => {
    const harmless = [
      ['x-weird', '1'],
      ['user_id', '2'],
      ['x-envoyage', '3'],
      ['x-real-ips', '4'],
    ] as const
    const arrived = await arrivedFor({ headers: harmless })
    for (const line of harmless) expect(arrived.headers).toContainEqual([...line])
  })

  test('the origin learns the client from Envoy', async () => {
    const arrived = await arrivedFor({
      headers: [
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-port', '443'],
        ['x-forwarded-for', '198.51.100.1'],
      ],
    })
    expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual(['127.0.0.1'])
    // For a peer on loopback Envoy appends its own address.
    expect(valuesOf(arrived.headers, 'x-forwarded-for')).toEqual([
      expect.stringMatching(/^198\.51\.100\.1,[0-9a-f.:]+$/),
    ])
    expect(valuesOf(arrived.headers, 'x-forwarded-proto')).toEqual(['http'])
    expect(valuesOf(arrived.headers, 'x-forwarded-port')).toEqual(['80'])
  })

  test('the filter gets the body where something reads it', async () => {
    await arrivedFor({ method: 'POST', path: '/x', body: 'a=1' })
    expect(control.checks.at(-1)?.bodyBytes).toBe(3)
  })

  test('and not where nothing does', async () => {
    const arrived = await arrivedFor({ method: 'POST', path: '/api/v1/x', body: 'a=1' })
    expect(arrived.bodyBytes).toBe(3)
    expect(control.checks.at(-1)?.bodyBytes).toBe(0)
  })

  test('a body longer than the buffer arrives whole, and its beginning at the filter', async () => {
    const body = Buffer.alloc(3 * 2 ** 20, 'x')
    const arrived = await arrivedFor({ method: 'POST', path: '/x', body })
    expect(arrived.bodyBytes).toBe(body.length)
    const check = control.checks.at(-1)
    expect(check?.bodyBytes).toBe(2 ** 20)
    expect(check?.headers).toContainEqual(['x-envoy-auth-partial-body', 'true'])
  })

  test('a websocket handshake is asked about and passes', async () => {
    const before = control.checks.length
    const handshake =
      'GET /chat HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
    expect(await sendRaw(port, handshake, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /)
    expect(control.checks.length).toBe(before + 1)
  })

  const noHandshake: readonly (readonly [says: string, host: string, request: string])[] = [
    ['a template without websockets refuses the upgrade', 'masked.example', 'GET / HTTP/1.1'],
    ['an upgrade by POST could carry a body past the filter', 'www.example.com', 'POST / HTTP/1.1'],
  ]
  for (const [says, host, line] of noHandshake)
    test(says, async () => {
      const answer = await sendRaw(
        port,
        `${line}\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
        '\r\n\r\n',
      )
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    })

  test('masked headers stay inside, CORS is added, Host is rewritten', async () => {
    const { headers, body } = await send({ port, host: 'masked.example' })
    expect(headers).not.toHaveProperty('server')
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(valuesOf((JSON.parse(body) as Arrived).headers, 'host')).toEqual(['inner.example'])
  })

  test("Envoy does not show itself: the origin's server header, no timing header", async () => {
    const { headers } = await send({ port })
    expect(headers.server).toBe('origin')
    expect(Object.keys(headers).filter((name) => name.startsWith('x-envoy'))).toEqual([])
  })

  const refused: readonly (readonly [says: string, request: string, status: number])[] = [
    ['HTTP/1.0', 'GET / HTTP/1.0\r\nHost: www.example.com\r\n\r\n', 426],
    [
      'Content-Length with Transfer-Encoding',
      'POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: www.example.com\r\n\r\n', 400],
    [
      'more than 200 headers',
      `GET / HTTP/1.1\r\nHost: www.example.com\r\n${'a: b\r\n'.repeat(210)}\r\n`,
      431,
    ],
    [
      'a header block over the limit',
      `GET / HTTP/1.1\r\nHost: www.example.com\r\nx: ${'y'.repeat(132 * 1024)}\r\n\r\n`,
      431,
    ],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: www.example.com\r\n\r\n', 404],
    ['CONNECT', 'CONNECT www.example.com:80 HTTP/1.1\r\nHost: www.example.com:80\r\n\r\n', 404],
    ['a raw byte beyond ASCII in the target', 'GET /\u00e9 HTTP/1.1\r\nHost: www.example.com\r\n\r\n', 400],
  ]
  for (const [says, request, status] of refused)
    test(`Envoy refuses ${says} with ${status}`, async () => {
      expect(await sendRaw(port, request, '\r\n')).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    })
})
