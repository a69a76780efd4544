// The incremental protocol over real gRPC: only what changed travels, what is gone is named last, and a client that
// comes back is sent the difference.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Policy } from '#config'
import { connectAds } from './support/ads-client.ts'
import { type EnvoyType } from './support/ads-stream.ts'
import { type Control, startControl } from './support/control.ts'
import { type DeltaClient, type Received, connectDelta } from './support/delta-client.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

let control: Control
const clients: { close(): void }[] = []

beforeEach(async () => {
  control = await startControl({ timeoutMs: 2000, drainMs: 50 })
})

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
  control.stop()
})

function connect(id?: string, node?: object): DeltaClient {
  const client = connectDelta(control.port, id, node)
  clients.push(client)
  return client
}

/** One site in front of services of these ids; the first is the default. */
const policyOf = (ids: readonly string[], address = '10.0.0.1'): Policy =>
  site.policy({
    serverGroups: [
      site.group({
        policy: site.securityPolicy({
          entries: ids.map((id, at) =>
            site.entry({
              ...(at === 0 ? {} : { id, role: 'path' as const, match: `^/${id}` }),
              backend: site.service({ id, hosts: [site.host({ host: at === 0 ? address : '10.0.0.9' })] }),
            }),
          ),
        }),
      }),
    ],
  })

const cluster = (id: string): string => `be|${id}|http`

type Booted = Readonly<Record<EnvoyType, Received>>

/** What Envoy does when it starts. */
async function boot(client: DeltaClient, services: readonly string[] = ['app']): Promise<Booted> {
  const first = async (type: EnvoyType, add: readonly string[] = []): Promise<Received> => {
    client.ask(type, { add })
    const response = await client.next()
    client.ack(response)
    return response
  }
  return {
    cluster: await first('cluster'),
    endpoint: await first('endpoint', [...services.map(cluster), 'weir_filter']),
    listener: await first('listener'),
    route: await first('route', ['http|plain']),
  }
}

const shape = ({ type, names, removed }: Received) => [type, names, removed]

