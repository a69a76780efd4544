// Who a client is and what it and the origin are told, on a running Envoy with real origins and the real filter: addresses
// stated by trusted and by other peers, redirects to https, hosts that are nobody's, headers in both directions (spec
// control-plane 1.1, 1.4, 2.3, 2.5, 2.9).
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { type Socket, connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Documents } from './support/base.ts'
import { type Answer, type Sent, send } from './support/http.ts'
import { type Listening, listening } from './support/listening.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import { makePair } from './support/pki.ts'
import { secureListener } from './support/secure-listener.ts'
import { type Judged, type Sites, documentsOf, plainListener, service, startSites } from './support/sites.ts'

const names = ['*.example']
const wild = makePair({ commonName: 'wild', names })
const clientCa = makePair({ commonName: 'Client CA', isCa: true })
const certificates: Documents = {
  certificates: [
    { id: 'wild', side: 'server', cert_body: wild.chain, private_key: wild.key },
    { id: 'clients', side: 'clientCA', cert_body: clientCa.chain },
  ],
}

const trusting = { trusted_nets: [{ source: 'ip', address: '10.0.0.0/8' }] }
const codes = [301, 302, 307, 308] as const

/** Asks for certificates of clients; otherwise like any other. */
const asking = {
  ssl_certificate: 'wild',
  client_certificate: 'clients',
  client_certificate_mode: 'on',
}

type Line = readonly [name: string, value: string]
const valuesOf = (lines: readonly Line[] | undefined, name: string): readonly string[] =>
  (lines ?? []).filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)

