// Offloaded blocking on a real Envoy (spec control-plane 2.8, E39 to E41): a listed address is cut at its first data, and
// nobody else notices, neither when it comes nor when it goes.
import { once } from 'node:events'
import { type Server, type ServerResponse, createServer } from 'node:http'
import { type AddressInfo, type Socket, connect as connectTcp } from 'node:net'
import { type TLSSocket, connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Certificate, Policy } from '#config'
import { type ListenerSettings, maxOffloaded, renderBootstrap } from '#envoy'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { send } from './support/http.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { makePair } from './support/pki.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const guest = '127.0.0.1'
const banned = '127.0.0.2'

const pair = makePair({ commonName: 'www.example.com', names: ['www.example.com'] })
const certificate: Certificate = {
  id: 'www',
  name: 'www',
  side: 'server',
  ...pair,
  names: ['www.example.com'],
  expires: Date.now() + 86_400_000,
  crl: [],
}

const place = { address: '127.0.0.1', port: 0 } as const
const plain: ListenerSettings = { ...place, id: 'http', protocol: 'http', publicPort: 80 }
const secure: ListenerSettings = {
  ...place,
  id: 'https',
  protocol: 'https',
  publicPort: 443,
  defaultCertificate: certificate,
  certificates: [],
}
const behind: ListenerSettings = { ...plain, id: 'behind', proxyProtocolFrom: ['127.0.0.1'] }
const listeners = [plain, secure, behind]

let origin: Origin
let control: Control
let envoy: Envoy

beforeEach(async () => {
  ;[origin, control] = await Promise.all([startOrigin('app'), startControl()])
})
afterEach(async () => {
  await envoy.stop()
  control.stop()
  await origin.stop()
})

const policyTo = (port: number, trustedSources: readonly string[] = []): Policy => {
  const backend = site.service({
    transportMode: 'http',
    hosts: [site.host({ host: '127.0.0.1', httpPorts: [port], httpsPorts: [port] })],
  })
  const policy = site.securityPolicy({ entries: [site.entry({ backend })] })
  return site.policy({
    serverGroups: [
      site.group({ policy, certificate, template: site.template({ trustedSources }) }),
      site.group({
        id: 'passed',
        serverNames: [{ kind: 'literal', host: 'passed.example.com' }],
        policy,
        tcpPassthrough: true,
      }),
    ],
  })
}

async function publish(policy: Policy, offload: readonly string[]): Promise<void> {
  const result = await control.publish(policy, { listeners }, { offload, acme: [] })
  expect(result).toMatchObject({ ok: true, nodes: [{ state: 'acked' }] })
}

type Protocol = 'delta' | 'sotw'

async function start(policy: Policy, protocol: Protocol = 'delta'): Promise<void> {
  await control.publish(policy, { listeners })
  const text = renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port })
  envoy = await startEnvoy({
    bootstrap: protocol === 'delta' ? text : text.replace('api_type: DELTA_GRPC', 'api_type: GRPC'),
    listeners: listeners.map(({ id }) => id),
    args: ['--reject-unknown-dynamic-fields'],
  })
}

/** A connection from an address of the loopback net. */
async function open(listener: string, from: string, servername?: string): Promise<Socket | TLSSocket> {
  const socket = connectTcp({
    host: '127.0.0.1',
    port: await envoy.listenerPort(listener),
    localAddress: from,
  })
  await once(socket, 'connect')
  if (servername === undefined) return socket
  const tls = connectTls({ socket, servername, rejectUnauthorized: false })
  await once(tls, 'secureConnect')
  return tls
}

/** The status of a request over a connection, or that it was cut. */
async function ask(socket: Socket): Promise<number | 'cut'> {
  try {
    return (await send({ port: 0, socket, headers: [['connection', 'close']] })).status
  } catch {
    return 'cut'
  } finally {
    socket.destroy()
  }
}

const statusFrom = async (from: string, listener = 'http', servername?: string): Promise<number | 'cut'> =>
  ask(await open(listener, from, servername))

const listenerUpdates = (): Promise<readonly number[]> =>
  Promise.all(
    ['lds.update_attempt', 'listener_modified', 'listener_in_place_updated', 'listener_added'].map((name) =>
      envoy.stat(`listener_manager.${name}`),
    ),
  )

