// TLS on a real Envoy: which certificate a client is shown, which versions and ciphers it may use, what becomes of client
// certificates, and how origins are reached (spec control-plane 1.1, 1.6, 2.2, 2.4). The filter is the real one.
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect as connectTcp } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createChallenges } from '#challenge'
import { type Policy, buildPolicy, formatProblem } from '#config'
import { type XdsSettings, renderBootstrap, startFilterServer } from '#envoy'
import { type Decision, type Pipeline, createPipeline } from '#pipeline'
import { systemClock } from '#platform'
import { memoryState } from '#state'
import { type Documents, nowhere } from './support/base.ts'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { type Answer, type Sent, send } from './support/http.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import { type Pair, makePair } from './support/pki.ts'
import { transport } from './support/transport.ts'

const serverCa = makePair({ commonName: 'Server CA', isCa: true })
const clientCa = makePair({ commonName: 'Client CA', isCa: true })
const foreignCa = makePair({ commonName: 'Foreign CA', isCa: true })
const originCa = makePair({ commonName: 'Origin CA', isCa: true })

const forHosts = (...names: readonly string[]): Pair =>
  makePair({ commonName: names[0] ?? '', names, issuer: serverCa, keyOf: serverCa })
const forClient = (options: Partial<Parameters<typeof makePair>[0]> = {}): Pair =>
  makePair({ commonName: 'Alice', issuer: clientCa, serial: '0a1b2c', ...options })

const certificate = (id: string, { chain, key }: Pair, side = 'server') => ({
  id,
  side,
  cert_body: chain,
  ...(side.endsWith('CA') ? {} : { private_key: key }),
})

const hosts = Array.from({ length: 200 }, (_, i) => `h${String(i)}.many.example`)
const alice = forClient()

/** One site a host, all on one origin. */
function documentsOf(originPort: number, secureOriginPort: number): Documents {
  const site = (id: string, name: string, more: object = {}) => ({
    id,
    server_names: [name],
    security_policy: 'sp',
    ssl_certificate: 'www',
    ...more,
  })
  const mtls = (mode: string) => ({ client_certificate: 'clients', client_certificate_mode: mode })
  const service = (id: string, port: number, more: object = {}) => ({
    id,
    http11: true,
    least_conn: false,
    transport_mode: 'http',
    back_hosts: [{ host: '127.0.0.1', http_ports: [port], https_ports: [port] }],
    ...more,
  })
  const policyTo = (id: string, backend: string) => ({
    id,
    map: [{ id: '__default_entry__', name: 'default', match: '/', backend_service: backend }],
  })
  return {
    certificates: [
      certificate('www', forHosts('www.example.com', 'on.example.com', 'optional.example.com')),
      certificate('wild', forHosts('*.wild.example')),
      certificate('fallback', forHosts('fallback.example')),
      certificate('clients', clientCa, 'clientCA'),
      certificate('weir', forClient({ commonName: 'Weir', issuer: originCa }), 'serverToBackendMTLS'),
      certificate('origins', originCa, 'backendCA'),
      certificate('strangers', foreignCa, 'backendCA'),
      ...hosts.map((host, i) => certificate(`many${String(i)}`, forHosts(host))),
    ],
    'backend-services': [
      service('app', originPort),
      service('secure', secureOriginPort, {
        transport_mode: 'https',
        mtls_certificate: 'weir',
        mtls_trusted_certificate: 'origins',
      }),
      service('passed', secureOriginPort, { sticky: 'iphash' }),
      service('distrusted', secureOriginPort, {
        transport_mode: 'https',
        mtls_certificate: 'weir',
        mtls_trusted_certificate: 'strangers',
      }),
    ],
    'security-policies': [
      policyTo('sp', 'app'),
      policyTo('to-secure', 'secure'),
      policyTo('to-distrusted', 'distrusted'),
      policyTo('to-passed', 'passed'),
    ],
    'proxy-templates': [{ id: '__default__', name: 'default', limit_req_rate: '0' }],
    'server-groups': [
      site('www', 'www.example.com'),
      site('wild', '*.wild.example', { ssl_certificate: 'wild' }),
      site('on', 'on.example.com', mtls('on')),
      site('optional', 'optional.example.com', mtls('optional')),
      site('modern', 'modern.example.com', { ssl_protocols: ['TLSv1.3'] }),
      site('ciphers', 'ciphers.example.com', {
        ssl_protocols: ['TLSv1.2'],
        ssl_ciphers: 'ECDHE-RSA-CHACHA20-POLY1305',
      }),
      site('secure', 'origin.example.com', { security_policy: 'to-secure' }),
      site('distrusted', 'stranger.example.com', { security_policy: 'to-distrusted' }),
      site('passed', 'passed.example.com', { security_policy: 'to-passed', tcp_passthrough: true }),
      ...hosts.map((host, i) => site(`many${String(i)}`, host, { ssl_certificate: `many${String(i)}` })),
    ],
    'load-balancers': [
      { id: 'http', protocol: 'http', address: '127.0.0.1', listener_port: 8080 },
      {
        id: 'https',
        protocol: 'https',
        address: '127.0.0.1',
        listener_port: 8443,
        public_port: 443,
        default_certificate: 'fallback',
      },
      {
        id: 'behind',
        protocol: 'https',
        address: '127.0.0.1',
        listener_port: 9443,
        proxy_protocol: true,
        proxy_protocol_from: ['127.0.0.1'],
        default_certificate: 'fallback',
      },
    ],
  }
}