describe('a stream', () => {
  test('gets what it asks for, in the order of Envoy', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    const booted = await boot(client)
    expect(Object.values(booted).map(shape)).toEqual([
      ['cluster', ['be|app|http', 'weir_filter'], []],
      ['endpoint', ['be|app|http', 'weir_filter'], []],
      ['listener', ['http'], []],
      ['route', ['http|plain'], []],
    ])
    expect(await client.isQuiet()).toBe(true)
    const [node] = control.ads.status().nodes
    expect(node).toMatchObject({ id: 'envoy-0', protocol: 'delta', unserved: undefined })
    expect(node?.types.every(({ acked, inFlight }) => acked !== undefined && !inFlight)).toBe(true)
  })

  test('gets the same resources as one of the other protocol', async () => {
    await control.publish(policyOf(['app', 'shop']))
    const booted = await boot(connect('delta'), ['app', 'shop'])
    const other = connectAds(control.port, 'sotw')
    clients.push(other)
    for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
      other.ask(type, type === 'cluster' || type === 'listener' ? [] : booted[type].names)
      const response = await other.next()
      other.ack(response, type === 'cluster' || type === 'listener' ? [] : booted[type].names)
      expect(response.names).toEqual(booted[type].names)
      expect(response.bytes).toEqual(booted[type].bytes)
    }
  })

  test('is sent only what changed', async () => {
    await control.publish(policyOf(['app', 'shop']))
    const client = connect()
    await boot(client, ['app', 'shop'])
    const publishing = control.publish(policyOf(['app', 'shop'], '10.0.0.2'))
    const response = await client.next()
    expect(shape(response)).toEqual(['endpoint', ['be|app|http'], []])
    client.ack(response)
    expect((await publishing).nodes).toEqual([{ id: 'envoy-0', role: 'envoy', state: 'acked' }])
    expect(await client.isQuiet()).toBe(true)
  })

  test('has one response of a type in flight; later changes are merged', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('endpoint', { add: [cluster('app')] })
    const first = await client.next()
    await control.publish(policyOf(['app'], '10.0.0.2'))
    await control.publish(policyOf(['app'], '10.0.0.3'))
    expect(await client.isQuiet()).toBe(true)
    client.ack(first)
    const second = await client.next()
    expect(second.names).toEqual(['be|app|http'])
    client.ack(second)
    expect(await client.isQuiet()).toBe(true)
  })

  test('may ask for more while a response is in flight', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('endpoint', { add: [cluster('app')] })
    const first = await client.next()
    client.ask('endpoint', { add: ['weir_filter'] })
    expect(await client.isQuiet()).toBe(true)
    client.ack(first)
    expect((await client.next()).names).toEqual(['weir_filter'])
  })

  test('is sent again what it asks for again', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    client.ask('endpoint', { add: [cluster('app')] })
    expect((await client.next()).names).toEqual(['be|app|http'])
  })

  test('is no longer told of what it gave up', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    client.ask('endpoint', { give: [cluster('app')] })
    expect(await client.isQuiet()).toBe(true)
    expect((await control.publish(policyOf(['app'], '10.0.0.2'))).nodes).toMatchObject([{ state: 'acked' }])
    expect(await client.isQuiet()).toBe(true)
  })

  test('is told that a name is not there', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('endpoint', { add: ['weir_filter', cluster('nobody')] })
    const response = await client.next()
    expect(shape(response)).toEqual(['endpoint', ['weir_filter'], ['be|nobody|http']])
    client.ack(response)
    void control.publish(policyOf(['nobody']))
    expect(shape(await client.next())).toEqual(['endpoint', ['be|nobody|http'], []])
  })

  const wildcards: readonly (readonly [says: string, add: readonly string[], names: readonly string[]])[] = [
    ['no name asks for all', [], ['be|app|http', 'weir_filter']],
    ['a star asks for all', ['*'], ['be|app|http', 'weir_filter']],
    ['names ask for these', ['weir_filter'], ['weir_filter']],
  ]
  for (const [says, add, names] of wildcards)
    test(`of a type that is wanted as a whole: ${says}`, async () => {
      await control.publish(policyOf(['app']))
      const client = connect()
      client.ask('cluster', { add })
      expect((await client.next()).names).toEqual(names)
    })

  test('that wanted all and then only one is not told of the others', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    client.ask('cluster', { give: ['*'], add: ['weir_filter'] })
    // Asked for by name, it is sent again, and its endpoints with it.
    for (const type of ['cluster', 'endpoint']) {
      const response = await client.next()
      expect(shape(response)).toEqual([type, ['weir_filter'], []])
      client.ack(response)
    }
    const publishing = control.publish(policyOf(['app2']))
    const route = await client.next()
    expect(route.type).toBe('route')
    client.ack(route)
    expect((await publishing).ok).toBe(true)
  })
})

describe('a publish', () => {
  test('makes before it breaks: additions in order, then what names them, removals last', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf(['app2']))
    const clusters = await client.next()
    expect(shape(clusters)).toEqual(['cluster', ['be|app2|http'], []])
    client.ask('endpoint', { add: [cluster('app2')] })
    const endpoints = await client.next()
    expect(shape(endpoints)).toEqual(['endpoint', ['be|app2|http'], []])
    client.ack(endpoints)
    expect(await client.isQuiet()).toBe(true)
    client.ack(clusters)
    const routes = await client.next()
    expect(shape(routes)).toEqual(['route', ['http|plain'], []])
    client.ack(routes)
    expect(await publishing).toMatchObject({ ok: true, nodes: [{ state: 'acked' }] })
    const removal = await client.next()
    expect(shape(removal)).toEqual(['cluster', [], ['be|app|http']])
    client.ask('endpoint', { give: [cluster('app')] })
    client.ack(removal)
    expect(await client.isQuiet()).toBe(true)
  })

  test('reports a refusal and brings back what ran', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf(['app'], '10.9.9.9'))
    client.nack(await client.next(), 'malformed address')
    const back = await client.next()
    expect(shape(back)).toEqual(['endpoint', ['be|app|http'], []])
    client.ack(back)
    expect(await publishing).toMatchObject({
      ok: false,
      nodes: [
        {
          id: 'envoy-0',
          state: 'nacked',
          type: 'endpoint',
          resources: ['be|app|http'],
          message: 'malformed address',
        },
      ],
    })
  })

  test('whose addition is refused takes the addition away again', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    await boot(client)
    const publishing = control.publish(policyOf(['app', 'shop']))
    client.nack(await client.next(), 'no such thing')
    const back = await client.next()
    expect(shape(back)).toEqual(['cluster', [], ['be|shop|http']])
    client.ack(back)
    expect((await publishing).ok).toBe(false)
    expect(await client.isQuiet()).toBe(true)
  })

  test('sends the neighbours of a refused resource again, for they may not have been taken either', async () => {
    const client = connect()
    client.ask('endpoint', { add: [cluster('app'), cluster('shop')] })
    expect(await client.isQuiet()).toBe(true)
    const publishing = control.publish(policyOf(['app', 'shop'], '10.9.9.9'))
    client.nack(await client.next(), 'no')
    expect((await publishing).ok).toBe(false)
    const again = control.publish(policyOf(['app', 'shop'], '10.0.0.1'))
    const response = await client.next()
    expect(response.names).toEqual(['be|app|http', 'be|shop|http'])
    client.ack(response)
    expect(await again).toMatchObject({ ok: true, nodes: [{ state: 'acked' }] })
  })

  test('goes on when a node still refuses what it refused before', async () => {
    await control.publish(policyOf(['app']))
    const stubborn = connect('envoy-1')
    stubborn.ask('listener')
    stubborn.nack(await stubborn.next(), 'not mine')
    const client = connect('envoy-2')
    await boot(client)
    const publishing = control.publish(policyOf(['app'], '10.0.0.2'))
    client.ack(await client.next())
    expect(await publishing).toMatchObject({
      ok: true,
      nodes: [
        { id: 'envoy-1', state: 'nacked', type: 'listener', message: 'not mine' },
        { id: 'envoy-2', state: 'acked' },
      ],
    })
  })
})

