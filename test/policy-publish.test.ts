// Filters and Envoys on one ADS server (spec control-plane 2.11): filters go first, a filter that refuses undoes the publish,
// and Envoys are told which filters there are and in which order to ask them. Over real gRPC, with clients that answer
// what each test wants.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type FilterEndpoint,
  buildSnapshot,
  createFleet,
  encodePolicy,
  lookup,
  withFilterResources,
} from '#envoy'
import { type Policy, noRevocations } from '#config'
import { connectAds } from './support/ads-client.ts'
import { type Control, startControl } from './support/control.ts'
import { type DeltaClient, type Received, connectDelta } from './support/delta-client.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

let control: Control
const clients: { close(): void }[] = []
const fleet = () => createFleet({ leaveMs: 50 })

beforeEach(async () => {
  control = await startControl({ timeoutMs: 2000, drainMs: 30, fleet: fleet() })
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  control.stop()
})

const text = (value: string): object => ({ stringValue: value })
const struct = (fields: object): object => ({ structValue: { fields } })

const nodeOf = (region: string, weir: object): object => ({
  locality: { region },
  metadata: { fields: { weir: struct(weir) } },
})

function connect(id: string, node: object): DeltaClient {
  const client = connectDelta(control.port, id, node)
  clients.push(client)
  return client
}

const addressOf = (n: number): string => `10.0.0.${String(n)}:9191`

const filter = (n: number, { region = 'local', bucket = 'prod', address = addressOf(n) } = {}): DeltaClient =>
  connect(
    `filter-${String(n)}`,
    nodeOf(region, { role: text('filter'), bucket: text(bucket), grpc_address: text(address) }),
  )

const envoy = (region = 'local', labels: Readonly<Record<string, string>> = {}): DeltaClient =>
  connect(
    `envoy-${region}`,
    nodeOf(region, {
      role: text('envoy'),
      labels: struct(Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, text(value)]))),
    }),
  )

const policyOf = (service: string, more: Partial<Policy> = {}): Policy =>
  site.policy({
    serverGroups: [
      site.group({
        policy: site.securityPolicy({
          entries: [
            site.entry({ backend: site.service({ id: service, hosts: [site.host({ host: '10.1.0.1' })] }) }),
          ],
        }),
      }),
    ],
    ...more,
  })

/** What filters get of it says which revision it is. */
function publish(service: string, more: Partial<Policy> = {}, json = '[]') {
  const policy = policyOf(service, more)
  const settings = control.settings(
    policy.loadBalancers === undefined ? {} : { listeners: policy.loadBalancers },
  )
  const resource = encodePolicy({
    name: 'prod',
    revision: service,
    branch: 'prod',
    documents: [{ name: 'actions', json: Buffer.from(json) }],
    maskingSeed: undefined,
    revocations: noRevocations,
  })
  return control.ads.publish(withFilterResources(buildSnapshot(policy, settings), resource))
}

const shape = ({ type, names, removed }: Received) => [type, names, removed]

/** Subscribes and acknowledges what a filter gets. */
async function bootFilter(client: DeltaClient): Promise<Received> {
  client.ask('policy', { add: ['*'] })
  const policy = await client.next()
  client.ack(policy)
  client.ask('quarantine', { add: ['*'] })
  client.ack(await client.next())
  return policy
}

/** Subscribes to what Envoys get, as far as these tests look. */
async function bootEnvoy(client: DeltaClient, cluster: string): Promise<readonly Received[]> {
  const responses: Received[] = []
  for (const [type, add] of [
    ['cluster', []],
    ['endpoint', [cluster, 'weir_filter']],
    ['listener', []],
  ] as const) {
    client.ask(type, { add })
    const response = await client.next()
    client.ack(response)
    responses.push(response)
  }
  return responses
}