function policyOf(documents: Documents): Policy {
  const built = buildPolicy(documents, { allowLoopbackBackends: true })
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  return built.policy
}

/** The document's listeners on ports that the kernel chooses. */
const listenersOf = ({ loadBalancers = [] }: Policy): XdsSettings['listeners'] =>
  loadBalancers.map((balancer) => ({ ...balancer, port: 0 }))

const valueOf = ({ headers }: Arrived, name: string): string | undefined =>
  headers.find(([key]) => key.toLowerCase() === name)?.[1]

/** An origin behind TLS that wants a certificate of its CA and tells whom it saw. */
async function startSecureOrigin(): Promise<{ readonly port: number; stop(): void }> {
  const { chain, key } = makePair({
    commonName: 'origin.example.com',
    names: ['origin.example.com'],
    issuer: originCa,
  })
  const server = createServer(
    { cert: chain, key, ca: originCa.chain, requestCert: true, rejectUnauthorized: true },
    ({ socket }, response) => {
      const peer = (socket as TLSSocket).getPeerCertificate()
      response.end(`${String(peer.subject.CN)} ${(socket as TLSSocket).getProtocol() ?? ''}`)
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

describe('TLS', () => {
  let origin: Origin
  let secure: { readonly port: number; stop(): void }
  let control: Control
  let envoy: Envoy
  let filter: { readonly address: string; stop(): void }
  let pipeline: Pipeline
  let documents: Documents
  const decisions: Decision[] = []

  const filters = (): XdsSettings['filters'] => {
    const [address = '', port = ''] = filter.address.split(':')
    return [{ kind: 'tcp', address, port: Number(port) }]
  }
  const use = (policy: Policy): void => {
    pipeline = createPipeline(policy, {
      state: memoryState({ clock: systemClock }),
      locator: nowhere,
      challenges: createChallenges(),
      onDefect(error) {
        throw error
      },
    })
  }
  const publish = async (changes: Documents = {}): Promise<void> => {
    const policy = policyOf({ ...documents, ...changes })
    use(policy)
    const result = await control.publish(policy, { listeners: listenersOf(policy), filters: filters() })
    expect(result).toMatchObject({ ok: true })
  }

  beforeAll(async () => {
    ;[origin, secure, control] = await Promise.all([
      startOrigin('app'),
      startSecureOrigin(),
      startControl({ timeoutMs: 60_000 }),
    ])
    documents = documentsOf(origin.port, secure.port)
    filter = await startFilterServer({
      listen: '127.0.0.1:0',
      transport,
      async decide(input) {
        const decision = await pipeline.decide(input)
        decisions.push(decision)
        return decision
      },
      failed: (input) => pipeline.failed(input),
      log: { warn: () => undefined, error: () => undefined },
    })
    await publish()
    const bootstrap = renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port })
    envoy = await startEnvoy({
      bootstrap,
      listeners: ['http', 'https', 'behind'],
      args: ['--reject-unknown-dynamic-fields'],
    })
  })

  afterAll(async () => {
    await envoy.stop()
    filter.stop()
    control.stop()
    secure.stop()
    await origin.stop()
  })

  async function open(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const port = await envoy.listenerPort('https')
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
    await once(socket, 'secureConnect')
    return socket
  }

  async function shownTo(options: ConnectionOptions): Promise<string> {
    const socket = await open(options)
    const leaf = new X509Certificate(socket.getPeerCertificate().raw)
    socket.destroy()
    return leaf.subject.split('CN=')[1] ?? ''
  }

  type Told = Answer & { readonly arrived: Arrived | undefined; readonly decision: Decision | undefined }

  /** A request to this host, over a connection for the same name unless another is given. */
  async function ask(host: string, tls: ConnectionOptions = {}, more: Partial<Sent> = {}): Promise<Told> {
    const socket = await open({ servername: host, ...tls })
    const before = origin.arrived.length
    const answer = await send({ port: 0, host, socket, ...more })
    socket.destroy()
    return { ...answer, arrived: origin.arrived[before], decision: decisions.at(-1) }
  }

  describe('the certificate', () => {
    test.each([0, 7, 99, 199])('of site %i among 200', async (...[i]) => {
      expect(await shownTo({ servername: hosts[i] ?? '' })).toBe(hosts[i])
    })

    test('of a wildcard name', async () => {
      expect(await shownTo({ servername: 'any.wild.example' })).toBe('*.wild.example')
      expect(await ask('any.wild.example')).toMatchObject({ status: 200, decision: { action: 'pass' } })
    })

    test.each([
      ['an unknown name', { servername: 'nobody.example' }],
      ['no name', {}],
    ])('the default one for %s', async (_says, options) => {
      expect(await shownTo(options)).toBe('fallback.example')
    })

    test('leads to its CA', async () => {
      const socket = await open({
        servername: 'www.example.com',
        ca: serverCa.chain,
        rejectUnauthorized: true,
      })
      expect(socket.authorized).toBe(true)
      socket.destroy()
    })

    test('a replaced one is shown to new connections, and old ones go on', async () => {
      const socket = await open({ servername: 'www.example.com' })
      const renewed = certificate('www', forHosts('renewed.example.com', 'www.example.com'))
      const others = documents['certificates']?.filter(({ id }) => id !== 'www') ?? []
      await publish({ certificates: [renewed, ...others] })
      expect(await shownTo({ servername: 'www.example.com' })).toBe('renewed.example.com')
      expect(await send({ port: 0, socket })).toMatchObject({ status: 200 })
      socket.destroy()
      await publish()
    })
  })

  describe('versions and ciphers', () => {
    test('TLS 1.2 and 1.3 by default', async () => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = await open({ servername: 'www.example.com', minVersion: version, maxVersion: version })
        expect(socket.getProtocol()).toBe(version)
        socket.destroy()
      }
    })

    test('a site that wants 1.3 refuses 1.2', async () => {
      await expect(open({ servername: 'modern.example.com', maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert/)
      expect(await ask('modern.example.com')).toMatchObject({ status: 200 })
    })

    test('a site that names a cipher uses it and no other', async () => {
      const socket = await open({ servername: 'ciphers.example.com' })
      expect(socket.getCipher().name).toBe('ECDHE-RSA-CHACHA20-POLY1305')
      socket.destroy()
      const other = { servername: 'ciphers.example.com', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }
      await expect(open({ ...other, maxVersion: 'TLSv1.2' })).rejects.toThrow(/alert/)
    })

    test('HTTP/2 is offered', async () => {
      const socket = await open({ servername: 'www.example.com', ALPNProtocols: ['h2', 'http/1.1'] })
      expect(socket.alpnProtocol).toBe('h2')
      socket.destroy()
    })

    test('the handshake leaves its fingerprints as tags, whatever the client claims', async () => {
      const told = await ask('www.example.com', {}, { headers: [['x-weir-ja3', 'forged']] })
      const tags = told.decision?.record.tags.filter((tag) => /^ja[34]:/.test(tag)) ?? []
      expect(tags).toHaveLength(2)
      expect(tags.join()).not.toContain('forged')
      expect(told.arrived && valueOf(told.arrived, 'x-weir-ja3')).toBeUndefined()
    })
  })

  describe('client certificates', () => {
    const presented = ({ chain, key }: Pair): ConnectionOptions => ({ cert: chain, key })
    const none = { status: 496, reason: 'General: Client certificate required.' }
    const bad = { status: 495, reason: 'General: Client certificate could not be verified.' }
    const pass = { status: 200, reason: null }
    const expired = forClient({ days: -1 })
    const foreign = forClient({ issuer: foreignCa })

    test.each([
      ['on', 'valid', presented(alice), pass],
      ['on', 'absent', {}, none],
      ['on', 'expired', presented(expired), bad],
      ['on', 'foreign', presented(foreign), bad],
      ['on', 'self-signed', presented(makePair({ commonName: 'Mallory' })), bad],
      ['optional', 'valid', presented(alice), pass],
      ['optional', 'absent', {}, pass],
      ['optional', 'expired', presented(expired), bad],
      ['optional', 'foreign', presented(foreign), bad],
    ])('mode %s, %s', async (mode, _what, tls, { status, reason }) => {
      const told = await ask(`${mode}.example.com`, tls)
      expect({ status: told.status, reason: told.decision?.record.reason }).toEqual({ status, reason })
      expect(told.arrived === undefined).toBe(status !== 200)
    })

    test('mode off asks for none', async () => {
      const { arrived } = await ask('www.example.com', presented(alice))
      expect(arrived?.headers.filter(([name]) => name.toLowerCase().startsWith('ssl'))).toEqual([])
    })

    test('the origin is told who came', async () => {
      const { arrived } = await ask('on.example.com', presented(alice))
      const header = (name: string): string | undefined => arrived && valueOf(arrived, `ssl_client_${name}`)
      const leaf = new X509Certificate(alice.chain)
      expect({
        verify: header('verify'),
        subject: header('s_dn'),
        issuer: header('i_dn'),
        serial: header('serial'),
        fingerprint: header('fingerprint'),
      }).toEqual({
        verify: 'SUCCESS',
        subject: 'CN=Alice, O=Weir tests',
        issuer: 'CN=Client CA, O=Weir tests',
        serial: '0A1B2C',
        fingerprint: leaf.fingerprint,
      })
      expect(decodeURIComponent(header('cert') ?? '')).toBe(leaf.toString())
    })

    test('the origin is told that nobody came', async () => {
      const forged = ['SSL_CLIENT_VERIFY', 'ssl-client-verify', 'Ssl_Client-Serial'].map(
        (name) => [name, 'SUCCESS'] as const,
      )
      const { arrived } = await ask('optional.example.com', {}, { headers: forged })
      const sent = arrived?.headers.filter(([name]) => /^ssl[-_]client/i.test(name)) ?? []
      expect(Object.fromEntries(sent.map(([name, value]) => [name.toLowerCase(), value]))).toEqual({
        ssl_client_verify: 'NONE',
        ssl_client_cert: '-',
        ssl_client_s_dn: '-',
        ssl_client_i_dn: '-',
        ssl_client_serial: '-',
        ssl_client_fingerprint: '-',
      })
      expect(sent).toHaveLength(6)
    })

    test('no other site is a way round', async () => {
      const told = await ask('on.example.com', { servername: 'www.example.com' })
      expect(told).toMatchObject({ status: 421, arrived: undefined })
      expect(await ask('www.example.com', { servername: 'on.example.com' })).toMatchObject({
        status: 421,
        arrived: undefined,
      })
    })

    test('over plaintext there is none', async () => {
      const port = await envoy.listenerPort('http')
      expect(await send({ port, host: 'on.example.com' })).toMatchObject({ status: 496 })
      expect(await send({ port, host: 'optional.example.com' })).toMatchObject({ status: 200 })
    })

    test('they are refused also while the filter is away', async () => {
      const policy = policyOf(documents)
      const dead = [{ kind: 'tcp', address: '127.0.0.1', port: 1 }] as const
      await control.publish(policy, { listeners: listenersOf(policy), filters: dead })
      for (const tls of [{}, presented(foreign)])
        expect((await ask('on.example.com', tls)).arrived).toBeUndefined()
      await publish()
      await expect(ask('on.example.com', presented(alice))).resolves.toMatchObject({ status: 200 })
    })
  })

  describe('origins behind TLS', () => {
    test('get the certificate of Weir, and are checked against their CA', async () => {
      const { status, body } = await ask('origin.example.com')
      expect({ status, body }).toEqual({ status: 200, body: 'Weir TLSv1.3' })
    })

    test('that another CA signed are not spoken to', async () => {
      expect(await ask('stranger.example.com')).toMatchObject({ status: 502 })
    })
  })

  test('what is passed through is not decrypted, and no event', async () => {
    const before = decisions.length
    const weir = makePair({ commonName: 'Somebody', issuer: originCa })
    const socket = await open({
      servername: 'passed.example.com',
      cert: weir.chain,
      key: weir.key,
      ca: originCa.chain,
      rejectUnauthorized: true,
      checkServerIdentity: () => undefined,
    })
    expect(socket.getPeerCertificate().subject.CN).toBe('origin.example.com')
    expect((await send({ port: 0, host: 'passed.example.com', socket })).body).toContain('Somebody')
    expect(decisions.length).toBe(before)
    socket.destroy()
  })

  test('the PROXY protocol names the client', async () => {
    const tcp = connectTcp(await envoy.listenerPort('behind'), '127.0.0.1')
    await once(tcp, 'connect')
    tcp.write('PROXY TCP4 203.0.113.77 192.0.2.1 40000 443\r\n')
    const socket = connect({ socket: tcp, servername: 'www.example.com', rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    expect(await send({ port: 0, socket })).toMatchObject({ status: 200 })
    expect(decisions.at(-1)?.record.ip).toBe('203.0.113.77')
    socket.destroy()
  })
})
