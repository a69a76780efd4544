// The filter's end of the stream, against the real ADS server: what it acknowledges and refuses, and how it comes back.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { noRevocations } from '#config'
import {
  type Ads,
  type FilterResource,
  type GrpcServer,
  type PolicyStream,
  type PolicyStreamOptions,
  type Snapshot,
  admission,
  clientCredentials,
  createAds,
  createGrpcServer,
  decodePolicy,
  encodePolicy,
  openPolicyStream,
  serverCredentials,
  withFilterResources,
} from '#envoy'
import { type Pair, makePair } from './support/pki.ts'
import { waitFor } from './support/weir.ts'

const token = 'a-token-of-many-letters'

let ads: Ads
let server: GrpcServer
let control: string
const streams: PolicyStream[] = []
const silent = { info: () => undefined, warn: () => undefined }

beforeEach(async () => {
  ads = createAds({ log: silent, timeoutMs: 10_000, drainMs: 30 })
  server = createGrpcServer({ admit: admission(token), onDefect: () => undefined })
  ads.register(server.grpc)
  control = await server.listen('127.0.0.1:0')
})
afterEach(() => {
  for (const stream of streams.splice(0)) stream.stop()
  ads.stop()
  server.stop()
})

const nothing: Snapshot = { version: 'none', resources: new Map(), staticClusters: [] }

const publish = (revision: string, json = '[]') =>
  ads.publish(
    withFilterResources(
      nothing,
      encodePolicy({
        name: 'prod',
        revision,
        branch: 'prod',
        documents: [{ name: 'actions', json: Buffer.from(json) }],
        maskingSeed: 'salt',
        revocations: noRevocations,
      }),
    ),
  )

type Filter = {
  readonly revisions: readonly string[]
  readonly states: readonly boolean[]
  readonly log: readonly { readonly level: string; readonly fields: object; readonly message: string }[]
  last(): FilterResource | undefined
}

function subscribe(
  more: Partial<PolicyStreamOptions> = {},
  judge: (revision: string) => string | undefined = () => undefined,
): Filter {
  const revisions: string[] = []
  const states: boolean[] = []
  const log: { level: string; fields: object; message: string }[] = []
  let running: FilterResource | undefined
  const write = (level: string) => (fields: object, message: string) =>
    void log.push({ level, fields, message })
  streams.push(
    openPolicyStream({
      control,
      token,
      node: { id: 'filter-1', bucket: 'prod', region: 'ffm', grpcAddress: '10.0.0.1:9191' },
      running: () => ({ policy: running, quarantine: undefined }),
      take: {
        policy(resource) {
          const { revision } = decodePolicy(resource.bytes)
          const refusal = judge(revision)
          if (refusal !== undefined) return refusal
          running = resource
          revisions.push(revision)
          return undefined
        },
        quarantine: () => undefined,
      },
      onConnection: (state) => states.push(state),
      log: { info: write('info'), warn: write('warn'), debug: write('debug') },
      pauses: { leastMs: 5, mostMs: 40 },
      ...more,
    }),
  )
  return { revisions, states, log, last: () => running }
}

const until = (what: string, isTrue: () => boolean) => waitFor(what, () => (isTrue() ? true : undefined))

describe('a filter', () => {
  test('says who it is, takes the policy and acknowledges it', async () => {
    await publish('first')
    const { revisions, states } = subscribe()
    await until('both are acknowledged', () => {
      const types = ads.status().nodes[0]?.types ?? []
      return types.length === 2 && types.every(({ acked }) => acked !== undefined)
    })
    expect(revisions).toEqual(['first'])
    expect(states).toEqual([true])
    expect(ads.status().nodes).toMatchObject([
      {
        id: 'filter-1',
        role: 'filter',
        bucket: 'prod',
        region: 'ffm',
        protocol: 'delta',
        grpcAddress: { host: '10.0.0.1', port: 9191 },
      },
    ])
  })

  test('takes the next one, and the publish knows', async () => {
    await publish('first')
    const { revisions } = subscribe()
    await until('it has the first', () => revisions.length === 1)
    expect(await publish('second')).toMatchObject({ ok: true, nodes: [{ id: 'filter-1', state: 'acked' }] })
    expect(revisions).toEqual(['first', 'second'])
  })

  test('that refuses says why, in bounded words, and is brought back to what it had', async () => {
    await publish('first')
    const { revisions } = subscribe({}, (revision) =>
      revision === 'bad' ? `bad: ${'x'.repeat(9000)}` : undefined,
    )
    await until('it has the first', () => revisions.length === 1)
    const { ok, nodes } = await publish('bad')
    expect({ ok, nodes }).toMatchObject({
      ok: false,
      nodes: [
        { state: 'nacked', type: 'policy', resources: ['prod'], message: expect.stringMatching(/^bad: x+$/) },
      ],
    })
    expect(nodes[0] && 'message' in nodes[0] && nodes[0].message.length).toBe(4000)
    expect(await publish('third')).toMatchObject({ ok: true, nodes: [{ state: 'acked' }] })
    expect(revisions).toEqual(['first', 'first', 'third'])
  })

  test('that cannot put a policy in force refuses it too', async () => {
    await publish('first')
    const { revisions } = subscribe({}, (revision) => {
      if (revision === 'bad') throw new Error('no memory')
      return undefined
    })
    await until('it has the first', () => revisions.length === 1)
    expect(await publish('bad')).toMatchObject({
      ok: false,
      nodes: [{ state: 'nacked', message: 'no memory' }],
    })
  })

  test('takes a policy of 20 MiB', async () => {
    await publish('large', JSON.stringify(['x'.repeat(20 * 1024 * 1024)]))
    const filter = subscribe()
    await until('it is there', () => filter.revisions.length === 1)
    expect(filter.last()?.bytes.length).toBeGreaterThan(20 * 1024 * 1024)
  })
})

