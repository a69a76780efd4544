// Connections that never come to a request, on a real Envoy: each is told once, with the client's name and OpenSSL's reason, and
// nobody else is (spec control-plane 2.2). What did come to a request says what its TLS was.
import { once } from 'node:events'
import { type Socket, connect as connectTcp } from 'node:net'
import { duplexPair } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Certificate } from '#config'
import { type ConnectionFailure, type ListenerSettings, renderBootstrap } from '#envoy'
import { reasonOf } from '#traffic'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { send } from './support/http.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { makePair } from './support/pki.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const certificate: Certificate = {
  id: 'www',
  name: 'www',
  side: 'server',
  ...makePair({ commonName: 'www.example.com', names: ['www.example.com'] }),
  names: ['www.example.com'],
  expires: Date.now() + 86_400_000,
  crl: [],
}
const place = { address: '127.0.0.1', port: 0 } as const
const listeners: readonly ListenerSettings[] = [
  // Without a default certificate, so that a name nobody has finds no chain.
  {
    ...place,
    id: 'https',
    protocol: 'https',
    publicPort: 443,
    defaultCertificate: undefined,
    certificates: [],
  },
  { ...place, id: 'behind', protocol: 'http', publicPort: 80, proxyProtocolFrom: ['192.0.2.1'] },
]

let origin: Origin
let control: Control
let envoy: Envoy
let before = 0

beforeAll(async () => {
  ;[origin, control] = await Promise.all([startOrigin('app'), startControl()])
  const backend = site.service({
    transportMode: 'http',
    hosts: [site.host({ host: '127.0.0.1', httpPorts: [origin.port] })],
  })
  const group = site.group({
    certificate,
    policy: site.securityPolicy({ entries: [site.entry({ backend })] }),
    template: site.template({ clientHeaderTimeoutS: 1 }),
  })
  await control.publish(site.policy({ serverGroups: [group] }), { listeners })
  envoy = await startEnvoy({
    bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port }),
    listeners: listeners.map(({ id }) => id),
    args: ['--reject-unknown-dynamic-fields'],
  })
})
afterAll(async () => {
  await envoy.stop()
  control.stop()
  await origin.stop()
})
beforeEach(() => {
  before = control.failures.length
})

/** Envoy hands its log over once a second. */
async function until(isThere: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!isThere() && Date.now() < deadline) await envoy.get('/ready')
}

/** The only failure since the test began. */
async function failure(): Promise<ConnectionFailure> {
  await until(() => control.failures.length > before)
  const [first, ...others] = control.failures.slice(before)
  expect(others).toEqual([])
  if (!first) throw new Error('Envoy told of no failure')
  return first
}

/** However it ends. */
function closed(socket: Socket): Promise<void> {
  socket.on('error', () => undefined)
  socket.resume()
  return new Promise((resolve) => socket.on('close', () => resolve()))
}

async function handshake(options: ConnectionOptions): Promise<void> {
  const port = await envoy.listenerPort('https')
  await closed(connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }))
}

describe('a connection that fails is told, with its reason:', () => {
  const rows: readonly (readonly [says: string, options: ConnectionOptions, kind: string, reason: string])[] =
    [
      [
        'a version that is too old',
        {
          servername: 'www.example.com',
          minVersion: 'TLSv1.1',
          maxVersion: 'TLSv1.1',
          ciphers: 'ALL:@SECLEVEL=0',
        },
        'handshake',
        'unsupported_protocol',
      ],
      [
        'no cipher in common',
        { servername: 'www.example.com', maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' },
        'handshake',
        'no_shared_cipher',
      ],
      ['a name that nobody has', { servername: 'nobody.example.com' }, 'no_chain', 'no_chain'],
    ]
  test.each(rows)('%s', async (_says, options, kind, reason) => {
    await handshake(options)
    const told = await failure()
    expect(told).toMatchObject({ node: 'envoy-0', sni: options.servername, kind })
    expect(told.peer?.address).toBe('127.0.0.1')
    expect(told.local?.port).toBe(await envoy.listenerPort('https'))
    expect(reasonOf(told)).toBe(reason)
  })

  test('a handshake that stalls', async () => {
    const [client, wire] = duplexPair()
    const tls = connect({ socket: client, servername: 'www.example.com' })
    const socket = connectTcp(await envoy.listenerPort('https'), '127.0.0.1')
    // The client says hello and hears no answer, so that is all it says.
    wire.on('data', (hello: Buffer) => socket.write(hello))
    await closed(socket)
    tls.destroy()
    const told = await failure()
    expect(told).toMatchObject({ kind: 'handshake', sni: 'www.example.com' })
    expect(reasonOf(told)).toBe('timeout')
  })

  test('a peer that may not speak the PROXY protocol', async () => {
    const socket = connectTcp(await envoy.listenerPort('behind'), '127.0.0.1')
    socket.write('PROXY TCP4 203.0.113.9 127.0.0.1 4000 80\r\nGET / HTTP/1.1\r\n')
    await closed(socket)
    const told = await failure()
    expect(told).toMatchObject({ kind: 'no_chain', peer: { address: '127.0.0.1' } })
  })
})

test('a connection that comes to a request is none of them, and its TLS is in the entry', async () => {
  const port = await envoy.listenerPort('https')
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'www.example.com',
      rejectUnauthorized: false,
      maxVersion: version,
      ciphers: 'TLS_AES_128_GCM_SHA256:ECDHE-RSA-AES128-GCM-SHA256',
    })
    await once(socket, 'secureConnect')
    expect((await send({ port: 0, socket, headers: [['connection', 'close']] })).status).toBe(200)
  }
  await until(() => control.requests.length >= 2)
  expect(control.requests.map(({ tls }) => tls)).toEqual([
    { version: 'TLSv1.2', cipher: 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', sni: 'www.example.com' },
    { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', sni: 'www.example.com' },
  ])
  expect(control.failures.slice(before)).toEqual([])
})

test('a connection that ends before a request line is no request, one that ends among its headers is', async () => {
  const port = await envoy.listenerPort('https')
  const told = control.requests.length
  const ports: (number | undefined)[] = []
  for (const sent of ['\r\n', 'GET /half HTTP/1.1\r\nHost: www.example.com\r\nX-Half: ']) {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: 'www.example.com',
      rejectUnauthorized: false,
    })
    await once(socket, 'secureConnect')
    ports.push(socket.localPort)
    socket.end(sent)
    await closed(socket)
  }
  // Envoy has one worker here, so the entry of the second comes after one of the first.
  await until(() => control.requests.length > told)
  expect(control.requests.slice(told)).toMatchObject([
    { peer: { port: ports[1] }, responseFlags: ['downstream_connection_termination'] },
  ])
  expect(control.failures.slice(before)).toEqual([])
})