describe('a client that comes back', () => {
  const held = (booted: Booted, type: EnvoyType): Readonly<Record<string, string>> => booted[type].versions

  async function leave(): Promise<Booted> {
    const before = connect()
    const booted = await boot(before)
    before.close()
    while (control.ads.status().nodes.length > 0) await new Promise((resolve) => setImmediate(resolve))
    return booted
  }

  test('with everything is sent nothing', async () => {
    await control.publish(policyOf(['app']))
    const booted = await leave()
    const client = connect()
    for (const type of ['cluster', 'endpoint', 'listener', 'route'] as const) {
      const names = Object.keys(held(booted, type))
      client.ask(type, {
        held: held(booted, type),
        add: type === 'endpoint' || type === 'route' ? names : [],
      })
    }
    while (control.ads.status().nodes[0]?.types.length !== 4) await client.isQuiet()
    expect(await client.isQuiet()).toBe(true)
    expect(control.ads.acknowledged()?.version).toBe(control.ads.status().snapshot)
  })

  test('is sent the difference, and what is gone when nothing names it any more', async () => {
    await control.publish(policyOf(['app']))
    const booted = await leave()
    await control.publish(policyOf(['app2']))
    // Drained while nobody was there.
    await control.publish(policyOf(['app2']))
    await new Promise((resolve) => setTimeout(resolve, 60))
    const client = connect()
    client.ask('cluster', { held: held(booted, 'cluster') })
    client.ask('endpoint', { held: held(booted, 'endpoint'), add: Object.keys(held(booted, 'endpoint')) })
    client.ask('listener', { held: held(booted, 'listener') })
    client.ask('route', { held: held(booted, 'route'), add: ['http|plain'] })
    const clusters = await client.next()
    expect(shape(clusters)).toEqual(['cluster', ['be|app2|http'], []])
    client.ack(clusters)
    const routes = await client.next()
    expect(shape(routes)).toEqual(['route', ['http|plain'], []])
    expect(await client.isQuiet()).toBe(true)
    client.ack(routes)
    const removal = await client.next()
    expect(shape(removal)).toEqual(['cluster', [], ['be|app|http']])
    client.ack(removal)
    // It still asks for the endpoints, so it is told that they are gone.
    expect(shape(await client.next())).toEqual(['endpoint', [], ['be|app|http']])
  })

  test('with names from elsewhere is told that they are gone', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('cluster', { held: { 'be|old|http': '0123456789abcdef' } })
    const added = await client.next()
    expect(shape(added)).toEqual(['cluster', ['be|app|http', 'weir_filter'], []])
    client.ack(added)
    expect(shape(await client.next())).toEqual(['cluster', [], ['be|old|http']])
  })
})

