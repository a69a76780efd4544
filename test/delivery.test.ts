// Delivery, as the specification's worked examples have it (control-plane 5, E43 to E46): what travels to an Envoy, and what does
// not. The client says exactly what an Envoy says.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Certificate, Policy } from '#config'
import type { ListenerSettings } from '#envoy'
import { connectAds } from './support/ads-client.ts'
import type { ShortType } from './support/ads-stream.ts'
import { type Control, startControl } from './support/control.ts'
import { type DeltaClient, type Received, connectDelta } from './support/delta-client.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const drainMs = 200

let control: Control
const clients: { close(): void }[] = []

beforeEach(async () => {
  control = await startControl({ drainMs })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  control.stop()
})

const keep = <T extends { close(): void }>(client: T): T => {
  clients.push(client)
  return client
}

const certificateOf = (chain: string): Certificate => ({
  id: 'c1',
  name: 'c1',
  side: 'server',
  chain,
  key: 'key',
  names: ['www.example.com'],
  expires: 0,
  crl: [],
})

const listeners: readonly ListenerSettings[] = [
  {
    id: 'https',
    protocol: 'https',
    address: '0.0.0.0',
    port: 8443,
    publicPort: 443,
    defaultCertificate: undefined,
    certificates: [],
  },
]

type World = { readonly service?: string; readonly certificate?: string; readonly address?: string }

const policyOf = ({ service = 'app', certificate = 'first', address = '10.0.0.1' }: World): Policy => {
  const backend = site.service({ id: service, transportMode: 'http', hosts: [site.host({ host: address })] })
  return site.policy({
    serverGroups: [
      site.group({
        certificate: certificateOf(certificate),
        policy: site.securityPolicy({ entries: [site.entry({ backend })] }),
      }),
    ],
  })
}

const publish = (world: World) => control.publish(policyOf(world), { listeners })

/** What Envoy asks for, in its order. */
const wanted: readonly (readonly [type: ShortType, names: readonly string[]])[] = [
  ['cluster', []],
  ['endpoint', ['be|app|http', 'weir_filter']],
  ['listener', []],
  ['secret', ['cert|c1']],
  ['route', ['https|off']],
  ['extension', ['weir.offload.https']],
]

type Held = Map<ShortType, Received>

async function boot(client: DeltaClient): Promise<Held> {
  const held: Held = new Map()
  for (const [type, add] of wanted) {
    client.ask(type, { add })
    const response = await client.next()
    client.ack(response)
    held.set(type, response)
  }
  return held
}

const shape = ({ type, names, removed }: Received) => ({ type, names, removed })

/** The next response, acknowledged. */
async function take(client: DeltaClient): Promise<ReturnType<typeof shape>> {
  const response = await client.next()
  client.ack(response)
  return shape(response)
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const nodeNamed = (name: string) => control.ads.status().nodes.find(({ id }) => id === name)

describe('what travels', () => {
  test('E43: a service under another name: clusters, endpoints, routes, and later the old cluster goes', async () => {
    await publish({})
    const client = keep(connectDelta(control.port))
    await boot(client)
    const publishing = publish({ service: 'app2' })
    const clusters = await client.next()
    expect(shape(clusters)).toEqual({ type: 'cluster', names: ['be|app2|http'], removed: [] })
    client.ask('endpoint', { add: ['be|app2|http'] })
    expect(await take(client)).toEqual({ type: 'endpoint', names: ['be|app2|http'], removed: [] })
    client.ack(clusters)
    expect(await take(client)).toEqual({ type: 'route', names: ['https|off'], removed: [] })
    expect(await publishing).toMatchObject({ ok: true })
    const acknowledged = performance.now()
    expect(await take(client)).toEqual({ type: 'cluster', names: [], removed: ['be|app|http'] })
    expect(performance.now() - acknowledged).toBeGreaterThan(drainMs * 0.8)
  })

  test('E44: a renewed certificate: its secret alone', async () => {
    await publish({})
    const client = keep(connectDelta(control.port))
    await boot(client)
    const publishing = publish({ certificate: 'second' })
    expect(await take(client)).toEqual({ type: 'secret', names: ['cert|c1'], removed: [] })
    expect(await publishing).toMatchObject({ ok: true })
    expect(await client.isQuiet()).toBe(true)
  })

  test('another address of a service: its endpoints alone', async () => {
    await publish({})
    const client = keep(connectDelta(control.port))
    await boot(client)
    const publishing = publish({ address: '10.0.0.2' })
    expect(await take(client)).toEqual({ type: 'endpoint', names: ['be|app|http'], removed: [] })
    expect(await publishing).toMatchObject({ ok: true })
    expect(await client.isQuiet()).toBe(true)
  })

  test('quarantined addresses: the lists of listeners alone', async () => {
    await publish({})
    const client = keep(connectDelta(control.port))
    await boot(client)
    const publishing = control.publish(policyOf({}), { listeners }, { offload: ['192.0.2.1'], acme: [] })
    expect(await take(client)).toEqual({ type: 'extension', names: ['weir.offload.https'], removed: [] })
    expect(await publishing).toMatchObject({ ok: true })
    expect(await client.isQuiet()).toBe(true)
  })
})

test('E45: what one Envoy refuses is taken back from the other, and the result says who, what and why', async () => {
  await publish({})
  const [first, second] = [
    keep(connectDelta(control.port, 'envoy-0')),
    keep(connectDelta(control.port, 'envoy-1')),
  ]
  const [held] = [await boot(first), await boot(second)]
  const publishing = publish({ certificate: 'second' })
  const refused = await first.next()
  const taken = await second.next()
  second.ack(taken)
  await until(() => nodeNamed('envoy-1')?.types.every(({ inFlight }) => !inFlight) === true)
  first.nack(refused, 'a certificate without a key')
  const back = await second.next()
  second.ack(back)
  expect(back.versions).toEqual(held.get('secret')?.versions)
  // Envoy may have taken part of what it refused, so it is told again as well.
  expect(await take(first)).toEqual({ type: 'secret', names: ['cert|c1'], removed: [] })
  expect(await publishing).toMatchObject({
    ok: false,
    nodes: [
      {
        id: 'envoy-0',
        state: 'nacked',
        type: 'secret',
        resources: ['cert|c1'],
        message: 'a certificate without a key',
      },
      { id: 'envoy-1', state: 'rolled_back' },
    ],
  })
})

describe('E46: a stream that comes back', () => {
  test('with everything is sent nothing', async () => {
    await publish({})
    const before = keep(connectDelta(control.port))
    const held = await boot(before)
    before.close()
    await until(() => control.ads.status().nodes.length === 0)
    const client = keep(connectDelta(control.port))
    for (const [type, add] of wanted) client.ask(type, { add, held: held.get(type)?.versions ?? {} })
    await until(() => control.ads.status().nodes[0]?.types.length === wanted.length)
    expect(await client.isQuiet()).toBe(true)
    expect(control.ads.acknowledged()?.version).toBe(control.ads.status().snapshot)
  })

  test('over the other protocol has equal resources', async () => {
    await publish({})
    const delta = await boot(keep(connectDelta(control.port, 'envoy-0')))
    const sotw = keep(connectAds(control.port, 'envoy-1'))
    for (const [type, names] of wanted) {
      sotw.ask(type, names)
      const response = await sotw.next()
      sotw.ack(response, names)
      const digests = (list: readonly Uint8Array[]) => list.map((one) => Buffer.from(one).toString('base64'))
      expect(digests(response.bytes).toSorted()).toEqual(digests(delta.get(type)?.bytes ?? []).toSorted())
    }
  })
})