describe('clients', () => {
  let origin: Origin
  let headed: Listening
  let sites: Sites

  beforeAll(async () => {
    origin = await startOrigin('app')
    headed = await listening(
      createServer((_, response) => {
        response.setHeader('Server', 'Apache')
        response.setHeader('X-Powered-By', 'tests')
        response.setHeader('Server-Timing', 'db;dur=5')
        response.setHeader('Access-Control-Allow-Origin', 'https://own.example')
        response.end()
      }),
    )
    const app = service('app', origin, { transport_mode: 'http' })
    const named = service('named', origin, {
      transport_mode: 'http',
      back_hosts: [{ host: 'localhost', http_ports: [origin.port] }],
    })
    const site = (id: string, template?: object) => ({
      id,
      service: app,
      ...(template === undefined ? {} : { template: { ...template } }),
    })
    sites = await startSites({
      documents: {
        ...certificates,
        ...documentsOf([
          site('plain'),
          site('trusting', trusting),
          site('cdn', { ...trusting, xff_header_name: 'True-Client-IP' }),
          ...codes.map((code) => ({ ...site(`r${String(code)}`, trusting), group: { http_redirect: code } })),
          site('literal', { upstream_host: 'origin.internal' }),
          { ...site('own', { upstream_host: '$proxy_host' }), service: named },
          site('cors', { acao_header: true }),
          {
            id: 'headed',
            service: service('headed', headed, { transport_mode: 'http' }),
            template: { mask_headers: 'server*|x-powered-by', acao_header: true },
          },
          { ...site('passed'), group: { tcp_passthrough: true } },
          { ...site('closed'), group: asking },
        ]),
      },
      listeners: [
        plainListener('http'),
        plainListener('alt', 8080),
        { ...plainListener('behind'), proxyProtocolFrom: ['127.0.0.1'] },
        secureListener('https', names),
      ],
    })
  })

  afterAll(async () => {
    await sites.stop()
    await headed.stop()
    await origin.stop()
  })

  const get = (id: string, more: Partial<Sent> = {}): Promise<Answer> =>
    send({ port: sites.port, host: `${id}.example`, ...more })

  /** A connection that comes from this address, as the proxy before Envoy says. */
  async function peer(address: string): Promise<Socket> {
    const socket = connect(sites.portOf('behind'), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`PROXY TCP4 ${address} 192.0.2.1 40000 80\r\n`)
    return socket
  }

  type Told = { readonly arrived: Arrived; readonly judged: Judged | undefined }
  const toldOf = ({ body, headers }: Answer): Told => ({
    arrived: JSON.parse(body) as Arrived,
    judged: sites.judgedAs(headers['x-request-id']),
  })

  async function from(address: string, id: string, headers: readonly Line[]): Promise<Told> {
    const socket = await peer(address)
    return toldOf(await get(id, { socket, headers: [...headers, ['connection', 'close']] }))
  }

  const overTls = (id: string, more: Partial<Sent> = {}): Promise<Answer> => {
    const servername = `${id}.example`
    const socket = connectTls({ port: sites.portOf('https'), servername, rejectUnauthorized: false })
    return get(id, { socket, ...more })
  }

  describe('who the client is', () => {
    test.each([
      ['10.1.1.1', '1.2.3.4, 10.9.9.9', '1.2.3.4'],
      ['10.1.1.1', '6.6.6.6, 1.2.3.4', '1.2.3.4'],
      ['10.1.1.1', '10.2.2.2', '10.2.2.2'],
      ['10.1.1.1', '1.2.3.4, junk', '10.1.1.1'],
      ['10.1.1.1', '1.2.3.4, junk, 10.9.9.9', '10.9.9.9'],
      ['10.1.1.1', '[2001:db8::1]:443', '2001:db8::1'],
      ['8.8.8.8', '1.2.3.4', '8.8.8.8'],
      ['8.8.8.8', '1.2.3.4, 10.9.9.9', '8.8.8.8'],
    ])('E32: peer %s with X-Forwarded-For %s is %s, for filter and origin', async (...row) => {
      const [address, forwarded, client] = row
      const headers = [
        ['x-forwarded-for', forwarded],
        ['x-real-ip', '6.6.6.6'],
      ] as const
      const { arrived, judged } = await from(address, 'trusting', headers)
      expect(judged?.decision.record.ip).toBe(client)
      expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual([client])
    })

    test('E32: a site that trusts nobody believes nobody', async () => {
      const { arrived, judged } = await from('10.1.1.1', 'plain', [['x-forwarded-for', '1.2.3.4']])
      expect(judged?.decision.record.ip).toBe('10.1.1.1')
      expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual(['10.1.1.1'])
    })

    test.each([
      ['10.1.1.1', '1.2.3.4'],
      ['8.8.8.8', '8.8.8.8'],
    ])('E33: True-Client-IP of peer %s: the client is %s', async (address, client) => {
      const headers = [
        ['true-client-ip', '1.2.3.4'],
        ['x-forwarded-for', '6.6.6.6'],
      ] as const
      const { arrived, judged } = await from(address, 'cdn', headers)
      expect(judged?.decision.record.ip).toBe(client)
      expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual([client])
    })

    test('E32: over TLS a stranger cannot name itself either', async () => {
      const forged: readonly Line[] = [
        ['x-forwarded-for', '6.6.6.6'],
        ['x-real-ip', '6.6.6.6'],
      ]
      const { arrived, judged } = toldOf(await overTls('trusting', { headers: forged }))
      expect(judged?.decision.record.ip).toBe('127.0.0.1')
      expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual(['127.0.0.1'])
    })

    test.each([
      ['10.1.1.1', 'https', '8443', 'protocol:https'],
      ['8.8.8.8', 'http', '80', 'protocol:http'],
    ])('2.5: scheme and port stated by peer %s: %s, %s', async (address, scheme, port, tag) => {
      const headers = [
        ['x-forwarded-proto', 'https'],
        ['x-forwarded-port', '8443'],
      ] as const
      const { arrived, judged } = await from(address, 'trusting', headers)
      expect(valuesOf(arrived.headers, 'x-forwarded-proto')).toEqual([scheme])
      expect(valuesOf(arrived.headers, 'x-forwarded-port')).toEqual([port])
      expect(judged?.decision.record.tags).toContain(tag)
    })

    test('2.5: over TLS the origin learns scheme and public port', async () => {
      const { arrived } = toldOf(await overTls('plain'))
      expect(valuesOf(arrived.headers, 'x-forwarded-proto')).toEqual(['https'])
      expect(valuesOf(arrived.headers, 'x-forwarded-port')).toEqual(['443'])
    })
  })

  describe('to https', () => {
    test.each(codes)('2.9: http_redirect %i, and the filter was asked', async (code) => {
      const before = origin.arrived.length
      const answer = await get(`r${String(code)}`, { method: 'POST', path: '/a?b=1', body: 'x' })
      expect(answer.status).toBe(code)
      expect(answer.headers.location).toBe(`https://r${String(code)}.example/a?b=1`)
      expect(sites.judgedAs(answer.headers['x-request-id'])?.decision.action).toBe('pass')
      expect(origin.arrived.length).toBe(before)
    })

    test('2.9: challenges of certificate authorities are not redirected', async () => {
      const answer = await get('r301', { path: '/.well-known/acme-challenge/token-1' })
      expect(toldOf(answer).arrived.url).toBe('/.well-known/acme-challenge/token-1')
    })

    test('2.9: nor is what came over TLS, here or before a trusted peer', async () => {
      expect((await overTls('r301')).status).toBe(200)
      const { arrived } = await from('10.1.1.1', 'r301', [['x-forwarded-proto', 'https']])
      expect(arrived.url).toBe('/')
    })

    test('2.9: a stranger who says that it came over TLS is redirected', async () => {
      const socket = await peer('8.8.8.8')
      const headers: readonly Line[] = [['x-forwarded-proto', 'https']]
      expect((await get('r301', { socket, headers })).status).toBe(301)
      socket.destroy()
    })

    test('2.9: the port is named where it is not the usual one', async () => {
      const { headers } = await get('r308', { port: sites.portOf('alt'), host: 'r308.example:8080' })
      expect(URL.parse(headers.location ?? '')?.href).toBe('https://r308.example/')
    })

    test('2.9: an attack is refused, not redirected', async () => {
      expect((await get('r301', { path: '/?q=xp_cmdshell' })).status).toBe(473)
    })
  })

  describe('hosts', () => {
    const reasonOf = ({ headers }: Answer): string | null | undefined =>
      sites.judgedAs(headers['x-request-id'])?.decision.record.reason

    test.each(['http', 'https'] as const)(
      "E07: nobody's host gets 421 and an event (%s)",
      async (listener) => {
        const answer = await (listener === 'http' ? get('nobody') : overTls('nobody'))
        expect(answer.status).toBe(421)
        expect(reasonOf(answer)).toBe('General: unrecognized host header')
        const { tags = [] } = sites.judgedAs(answer.headers['x-request-id'])?.decision.record ?? {}
        expect(tags).toContain('unrecognized-host-header')
      },
    )

    test('E37: an HTTP/2 connection for one site is no way to one that asks for certificates', async () => {
      const session = connectHttp2(`https://127.0.0.1:${String(sites.portOf('https'))}`, {
        servername: 'plain.example',
        rejectUnauthorized: false,
      })
      const ask = async (host: string): Promise<Readonly<Record<string, unknown>>> => {
        const stream = session.request({ ':path': '/', ':authority': host })
        stream.resume()
        const [headers] = (await once(stream, 'response')) as [Readonly<Record<string, unknown>>]
        return headers
      }
      expect((await ask('plain.example'))[':status']).toBe(200)
      const refused = await ask('closed.example')
      expect(refused[':status']).toBe(421)
      expect(sites.judgedAs(String(refused['x-request-id']))?.decision.record.reason).toBe(
        'General: misdirected request',
      )
      expect((await ask('plain.example'))[':status']).toBe(200)
      session.destroy()
    })

    test('2.10: over plaintext a site that is passed through over TLS is served and judged', async () => {
      const answer = await get('passed')
      expect(answer.status).toBe(200)
      expect(sites.judgedAs(answer.headers['x-request-id'])?.decision.action).toBe('pass')
    })
  })

  describe('headers', () => {
    test.each([
      ['plain', 'plain.example'],
      ['literal', 'origin.internal'],
      ['own', 'localhost'],
    ])('E18: upstream_host: the origin of %s is called %s', async (id, host) => {
      const [sent] = valuesOf(toldOf(await get(id)).arrived.headers, 'host')
      expect(sent?.replace(/:\d+$/, '')).toBe(host)
    })

    test('E28: mask_headers take out what they name, and Envoy puts nothing in its place', async () => {
      const { headers } = await get('headed')
      expect(Object.keys(headers).filter((name) => /^server|^x-powered-by|envoy/.test(name))).toEqual([])
    })

    test("1.4: acao_header is added where the origin sent none, and leaves the origin's own", async () => {
      expect((await get('plain')).headers['access-control-allow-origin']).toBeUndefined()
      expect((await get('cors')).headers['access-control-allow-origin']).toBe('*')
      expect((await get('headed')).headers['access-control-allow-origin']).toBe('https://own.example')
    })

    test('2.3: what is meant for one hop ends there', async () => {
      const hop: readonly Line[] = [
        ['connection', 'close'],
        ['keep-alive', 'timeout=300'],
        ['proxy-connection', 'keep-alive'],
        ['te', 'gzip'],
      ]
      const { arrived } = toldOf(await get('plain', { headers: hop }))
      const names = hop.map(([name]) => name)
      expect(arrived.headers.filter(([name]) => names.includes(name.toLowerCase()))).toEqual([])
    })

    const naming = (name: string): Partial<Sent> => ({
      headers: [
        ['connection', `te, ${name}`],
        ['te', 'trailers'],
        ['cookie', 'a=1'],
      ],
    })

    test.each([['x-real-ip'], ['cookie'], ['x-weir-action']])(
      '2.3: Connection that names %s: filter and origin see one request, and the client address',
      async (name) => {
        const { arrived, judged } = toldOf(await get('plain', naming(name)))
        expect(valuesOf(arrived.headers, 'x-real-ip')).toEqual(['127.0.0.1'])
        const asked = judged?.input.headers.map(([key, value]): Line => [key.toString(), value.toString()])
        expect(valuesOf(asked, 'cookie')).toEqual(valuesOf(arrived.headers, 'cookie'))
        expect(valuesOf(arrived.headers, 'connection')).toEqual([])
      },
    )

    test('2.3: Connection that names X-Forwarded-For is refused', async () => {
      const before = origin.arrived.length
      expect((await get('plain', naming('x-forwarded-for'))).status).toBe(400)
      expect(origin.arrived.length).toBe(before)
    })

    test("2.4: the filter's own word never comes from a client, and stays between filter and Envoy", async () => {
      const forged = ['x-weir-action', 'x-envoy-auth-failure-mode-allowed', 'ssl_client_verify']
      const answer = await get('plain', { headers: forged.map((name) => [name, 'forged']) })
      const { arrived } = toldOf(answer)
      expect(arrived.headers.filter(([, value]) => value === 'forged')).toEqual([])
      expect(Object.keys(answer.headers).filter((name) => /weir|envoy/.test(name))).toEqual([])
    })
  })
})

