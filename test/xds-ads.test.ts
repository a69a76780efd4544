// The protocol as Envoy sees it, over real gRPC, with a client that answers what each test wants.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type AdsClient, type Received, connectAds } from './support/ads-client.ts'
import { type Control, startControl } from './support/control.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

let control: Control
const clients: AdsClient[] = []

beforeEach(async () => {
  control = await startControl({ timeoutMs: 2000, drainMs: 50 })
})

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  control.stop()
})

function connect(id?: string): AdsClient {
  const client = connectAds(control.port, id)
  clients.push(client)
  return client
}

/** One site in front of the service of this id, at this address. */
const policyOf = (
  id: string,
  address = '10.0.0.1',
  entries: Parameters<typeof site.securityPolicy>[0] = {},
) =>
  site.policy({
    serverGroups: [
      site.group({
        policy: site.securityPolicy({
          entries: [site.entry({ backend: site.service({ id, hosts: [site.host({ host: address })] }) })],
          ...entries,
        }),
      }),
    ],
  })

const eds = ['be|app|http', 'weir_filter']
const rds = ['http|plain']

/** What Envoy does when it starts: clusters, their endpoints, listeners, their routes. */
async function boot(client: AdsClient): Promise<readonly Received[]> {
  const responses: Received[] = []
  for (const [type, names] of [
    ['cluster', []],
    ['endpoint', eds],
    ['listener', []],
    ['route', rds],
  ] as const) {
    client.ask(type, names)
    const response = await client.next()
    responses.push(response)
    client.ack(response, names)
  }
  return responses
}

const typesOf = () => control.ads.status().nodes[0]?.types

describe('a stream', () => {
  test('gets what it asks for, in the order of Envoy', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    const responses = await boot(client)
    expect(responses.map(({ type, names }) => [type, names])).toEqual([
      ['cluster', eds],
      ['endpoint', eds],
      ['listener', ['http']],
      ['route', rds],
    ])
    expect(await client.isQuiet()).toBe(true)
    expect(typesOf()?.map(({ type, acked }) => [type, acked])).toEqual(
      responses.map(({ type, version }) => [type, version]),
    )
  })

  test('gets only the endpoints and routes that it names', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    client.ask('endpoint', ['weir_filter', 'be|unknown|http'])
    const response = await client.next()
    expect(response.names).toEqual(['weir_filter'])
    client.ack(response, ['weir_filter', 'be|unknown|http'])
    client.ask('endpoint', eds, response.nonce)
    expect((await client.next()).names).toEqual(['be|app|http'])
  })

  test('gets nothing for routes when it names none', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    client.ask('route', [])
    expect(await client.isQuiet()).toBe(true)
  })

  test('gets an answer when there is something to answer', async () => {
    const client = connect()
    client.ask('cluster')
    expect(await client.isQuiet()).toBe(true)
    const published = control.publish(policyOf('app'))
    const response = await client.next()
    expect(response.names).toEqual(eds)
    client.ack(response)
    expect((await published).nodes).toEqual([{ id: 'envoy-0', role: 'envoy', state: 'acked' }])
  })

  test('is not sent again what did not change', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    expect((await control.publish(policyOf('app'))).nodes).toEqual([
      { id: 'envoy-0', role: 'envoy', state: 'acked' },
    ])
    expect(await client.isQuiet()).toBe(true)
  })

  test('has one response of a type in flight; later changes are merged', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    client.ask('endpoint', eds)
    const first = await client.next()
    await control.publish(policyOf('app', '10.0.0.2'))
    await control.publish(policyOf('app', '10.0.0.3'))
    expect(await client.isQuiet()).toBe(true)
    client.ack(first, eds)
    const second = await client.next()
    expect(second.names).toEqual(['be|app|http'])
    client.ack(second, eds)
    expect(await client.isQuiet()).toBe(true)
  })

  test('may answer an old nonce without being heard', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    const [cluster] = await boot(client)
    const publishing = control.publish(policyOf('app2'))
    const response = await client.next()
    expect(response.type).toBe('cluster')
    if (cluster) client.nack(cluster, 'late and wrong')
    expect(await client.isQuiet()).toBe(true)
    expect(typesOf()?.find(({ type }) => type === 'cluster')).toMatchObject({
      inFlight: true,
      nack: undefined,
    })
    expect((await publishing).nodes).toMatchObject([{ state: 'timeout' }])
  })

  test('is told about the endpoints of a changed cluster without asking', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    const slower = policyOf('app')
    const [group] = slower.serverGroups
    const changed = {
      ...slower,
      serverGroups: group ? [{ ...group, template: site.template({ connectTimeoutS: 9 }) }] : [],
    }
    void control.publish(changed)
    expect((await client.next()).type).toBe('cluster')
    expect(await client.next()).toMatchObject({ type: 'endpoint', names: ['be|app|http'] })
  })
})