describe.each<Protocol>(['delta', 'sotw'])('over %s:', (protocol) => {
  test('E40: a listed address is cut at its first data, and served again when it is removed', async () => {
    const policy = policyTo(origin.port)
    await start(policy, protocol)
    expect(await statusFrom(banned)).toBe(200)
    const before = await listenerUpdates()

    await publish(policy, [banned])
    // It connects: that is before anybody looks.
    expect(await statusFrom(banned)).toBe('cut')
    expect(await statusFrom(guest)).toBe(200)
    await publish(policy, [])
    expect(await statusFrom(banned)).toBe(200)

    expect(await listenerUpdates()).toEqual(before)
    expect(origin.arrived).toHaveLength(3)
  })
})

describe('who is cut', () => {
  test('on a TLS listener: after the handshake', async () => {
    const policy = policyTo(origin.port)
    await start(policy)
    await publish(policy, [banned])
    const tls = await open('https', banned, 'www.example.com')
    expect(await ask(tls)).toBe('cut')
    expect(await statusFrom(guest, 'https', 'www.example.com')).toBe(200)
  })

  test('where TLS passes through: before a connection to the origin is opened', async () => {
    let connections = 0
    const server = createServer()
    server.on('connection', (socket) => {
      connections++
      socket.destroy()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const policy = policyTo((server.address() as AddressInfo).port)
    await start(policy)
    await publish(policy, [banned])
    await expect(open('https', banned, 'passed.example.com')).rejects.toThrow()
    expect(connections).toBe(0)
    await expect(open('https', guest, 'passed.example.com')).rejects.toThrow()
    expect(connections).toBeGreaterThan(0)
    server.close()
  })

  test('behind the PROXY protocol: the client that it names', async () => {
    const policy = policyTo(origin.port, ['127.0.0.0/8'])
    await start(policy)
    await publish(policy, ['203.0.113.9'])
    const asClient = async (client: string): Promise<number | 'cut'> => {
      const socket = await open('behind', guest)
      socket.write(`PROXY TCP4 ${client} 127.0.0.1 4000 80\r\n`)
      return ask(socket)
    }
    expect(await asClient('203.0.113.9')).toBe('cut')
    expect(await asClient('203.0.113.8')).toBe(200)
  })

  test('E41: nobody where a template trusts a proxy: the peer is not the client', async () => {
    const policy = policyTo(origin.port, ['10.0.0.0/8'])
    await start(policy)
    await publish(policy, [banned])
    expect(await statusFrom(banned)).toBe(200)
    expect(await statusFrom(banned, 'https', 'www.example.com')).toBe(200)
  })
})

/** An origin that answers piece by piece, as it is told. */
async function startSlowOrigin(): Promise<{ server: Server; port: number; answers: ServerResponse[] }> {
  const answers: ServerResponse[] = []
  const server = createServer((_, response) => {
    response.write('first ')
    answers.push(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, answers }
}

describe('who does not notice', () => {
  test('downloads that run, of others and of the listed address itself', async () => {
    const { server, port, answers } = await startSlowOrigin()
    const policy = policyTo(port)
    await start(policy)
    const texts: Promise<string>[] = []
    for (const from of [guest, banned]) {
      const socket = await open('http', from)
      texts.push(send({ port: 0, socket, headers: [['connection', 'close']] }).then(({ body }) => body))
    }
    const deadline = Date.now() + 60_000
    while (answers.length < 2 && Date.now() < deadline) await envoy.get('/ready')
    await publish(policy, [banned])
    for (const answer of answers) answer.write('second ')
    await publish(policy, [])
    for (const answer of answers) answer.end('last')
    expect(await Promise.all(texts)).toEqual(['first second last', 'first second last'])
    server.close()
  })

  test(`a list of ${maxOffloaded} addresses is taken, and who is not on it is served`, async () => {
    const policy = policyTo(origin.port)
    await start(policy)
    const many = Array.from({ length: maxOffloaded - 1 }, (_, n) => `198.51.${100 + (n >> 8)}.${n & 255}`)
    await publish(policy, [banned, ...many])
    expect(await statusFrom(banned)).toBe('cut')
    expect(await statusFrom(guest)).toBe(200)
  })
})
