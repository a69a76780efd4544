// A hundred changes under load: endpoints, routes, certificates and policy, one after the other, and no request is lost; nor
// does anybody notice that the control plane is away and back (spec control-plane 2.11).
import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Certificate, Policy } from '#config'
import { type ListenerSettings, renderBootstrap } from '#envoy'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { type Load, startLoad } from './support/load.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { makePair } from './support/pki.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const host = 'www.example.com'
const pair = makePair({ commonName: host, names: [host] })
const certificateOf = (serial: string): Certificate => ({
  id: 'www',
  name: 'www',
  side: 'server',
  ...makePair({ commonName: host, names: [host], keyOf: pair, serial }),
  names: [host],
  expires: Date.now() + 86_400_000,
  crl: [],
})

const place = { address: '127.0.0.1', port: 0 } as const
const listeners: readonly ListenerSettings[] = [
  { ...place, id: 'http', protocol: 'http', publicPort: 80 },
  {
    ...place,
    id: 'https',
    protocol: 'https',
    publicPort: 443,
    defaultCertificate: undefined,
    certificates: [],
  },
]

let origins: readonly Origin[]
let control: Control
let envoy: Envoy | undefined
let load: Load | undefined

beforeEach(async () => {
  origins = await Promise.all(['a', 'b', 'c'].map(startOrigin))
  control = await startControl({ drainMs: 1000, timeoutMs: 60_000 })
})
afterEach(async () => {
  load?.cancel()
  await envoy?.stop()
  envoy = undefined
  control.stop()
  await Promise.all(origins.map((origin) => origin.stop()))
})

const running = (): Envoy => {
  if (!envoy) throw new Error('Envoy does not run')
  return envoy
}

/** How often each thing was changed. */
type World = {
  readonly endpoints: number
  readonly routes: number
  readonly certificates: number
  readonly policy: number
}

const serials = Array.from({ length: 26 }, (_, n) => `0a${n.toString(16).padStart(2, '0')}`)
const certificates = serials.map(certificateOf)

/** Endpoints come and go, one or two of three; the service gets another name; entries, limits and a site come and go. */
function policyOf({ endpoints, routes, certificates: renewals, policy }: World): Policy {
  const hosts = origins
    .filter((_, at) => at !== endpoints % 3 && (at + endpoints) % 4 !== 0)
    .map(({ port }) => site.host({ host: '127.0.0.1', httpPorts: [port] }))
  const backend = site.service({ id: `app${Math.floor(routes / 2) % 3}`, transportMode: 'http', hosts })
  const other = site.service({ ...backend, id: 'other', sticky: routes % 4 === 0 ? 'none' : 'least_conn' })
  const template = site.template({
    clientHeaderTimeoutS: 10 + (policy % 5),
    maxRequestHeadersKb: 64 + (policy % 3),
    proxyReadTimeoutS: 60 + policy,
  })
  const certificate = certificates[renewals]
  const more = { id: 'more', serverNames: [{ kind: 'literal', host: 'more.example.com' }] } as const
  return site.policy({
    serverGroups: [
      site.group({
        template,
        certificate,
        policy: site.securityPolicy({
          entries: [
            ...(routes % 2 === 0
              ? []
              : [site.entry({ id: 'root', role: 'root', match: '/', backend: other })]),
            site.entry({ backend, contentFilterActive: policy % 2 === 0 }),
          ],
        }),
      }),
      ...(policy % 4 === 3 ? [site.group({ ...more, certificate, template: site.template() })] : []),
    ],
  })
}

/** Envoy waits for the filter for as long as it takes: how busy this machine is is no matter here. */
const publish = (policy: Policy) => control.publish(policy, { listeners, filterTimeoutMs: 10_000 })

async function start(protocol: 'delta' | 'sotw', policy: Policy, names = ['http', 'https']): Promise<void> {
  await publish(policy)
  const text = renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port })
  envoy = await startEnvoy({
    bootstrap: protocol === 'delta' ? text : text.replace('api_type: DELTA_GRPC', 'api_type: GRPC'),
    listeners: names,
    args: ['--reject-unknown-dynamic-fields'],
  })
}