describe('a publish', () => {
  test('goes step by step, and old clusters go last', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf('app2'))
    const clusters = await client.next()
    expect(clusters).toMatchObject({ type: 'cluster', names: ['be|app2|http', 'weir_filter', 'be|app|http'] })
    client.ask('endpoint', ['be|app2|http', ...eds])
    const endpoints = await client.next()
    expect(endpoints).toMatchObject({ type: 'endpoint', names: ['be|app2|http'] })
    client.ack(endpoints, ['be|app2|http', ...eds])
    expect(await client.isQuiet()).toBe(true)
    client.ack(clusters)
    const routes = await client.next()
    expect(routes).toMatchObject({ type: 'route', names: rds })
    client.ack(routes, rds)
    expect(await publishing).toMatchObject({ ok: true, nodes: [{ state: 'acked' }] })
    expect(await client.next()).toMatchObject({ type: 'cluster', names: ['be|app2|http', 'weir_filter'] })
  })

  test('waits for all Envoys before the next step', async () => {
    await control.publish(policyOf('app'))
    const [one, two] = [connect('envoy-1'), connect('envoy-2')]
    await boot(one)
    await boot(two)
    void control.publish(policyOf('app2'))
    const [first, second] = [await one.next(), await two.next()]
    one.ack(first)
    expect(await one.isQuiet()).toBe(true)
    two.ack(second)
    expect((await one.next()).type).toBe('route')
    expect((await two.next()).type).toBe('route')
  })

  test('reports a refusal and brings back what ran', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf('app', '10.9.9.9'))
    const bad = await client.next()
    client.nack(bad, 'malformed address', eds)
    const back = await client.next()
    expect(back).toMatchObject({ type: 'endpoint', names: ['be|app|http'] })
    client.ack(back, eds)
    expect(await publishing).toEqual({
      snapshot: expect.any(String),
      ok: false,
      nodes: [
        {
          id: 'envoy-0',
          role: 'envoy',
          state: 'nacked',
          type: 'endpoint',
          resources: ['be|app|http'],
          message: 'malformed address',
        },
      ],
    })
    expect(control.log).toContainEqual({
      level: 'warn',
      message: 'an Envoy refused its configuration',
      fields: {
        node: 'envoy-0',
        type: 'endpoint',
        version: bad.version,
        resources: ['be|app|http'],
        reason: 'malformed address',
      },
    })
  })

  test('that one refuses is rolled back on the others', async () => {
    await control.publish(policyOf('app'))
    const [one, two] = [connect('envoy-1'), connect('envoy-2')]
    await boot(one)
    await boot(two)
    const publishing = control.publish(policyOf('app', '10.9.9.9'))
    one.ack(await one.next(), eds)
    two.nack(await two.next(), 'no', eds)
    for (const client of [one, two]) client.ack(await client.next(), eds)
    expect((await publishing).nodes.map(({ id, state }) => [id, state])).toEqual([
      ['envoy-1', 'rolled_back'],
      ['envoy-2', 'nacked'],
    ])
  })

  test('that one refuses before the others have answered is rolled back on those too', async () => {
    await control.publish(policyOf('app'))
    const [slow, silent, refusing] = [connect('envoy-1'), connect('envoy-2'), connect('envoy-3')]
    for (const client of [slow, silent, refusing]) await boot(client)
    const publishing = control.publish(policyOf('app', '10.9.9.9'))
    const late = await slow.next()
    await silent.next()
    refusing.nack(await refusing.next(), 'no', eds)
    refusing.ack(await refusing.next(), eds)
    slow.ack(late, eds)
    slow.ack(await slow.next(), eds)
    expect((await publishing).nodes).toMatchObject([
      { id: 'envoy-1', state: 'rolled_back' },
      { id: 'envoy-2', state: 'timeout', message: 'no answer' },
      { id: 'envoy-3', state: 'nacked', message: 'no' },
    ])
  })

  test('does not send a refused resource again until it changes', async () => {
    const client = connect()
    client.ask('cluster')
    expect(await client.isQuiet()).toBe(true)
    const publishing = control.publish(policyOf('app'))
    client.nack(await client.next(), 'no')
    expect((await publishing).ok).toBe(false)
    expect(await client.isQuiet()).toBe(true)
    expect((await control.publish(policyOf('app'))).nodes).toMatchObject([{ state: 'nacked', message: 'no' }])
    expect(await client.isQuiet()).toBe(true)
  })

  test('counts a silent Envoy as timeout, and gives it the rest when it answers', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf('app2'))
    const clusters = await client.next()
    expect(await publishing).toMatchObject({ ok: true, nodes: [{ id: 'envoy-0', state: 'timeout' }] })
    client.ack(clusters)
    // The old cluster has drained meanwhile, so clusters change once more before the routes do.
    const rest = [await client.next()]
    if (rest[0]?.type === 'cluster') {
      client.ack(rest[0])
      rest.push(await client.next())
    }
    expect(rest.at(-1)).toMatchObject({ type: 'route', names: rds })
  })

  test('does not wait for an Envoy that is gone', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf('app2'))
    await client.next()
    client.close()
    expect((await publishing).nodes).toEqual([
      { id: 'envoy-0', role: 'envoy', state: 'timeout', message: 'disconnected' },
    ])
  })

  test('of something inconsistent is refused and changes nothing', async () => {
    await control.publish(policyOf('app'))
    const before = control.ads.status().snapshot
    await expect(
      control.publish(policyOf('app'), {
        controlCluster: 'weir_filter',
        filters: [],
        listeners: [
          { id: 'http', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 80 },
          { id: 'http', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 81 },
        ],
      }),
    ).rejects.toThrow('listener http is there twice')
    expect(control.ads.status().snapshot).toBe(before)
    expect((await control.publish(policyOf('app2'))).ok).toBe(true)
  })
})