describe('nodes that cannot be served', () => {
  const build = (minor: number): object => ({
    user_agent_name: 'envoy',
    user_agent_build_version: { version: { major_number: 1, minor_number: minor, patch: 2 } },
  })
  const inBucket = (bucket: string): object => ({
    metadata: { fields: { weir: { structValue: { fields: { bucket: { stringValue: bucket } } } } } },
  })
  const rows: readonly (readonly [says: string, node: object, reason: RegExp | undefined])[] = [
    ['an Envoy that is too old', build(35), /^Envoy 1\.35\.2 is too old: Weir needs 1\.36 or later/],
    ['the oldest Envoy that is served', build(36), undefined],
    ['a bucket that does not exist', inBucket('test'), /^there is no bucket test: .*has prod$/],
    ['the bucket that is published', inBucket('prod'), undefined],
  ]
  for (const [says, node, reason] of rows)
    test(`${says}: ${reason ? 'nothing, and the reason' : 'everything'}`, async () => {
      await control.publish(policyOf(['app']))
      const client = connect('odd', node)
      client.ask('cluster')
      const response = await client.next()
      client.ack(response)
      expect(response.names).toEqual(reason ? [] : ['be|app|http', 'weir_filter'])
      const { unserved } = control.ads.status().nodes[0] ?? {}
      expect(unserved ?? '').toMatch(reason ?? /^$/)
      const result = await control.publish(policyOf(['app']))
      expect(result).toMatchObject({ ok: true, nodes: [{ state: reason ? 'unserved' : 'acked' }] })
      expect(control.log.some(({ message }) => message === 'a node gets no configuration')).toBe(
        reason !== undefined,
      )
    })
})

describe('clients that misbehave', () => {
  test('without a node id the stream is refused', async () => {
    const client = connect('')
    client.ask('cluster')
    expect(await client.ended).toMatchObject({ code: 3 })
  })

  test('a stream of one protocol takes the place of one of the other', async () => {
    await control.publish(policyOf(['app']))
    const first = connectAds(control.port, 'envoy-0')
    clients.push(first)
    first.ask('cluster')
    await first.next()
    const second = connect()
    await boot(second)
    expect(await first.ended).toMatchObject({ code: 10 })
    expect(control.ads.status().nodes).toMatchObject([{ id: 'envoy-0', protocol: 'delta' }])
  })

  test('a wild nonce acknowledges nothing, and what was asked with it counts', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('endpoint', { add: [cluster('app')] })
    const first = await client.next()
    client.ask('endpoint', { nonce: '999', error: 'wild', add: ['weir_filter'] })
    expect(await client.isQuiet()).toBe(true)
    expect(control.ads.status().nodes[0]?.types).toMatchObject([{ inFlight: true, nack: undefined }])
    client.ack(first)
    expect((await client.next()).names).toEqual(['weir_filter'])
  })

  test('an unknown type is not answered', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    client.ask('weir.no.Such', { add: ['x'] })
    client.ask('')
    client.ask('cluster')
    expect((await client.next()).type).toBe('cluster')
  })

  test('ten thousand names are answered', async () => {
    await control.publish(policyOf(['app']))
    const client = connect()
    const names = Array.from({ length: 10_000 }, (_, at) => cluster(`no-${at}`))
    client.ask('endpoint', { add: [...names, cluster('app')] })
    const response = await client.next()
    expect(response.names).toEqual(['be|app|http'])
    expect(response.removed).toHaveLength(10_000)
  })

  const tooMuch: readonly (readonly [says: string, ask: () => Parameters<DeltaClient['ask']>[1]])[] = [
    [
      'more names than any configuration holds',
      () => ({ add: Array.from({ length: 100_001 }, (_, at) => String(at)) }),
    ],
    ['a name of megabytes', () => ({ add: ['x'.repeat(2_000_000)] })],
    ['a held name of megabytes', () => ({ held: { ['x'.repeat(2_000_000)]: '1' } })],
  ]
  for (const [says, ask] of tooMuch)
    test(`${says}: the stream ends, others go on`, async () => {
      await control.publish(policyOf(['app']))
      const good = connect('good')
      await boot(good)
      const bad = connect('bad')
      bad.ask('endpoint', ask())
      expect(await bad.ended).toMatchObject({ code: 8 })
      void control.publish(policyOf(['app'], '10.0.0.7'))
      expect(await good.next()).toMatchObject({ type: 'endpoint' })
    })

  test('names that come a few at a time are too many as well', async () => {
    await control.publish(policyOf(['app']))
    const bad = connect('bad')
    for (let part = 0; part < 3; part++)
      bad.ask('endpoint', { add: Array.from({ length: 50_000 }, (_, at) => `${part}-${at}`) })
    expect(await bad.ended).toMatchObject({ code: 8 })
  })
})