/** Addresses by priority, as an Envoy is told. */
function filtersIn({ names, bytes }: Received): readonly (readonly string[])[] {
  const type = lookup('envoy.config.endpoint.v3.ClusterLoadAssignment')
  const raw = type.toObject(type.decode(bytes[names.indexOf('weir_filter')] ?? new Uint8Array()), {
    defaults: true,
  }) as {
    endpoints: {
      priority: number
      lb_endpoints: { endpoint: { address: { socket_address: { address: string; port_value: number } } } }[]
    }[]
  }
  return raw.endpoints.map(({ lb_endpoints }) =>
    lb_endpoints.map(({ endpoint }) => {
      const { address, port_value } = endpoint.address.socket_address
      return `${address}:${String(port_value)}`
    }),
  )
}

describe('a filter', () => {
  test('gets the policy and the quarantine of its bucket, and nothing of what Envoys get', async () => {
    await publish('app')
    const client = filter(1)
    expect(shape(await bootFilter(client))).toEqual(['policy', ['prod'], []])
    client.ask('cluster')
    client.ask('envoy.extensions.transport_sockets.tls.v3.Secret', { add: ['cert|web'] })
    expect(await client.isQuiet()).toBe(true)
    expect(control.ads.status().nodes).toMatchObject([
      { id: 'filter-1', role: 'filter', unserved: undefined },
    ])
  })

  test('gets the same over the other protocol', async () => {
    await publish('app')
    const client = connectAds(control.port, 'filter-1', nodeOf('local', { role: text('filter') }))
    clients.push(client)
    client.ask('policy')
    const other = filter(2)
    expect((await client.next()).bytes).toEqual((await bootFilter(other)).bytes)
  })

  test('that comes back with what is offered is sent nothing, and with something older the new one', async () => {
    await publish('app')
    const first = filter(1)
    const { versions } = await bootFilter(first)
    first.close()
    const again = filter(1)
    again.ask('policy', { add: ['*'], held: versions })
    expect(await again.isQuiet()).toBe(true)
    await publish('app2')
    const older = filter(2)
    older.ask('policy', { add: ['*'], held: versions })
    expect((await older.next()).versions).not.toEqual(versions)
  })

  test('of another bucket gets nothing and is not in the list', async () => {
    await publish('app')
    const client = filter(1, { bucket: 'test' })
    client.ask('policy', { add: ['*'] })
    const response = await client.next()
    expect(shape(response)).toEqual(['policy', [], []])
    client.ack(response)
    const [, endpoints] = await bootEnvoy(envoy(), 'be|app|http')
    expect(endpoints && filtersIn(endpoints)).toEqual([[`127.0.0.1:${String(control.port)}`]])
  })

  test('an Envoy gets no policy', async () => {
    await publish('app')
    const client = envoy()
    client.ask('policy', { add: ['*'] })
    expect(await client.isQuiet()).toBe(true)
  })

  test('gets a policy of more than 4 MiB', async () => {
    await publish('app', {}, JSON.stringify(['x'.repeat(6 * 1024 * 1024)]))
    const policy = await bootFilter(filter(1))
    expect(policy.bytes[0]?.length).toBeGreaterThan(6 * 1024 * 1024)
  })
})