describe('clients that misbehave', () => {
  test('without a node id the stream is refused', async () => {
    const client = connectAds(control.port, '')
    clients.push(client)
    client.ask('cluster')
    expect(await client.ended).toMatchObject({ code: 3, details: 'the first request has no node id' })
  })

  test('a second stream of a node takes the place of the first', async () => {
    await control.publish(policyOf('app'))
    const first = connect()
    await boot(first)
    const second = connect()
    await boot(second)
    expect(await first.ended).toMatchObject({ code: 10 })
    expect(control.ads.status().nodes).toHaveLength(1)
    void control.publish(policyOf('app', '10.0.0.7'))
    expect(await second.next()).toMatchObject({ type: 'endpoint' })
  })

  test('bytes that are no request end only their own stream', async () => {
    await control.publish(policyOf('app'))
    const good = connect('good')
    await boot(good)
    const bad = connect('bad')
    bad.garbage(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]))
    expect((await bad.ended).code).not.toBe(0)
    void control.publish(policyOf('app', '10.0.0.7'))
    expect(await good.next()).toMatchObject({ type: 'endpoint' })
  })

  test('a type that nobody serves is not answered', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    client.ask('envoy.extensions.transport_sockets.tls.v3.Secret', ['cert|x'])
    client.ask('')
    client.ask('cluster')
    expect((await client.next()).type).toBe('cluster')
  })

  test('an acknowledgement of something that was never sent is not one', async () => {
    await control.publish(policyOf('app'))
    const client = connect()
    client.ack({ type: 'cluster', version: 'x', nonce: '77' })
    expect((await client.next()).type).toBe('cluster')
    expect(typesOf()).toMatchObject([{ type: 'cluster', acked: undefined, inFlight: true }])
  })

  test('fifty Envoys are served at once', async () => {
    await control.publish(policyOf('app'))
    const many = Array.from({ length: 50 }, (_, at) => connect(`envoy-${at}`))
    await Promise.all(many.map(boot))
    const publishing = control.publish(policyOf('app', '10.0.0.7'))
    await Promise.all(many.map(async (client) => client.ack(await client.next(), eds)))
    const { ok, nodes } = await publishing
    expect(ok).toBe(true)
    expect(nodes.filter(({ state }) => state === 'acked')).toHaveLength(50)
  })
})