describe('without a filter', () => {
  let origin: Origin
  let sites: Sites

  beforeAll(async () => {
    origin = await startOrigin('app')
    const app = service('app', origin, { transport_mode: 'http' })
    const open = { failure_mode: 'open' }
    sites = await startSites({
      documents: {
        ...certificates,
        ...documentsOf([
          { id: 'closed', service: app },
          { id: 'open', service: app, template: open },
          { id: 'asking', service: app, template: open, group: asking },
        ]),
      },
      listeners: [plainListener('http'), secureListener('https', names)],
      filter: 'absent',
    })
  })
  afterAll(async () => {
    await sites.stop()
    await origin.stop()
  })

  test('E29: failure_mode closed: 503, and nothing reaches the origin', async () => {
    const { port } = sites
    for (const host of ['closed.example', 'nobody.example'])
      expect(await send({ port, host })).toMatchObject({ status: 503 })
    expect(origin.arrived).toEqual([])
  })

  test('E29: failure_mode open: the origin answers, and is told', async () => {
    const { status, body } = await send({ port: sites.port, host: 'open.example' })
    expect(status).toBe(200)
    const { headers } = JSON.parse(body) as Arrived
    expect(valuesOf(headers, 'x-envoy-auth-failure-mode-allowed')).toEqual(['true'])
    expect(valuesOf(headers, 'x-real-ip')).toEqual(['127.0.0.1'])
  })

  test('E29: failure_mode open lets nobody in where certificates are asked for', async () => {
    const alice = makePair({ commonName: 'Alice', issuer: clientCa })
    const before = origin.arrived.length
    for (const presented of [{}, { cert: alice.chain, key: alice.key }]) {
      const socket = connectTls({
        port: sites.portOf('https'),
        servername: 'asking.example',
        rejectUnauthorized: false,
        ...presented,
      })
      const answer = await send({ port: 0, host: 'asking.example', socket })
      expect(answer.status).toBe(503)
      socket.destroy()
    }
    expect(origin.arrived.length).toBe(before)
  })
})