describe('a publish', () => {
  test('goes to filters first; Envoys get nothing before all of them have acknowledged', async () => {
    await publish('app')
    const [one, two, proxy] = [filter(1), filter(2), envoy()]
    await bootFilter(one)
    await bootFilter(two)
    await bootEnvoy(proxy, 'be|app|http')
    while (!(await proxy.isQuiet())) proxy.ack(await proxy.next())
    const publishing = publish('app2')
    one.ack(await one.next())
    const late = await two.next()
    expect(await proxy.isQuiet()).toBe(true)
    two.ack(late)
    const clusters = await proxy.next()
    expect(clusters).toMatchObject({ type: 'cluster', names: ['be|app2|http'] })
    proxy.ack(clusters)
    expect(await publishing).toMatchObject({
      ok: true,
      nodes: [
        { id: 'filter-1', role: 'filter', state: 'acked' },
        { id: 'filter-2', role: 'filter', state: 'acked' },
        { id: 'envoy-local', role: 'envoy', state: 'acked' },
      ],
    })
  })

  test('that a filter refuses is undone: no Envoy hears of it, other filters get back what they had', async () => {
    await publish('app')
    const [one, two, proxy] = [filter(1), filter(2), envoy()]
    const before = await bootFilter(one)
    await bootFilter(two)
    await bootEnvoy(proxy, 'be|app|http')
    while (!(await proxy.isQuiet())) proxy.ack(await proxy.next())
    const publishing = publish('app2')
    one.ack(await one.next())
    two.nack(await two.next(), 'rules need too much memory')
    for (const client of [one, two]) {
      const back = await client.next()
      expect(back.versions).toEqual(before.versions)
      client.ack(back)
    }
    expect(await publishing).toMatchObject({
      ok: false,
      nodes: [
        { id: 'filter-1', role: 'filter', state: 'rolled_back' },
        {
          id: 'filter-2',
          role: 'filter',
          state: 'nacked',
          type: 'policy',
          resources: ['prod'],
          message: 'rules need too much memory',
        },
        { id: 'envoy-local', role: 'envoy', state: 'rolled_back' },
      ],
    })
    expect(await proxy.isQuiet()).toBe(true)
    const again = publish('app3')
    for (const client of [one, two]) client.ack(await client.next())
    proxy.ack(await proxy.next())
    expect((await again).ok).toBe(true)
  })

  test('that an Envoy refuses brings back the policy of filters as well', async () => {
    await publish('app')
    const [one, proxy] = [filter(1), envoy()]
    const before = await bootFilter(one)
    await bootEnvoy(proxy, 'be|app|http')
    while (!(await proxy.isQuiet())) proxy.ack(await proxy.next())
    const publishing = publish('app2')
    one.ack(await one.next())
    proxy.nack(await proxy.next(), 'no such thing')
    const back = await one.next()
    expect(back.versions).toEqual(before.versions)
    one.ack(back)
    expect(await publishing).toMatchObject({
      ok: false,
      nodes: [{ state: 'rolled_back' }, { state: 'nacked' }],
    })
  })

  test('waits for a silent filter no longer than the time-out, and still goes step by step with the others', async () => {
    await publish('app')
    const [one, proxy] = [filter(1), envoy()]
    await bootFilter(one)
    await bootEnvoy(proxy, 'be|app|http')
    while (!(await proxy.isQuiet())) proxy.ack(await proxy.next())
    const publishing = publish('app2')
    await one.next()
    proxy.nack(await proxy.next(), 'refused after the time-out of the filter')
    expect(await publishing).toMatchObject({
      ok: false,
      nodes: [
        { id: 'filter-1', state: 'timeout', message: 'no answer' },
        { id: 'envoy-local', state: 'nacked' },
      ],
    })
  })
})