async function shownSerial(): Promise<string> {
  const port = await running().listenerPort('https')
  const socket = connect({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const shown = socket.getPeerX509Certificate()
  socket.destroy()
  return shown?.serialNumber.toLowerCase() ?? ''
}

const things = ['endpoints', 'routes', 'certificates', 'policy'] as const

describe.each(['delta', 'sotw'] as const)('over %s', (protocol) => {
  test('100 changes, 25 of each kind, under 200 requests a second: none is lost', async () => {
    let world: World = { endpoints: 0, routes: 0, certificates: 0, policy: 0 }
    await start(protocol, policyOf(world))
    const asking = startLoad(
      [
        { port: await running().listenerPort('http'), host },
        { port: await running().listenerPort('https'), host, tls: true },
      ],
      200,
    )
    load = asking
    const refused: unknown[] = []
    const shown: string[] = []
    for (let change = 0; change < 100; change++) {
      const thing = things[change % things.length] ?? 'policy'
      world = { ...world, [thing]: world[thing] + 1 }
      const result = await publish(policyOf(world))
      if (!result.ok || result.nodes.some(({ state }) => state !== 'acked')) refused.push(result)
      if (thing === 'certificates') shown.push(await shownSerial())
      // So that requests are under way between the changes as well.
      const until = asking.sent() + 12
      while (asking.sent() < until) await running().get('/ready')
    }
    const { sent, lost } = await asking.stop()
    expect(world).toEqual({ endpoints: 25, routes: 25, certificates: 25, policy: 25 })
    expect(refused).toEqual([])
    expect(lost).toEqual([])
    expect(sent).toBeGreaterThanOrEqual(1200)
    // What is acknowledged is in force.
    expect(shown).toEqual(serials.slice(1))
    expect(origins.every(({ arrived }) => arrived.length > 0)).toBe(true)
  })
})

const nothing: World = { endpoints: 0, routes: 0, certificates: 0, policy: 0 }

/** How many updates of these types Envoy has taken. */
const updates = (...types: readonly string[]): Promise<readonly number[]> =>
  Promise.all(types.map((type) => running().stat(`${type}.update_success`)))

const clusterUpdates = 'cluster_manager.cds'
const listenerUpdates = 'listener_manager.lds'

test('E43: a service gets another name under 1000 requests a second: none is lost, listeners do not notice', async () => {
  const named = (id: string): Policy => {
    const hosts = origins.map(({ port }) => site.host({ host: '127.0.0.1', httpPorts: [port] }))
    const backend = site.service({ id, transportMode: 'http', hosts })
    return site.policy({
      serverGroups: [site.group({ policy: site.securityPolicy({ entries: [site.entry({ backend })] }) })],
    })
  }
  // Without a certificate there is no TLS listener.
  await start('delta', named('app'), ['http'])
  const before = await updates(listenerUpdates)
  const asking = startLoad([{ port: await running().listenerPort('http'), host }], 1000)
  load = asking
  const has = async (id: string): Promise<boolean> =>
    (await running().get('/clusters')).includes(`be|${id}|http::`)
  const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 60_000
    while (!(await isSo()) && Date.now() < deadline) await running().get('/ready')
  }
  await until(() => asking.sent() > 500)
  await publish(named('app2'))
  const published = performance.now()
  // Requests that began under the old name still need it.
  expect([await has('app'), await has('app2')]).toEqual([true, true])
  await until(async () => !(await has('app')))
  const gone = performance.now() - published
  expect(await has('app')).toBe(false)
  await until(() => asking.sent() > 3000)
  const { lost } = await asking.stop()
  expect(lost).toEqual([])
  expect(gone).toBeGreaterThan(900)
  expect(await updates(listenerUpdates)).toEqual(before)
})

test('E44: a renewed certificate is shown in new handshakes, open connections live on, nothing else changes', async () => {
  await start('delta', policyOf(nothing))
  const port = await running().listenerPort('https')
  const open = connect({ host: '127.0.0.1', port, servername: host, rejectUnauthorized: false })
  await once(open, 'secureConnect')
  const ask = async (): Promise<string> => {
    open.write(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    const [answer] = (await once(open, 'data')) as [Buffer]
    return answer.toString().split('\r\n')[0] ?? ''
  }
  expect(await ask()).toBe('HTTP/1.1 200 OK')
  const before = await updates(clusterUpdates, listenerUpdates)
  await publish(policyOf({ ...nothing, certificates: 1 }))
  expect(await shownSerial()).toBe(serials[1])
  expect(await ask()).toBe('HTTP/1.1 200 OK')
  open.destroy()
  expect(await updates(clusterUpdates, listenerUpdates)).toEqual(before)
})