describe('a stream that breaks', () => {
  test('is opened again, and what runs is not sent again', async () => {
    await publish('first')
    const { revisions, states } = subscribe()
    await until('it has the first', () => revisions.length === 1)
    ads.stop()
    await until('it is back', () => states.length === 3)
    expect(states).toEqual([true, false, true])
    expect(await publish('second')).toMatchObject({ ok: true })
    expect(revisions).toEqual(['first', 'second'])
  })

  test('is tried again after growing, uneven pauses while nobody listens', async () => {
    server.stop()
    const { log, states } = subscribe({ random: () => 0 })
    await until('some attempts', () => log.length >= 6)
    expect(log.slice(0, 6).map(({ fields }) => 'pauseMs' in fields && fields.pauseMs)).toEqual([
      3, 5, 10, 20, 20, 20,
    ])
    // One that starts a moment later than its filters is nothing to warn of.
    expect(log.slice(0, 6).map(({ level }) => level)).toEqual([
      ...Array.from({ length: 4 }, () => 'debug'),
      'warn',
      'debug',
    ])
    const other = subscribe({ random: () => 0.9999 })
    await until('some attempts', () => other.log.length >= 4)
    expect(other.log.slice(0, 4).map(({ fields }) => 'pauseMs' in fields && fields.pauseMs)).toEqual([
      5, 10, 20, 40,
    ])
    expect([...states, ...other.states]).toEqual([])
  })

  test('says at once that the control plane cannot be trusted, and only once', async () => {
    const pem = ({ chain, key }: Pair) => ({ cert: Buffer.from(chain), key: Buffer.from(key) })
    const strange = makePair({ commonName: 'control', names: ['127.0.0.1'] })
    const secure = createGrpcServer({
      admit: admission(token),
      onDefect: () => undefined,
      credentials: serverCredentials(pem(strange), undefined),
    })
    const other = makePair({ commonName: 'CA', isCa: true })
    const { log, states } = subscribe({
      control: await secure.listen('127.0.0.1:0'),
      credentials: clientCredentials(Buffer.from(other.chain), undefined),
    })
    await until('some attempts', () => log.length >= 7)
    secure.stop()
    expect(log[0]).toMatchObject({
      level: 'warn',
      fields: { reason: expect.stringContaining('certificate') },
    })
    expect(log.slice(0, 7).filter(({ level }) => level === 'warn')).toHaveLength(1)
    expect(states).toEqual([])
  })

  test('is not opened again once it is stopped', async () => {
    await publish('first')
    const { states } = subscribe()
    await until('it is connected', () => states.length === 1)
    streams[0]?.stop()
    await until('it is gone', () => ads.status().nodes.length === 0)
    expect(states).toEqual([true, false])
  })

  test('is none without the right token, and the reason is told', async () => {
    await publish('first')
    const { log, states } = subscribe({ token: 'another-token-of-letters' })
    await until('some attempts', () => log.length >= 7)
    expect(log.map(({ level }) => level).slice(0, 7)).toEqual([
      'warn',
      ...Array.from({ length: 6 }, () => 'debug'),
    ])
    expect(log[0]?.fields).toMatchObject({
      reason: expect.stringContaining('the authorization is missing or wrong'),
    })
    expect(states).toEqual([])
    expect(ads.status().nodes).toEqual([])
  })
})