describe('the filters that Envoys are told of', () => {
  const stands = (): readonly string[] => [`127.0.0.1:${String(control.port)}`]

  test('are those of the settings until one connects and runs a policy', async () => {
    await publish('app')
    const proxy = envoy()
    const [, endpoints] = await bootEnvoy(proxy, 'be|app|http')
    expect(endpoints && filtersIn(endpoints)).toEqual([stands()])
    const one = filter(1)
    one.ask('policy', { add: ['*'] })
    const policy = await one.next()
    expect(await proxy.isQuiet()).toBe(true)
    one.ack(policy)
    const update = await proxy.next()
    expect([shape(update)[0], filtersIn(update)]).toEqual(['endpoint', [[addressOf(1)]]])
  })

  test('one that refuses its first policy is none', async () => {
    await publish('app')
    const [proxy, one] = [envoy(), filter(1)]
    await bootEnvoy(proxy, 'be|app|http')
    one.ask('policy', { add: ['*'] })
    one.nack(await one.next(), 'no')
    expect([await one.isQuiet(), await proxy.isQuiet()]).toEqual([true, true])
  })

  test('one that comes back with a policy is one at once', async () => {
    await publish('app')
    const [proxy, one] = [envoy(), filter(1)]
    await bootEnvoy(proxy, 'be|app|http')
    one.ask('policy', { add: ['*'], held: { prod: 'of before' } })
    expect(filtersIn(await proxy.next())).toEqual([[addressOf(1)]])
  })

  test('one leaves a while after its stream ended, the last one never', async () => {
    await publish('app')
    const [one, two] = [filter(1), filter(2)]
    await bootFilter(one)
    await bootFilter(two)
    const proxy = envoy()
    const [, endpoints] = await bootEnvoy(proxy, 'be|app|http')
    expect(endpoints && filtersIn(endpoints)).toEqual([[addressOf(1), addressOf(2)]])
    two.close()
    const update = await proxy.next()
    expect(filtersIn(update)).toEqual([[addressOf(1)]])
    proxy.ack(update)
    one.close()
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await proxy.isQuiet()).toBe(true)
  })

  test.each(['', 'filter.internal:9191', '10.0.0.1', '10.0.0.1:0'])(
    'one with the address %j is none, and a warning says so',
    async (address) => {
      await publish('app')
      await bootFilter(filter(1, { address }))
      expect(control.log.map(({ message }) => message)).toContainEqual(
        expect.stringContaining('metadata.weir.grpc_address must be an IP address and a port'),
      )
      const [, endpoints] = await bootEnvoy(envoy(), 'be|app|http')
      expect(endpoints && filtersIn(endpoints)).toEqual([stands()])
    },
  )

  test('stand in the order that the location of each Envoy prefers', async () => {
    const balancer = {
      id: 'http',
      name: 'http',
      protocol: 'http',
      address: '0.0.0.0',
      port: 8080,
      publicPort: 80,
      proxyProtocolFrom: undefined,
      nodes: {},
      regions: { lon: 'ffm' },
    } as const
    await publish('app', { loadBalancers: [balancer] })
    for (const [n, region] of [
      [1, 'ffm'],
      [2, 'ffm'],
      [3, 'lax'],
    ] as const)
      await bootFilter(filter(n, { region }))
    const orders = await Promise.all(
      ['lon', 'ams', 'lax'].map(async (region) => {
        const [, endpoints] = await bootEnvoy(envoy(region), 'be|app|http')
        return endpoints && filtersIn(endpoints)
      }),
    )
    const [ffm, lax] = [[addressOf(1), addressOf(2)], [addressOf(3)]]
    expect(orders).toEqual([[ffm, lax], [[...ffm, ...lax]], [lax, ffm]])
  })
})

test('an Envoy gets the listeners whose labels it has', async () => {
  const balancer = (id: string, port: number, nodes: Readonly<Record<string, string>>) =>
    ({
      id,
      name: id,
      protocol: 'http',
      address: '0.0.0.0',
      port,
      publicPort: 80,
      proxyProtocolFrom: undefined,
      nodes,
      regions: {},
    }) as const
  await publish('app', {
    loadBalancers: [balancer('all', 8080, {}), balancer('edge', 8081, { tier: 'edge' })],
  })
  const listeners = async (labels: Readonly<Record<string, string>>, region: string) =>
    (await bootEnvoy(envoy(region, labels), 'be|app|http'))[2]?.names
  expect(await listeners({}, 'a')).toEqual(['all'])
  expect(await listeners({ tier: 'core' }, 'b')).toEqual(['all'])
  expect(await listeners({ tier: 'edge', more: '1' }, 'c')).toEqual(['all', 'edge'])
})

test('filters of the settings may be sockets', () => {
  const filters: readonly FilterEndpoint[] = [{ kind: 'unix', path: '/run/weir.sock' }]
  const snapshot = buildSnapshot(policyOf('app'), control.settings({ filters }))
  const [assignment] = (
    snapshot.resources.get('type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment') ?? []
  ).filter(({ name }) => name === 'weir_filter')
  expect(JSON.stringify(assignment?.json)).toContain('/run/weir.sock')
})
