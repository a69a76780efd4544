// A filter with its policy from the control plane, against the real ADS server: what is compiled and what is only taken over,
// what is refused, and with what it begins.
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Policy, type Revocations, noRevocations, revocationsOf } from '#config'
import {
  type Ads,
  type GrpcServer,
  createAds,
  createGrpcServer,
  encodePolicy,
  withFilterResources,
} from '#envoy'
import { type Lifecycle, loadSettings, parsePlace, silentLog } from '#platform'
import { type Subscription, subscribePolicy } from './subscribed-policy.ts'

let folder: string
let ads: Ads
let server: GrpcServer
let control: string
const stops: (() => unknown)[] = []

/** The part of a process's life that a subscription uses. */
const life: Pick<Lifecycle, 'start'> = {
  async start(_name, start, stop) {
    const service = await start()
    stops.push(() => stop(service))
    return service
  },
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-subscribed-'))
  ads = createAds({ log: { info: () => undefined, warn: () => undefined }, timeoutMs: 10_000 })
  server = createGrpcServer({ onDefect: () => undefined })
  ads.register(server.grpc)
  control = await server.listen('127.0.0.1:0')
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  ads.stop()
  server.stop()
  rmSync(folder, { recursive: true })
})

const monitor = (id: string): object => ({ id, name: id, type: 'monitor' })

/** @param entries of the document `actions` */
const publish = (revision: string, entries: readonly object[], revocations: Revocations = noRevocations) =>
  ads.publish(
    withFilterResources(
      { version: 'none', resources: new Map(), staticClusters: [] },
      encodePolicy({
        name: 'prod',
        revision,
        branch: 'prod',
        documents: [{ name: 'actions', json: Buffer.from(JSON.stringify(entries)) }],
        maskingSeed: 'a-seed-of-some-letters',
        revocations,
      }),
    ),
  )

type Filter = {
  readonly subscription: Subscription
  readonly applied: readonly string[]
  readonly updates: readonly string[]
}

function start(
  environment: Readonly<Record<string, string>> = {},
  apply: (policy: Policy) => void = () => undefined,
): Filter {
  const loaded = loadSettings({
    file: undefined,
    flags: [],
    environment: {
      WEIR_TRAFFIC_JOURNAL_FILE: join(folder, 'events.jsonl'),
      WEIR_MASKING_SEED_FILE: join(folder, 'seed'),
      ...environment,
    },
  })
  const place = parsePlace(control)
  if (!loaded.ok || place === undefined) throw new Error('these settings are right')
  const applied: string[] = []
  const updates: string[] = []
  const subscription = subscribePolicy({
    settings: loaded.settings,
    control: place,
    log: silentLog,
    apply(policy) {
      apply(policy)
      applied.push(policy.revision)
    },
    onUpdate: (outcome) => void updates.push(outcome),
    onConnection: () => undefined,
  })
  return { subscription, applied, updates }
}

/** Opens the stream, and resolves when the filter has answered to what is published. */
async function connect({ subscription }: Filter): Promise<void> {
  await subscription.open(life, '127.0.0.1:9191')
  const isSettled = (): boolean => {
    const types = ads.status().nodes[0]?.types ?? []
    return types.length === 2 && types.every(({ acked, nack }) => acked !== undefined || nack !== undefined)
  }
  while (!isSettled()) await new Promise((resolve) => setTimeout(resolve, 5))
}

const revoked = revocationsOf([{ ca: 'aa', complete: true, serials: ['1'] }])

test('a policy is compiled, with the revision of the control plane', async () => {
  await publish('rev-1', [monitor('a')])
  let actions: readonly string[] = []
  const filter = start({}, (policy) => {
    actions = [...policy.actions.keys()]
  })
  await connect(filter)
  expect([filter.applied, filter.updates]).toEqual([['rev-1'], ['applied']])
  expect(actions).toContain('a')
})

test('another revocation list is in force without compiling anything', async () => {
  await publish('rev-1', [monitor('a')])
  const filter = start()
  await connect(filter)
  expect(filter.subscription.revocations().cas.size).toBe(0)
  expect(await publish('rev-1', [monitor('a')], revoked)).toMatchObject({
    ok: true,
    nodes: [{ state: 'acked' }],
  })
  expect([...filter.subscription.revocations().cas.keys()]).toEqual(['aa'])
  expect(filter.applied).toEqual(['rev-1'])
})

test.each([
  [
    'that breaks a rule of its kind',
    [{ id: 'a', name: 'a', type: 'explode' }],
    /actions\.json: entry "a", type/,
  ],
  ['of entries that are none', ['text'], /must be an object/],
])('a document %s is refused with the reason, and what ran goes on', async (_what, entries, reason) => {
  await publish('rev-1', [monitor('a')])
  const filter = start()
  await connect(filter)
  expect(await publish('rev-2', entries as readonly object[])).toMatchObject({
    ok: false,
    nodes: [{ role: 'filter', state: 'nacked', type: 'policy', message: expect.stringMatching(reason) }],
  })
  expect(filter.applied).toEqual(['rev-1'])
  expect(filter.updates).toContain('refused')
})

test('what cannot be compiled is refused, and its revocation lists are not taken over either', async () => {
  await publish('rev-1', [monitor('a')])
  const filter = start({}, ({ revision }) => {
    if (revision === 'rev-2') throw new Error('rules need too much memory together')
  })
  await connect(filter)
  expect(await publish('rev-2', [monitor('b')], revoked)).toMatchObject({
    ok: false,
    nodes: [{ state: 'nacked', message: 'rules need too much memory together' }],
  })
  expect(filter.subscription.revocations().cas.size).toBe(0)
})

test('the kept policy is in force before the control plane is reached, and is not sent again', async () => {
  await publish('rev-1', [monitor('a')], revoked)
  await connect(start())
  for (const stop of stops.splice(0)) await stop()
  const again = start()
  again.subscription.resume()
  expect(again.applied).toEqual(['rev-1'])
  expect([...again.subscription.revocations().cas.keys()]).toEqual(['aa'])
  await connect(again)
  expect([again.applied, again.updates]).toEqual([['rev-1'], []])
})

test('a kept policy that cannot be compiled any more is no reason not to start', async () => {
  await publish('rev-1', [monitor('a')])
  await connect(start())
  for (const stop of stops.splice(0)) await stop()
  const again = start({}, () => {
    throw new Error('no')
  })
  expect(() => again.subscription.resume()).not.toThrow()
})

test('a filter of `weir serve` begins with the folder; what the control plane made of the same is not compiled again', async () => {
  const config = mkdtempSync(join(folder, 'config-'))
  writeFileSync(join(config, 'actions.json'), JSON.stringify([monitor('a')]))
  const filter = start({ WEIR_SUPERVISOR_FOLDER: config, WEIR_MASKING_SEED: 'a-seed-of-some-letters' })
  filter.subscription.resume()
  const [revision = ''] = filter.applied
  await publish(revision, [monitor('a')], revoked)
  await connect(filter)
  expect(filter.applied).toEqual([revision])
  expect([...filter.subscription.revocations().cas.keys()]).toEqual(['aa'])
})

test('a folder that is broken leaves it to the kept policy', async () => {
  await publish('rev-1', [monitor('a')])
  await connect(start())
  for (const stop of stops.splice(0)) await stop()
  const config = mkdtempSync(join(folder, 'config-'))
  writeFileSync(join(config, 'actions.json'), '[{]')
  const again = start({ WEIR_SUPERVISOR_FOLDER: config })
  again.subscription.resume()
  expect(again.applied).toEqual(['rev-1'])
})
