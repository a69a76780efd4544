// Publishing to a running Envoy: no request fails while everything behind it changes, and what Envoy refuses
// leaves what ran before.
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BackendService, MapEntry, Policy, ProxyTemplate } from '#config'
import { renderBootstrap } from '#envoy'
import { type Control, type StandIn, startControl, startStandIn } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { send } from './support/http.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

let a: Origin
let b: Origin
let control: Control
const envoys: Envoy[] = []
const standIns: StandIn[] = []

beforeEach(async () => {
  ;[a, b, control] = await Promise.all([startOrigin('a'), startOrigin('b'), startControl()])
})

afterEach(async () => {
  await Promise.all(envoys.splice(0).map((envoy) => envoy.stop()))
  for (const standIn of standIns.splice(0)) standIn.kill()
  control.stop()
  await Promise.all([a.stop(), b.stop()])
})

type Protocol = 'delta' | 'sotw'

/** What the bootstrap says; an Envoy with an older one may still come along. */
let protocol: Protocol = 'delta'

function bootstrapOf(id: string): string {
  const text = renderBootstrap({ NODE_ID: id, ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port })
  return protocol === 'delta' ? text : text.replace('api_type: DELTA_GRPC', 'api_type: GRPC')
}

async function start(id = 'envoy-0', listeners: readonly string[] = ['http']): Promise<Envoy> {
  const bootstrap = bootstrapOf(id)
  const envoy = await startEnvoy({ bootstrap, listeners, args: ['--reject-unknown-dynamic-fields'] })
  envoys.push(envoy)
  expect(control.ads.status().nodes.find((node) => node.id === id)?.protocol).toBe(protocol)
  return envoy
}

const serviceOf = (id: string, origin: Origin, more: Partial<BackendService> = {}): BackendService =>
  site.service({ id, hosts: [site.host({ host: '127.0.0.1', httpPorts: [origin.port] })], ...more })

const policyWith = (
  backend: BackendService,
  entries: readonly MapEntry[] = [],
  template: Partial<ProxyTemplate> = {},
): Policy =>
  site.policy({
    serverGroups: [
      site.group({
        template: site.template(template),
        policy: site.securityPolicy({ entries: [...entries, site.entry({ backend })] }),
      }),
    ],
  })

const originAt = async (port: number, path = '/'): Promise<string> => {
  const { status, body } = await send({ port, path })
  return status === 200 ? (JSON.parse(body) as Arrived).origin : `status ${status}`
}

const states = (result: Awaited<ReturnType<Control['publish']>>) =>
  result.nodes.map(({ id, state }) => [id, state])

describe.each<Protocol>(['delta', 'sotw'])('over %s:', (spoken) => {
  beforeEach(() => {
    protocol = spoken
  })
  afterAll(() => {
    protocol = 'delta'
  })

  describe('a changed policy', () => {
    const changes: readonly (readonly [says: string, change: () => Policy])[] = [
      ['a service that moved', () => policyWith(serviceOf('app', b))],
      ['a service under another name', () => policyWith(serviceOf('app2', b))],
      ['a cluster with other settings', () => policyWith(serviceOf('app', b, { sticky: 'least_conn' }))],
      [
        'another route',
        () =>
          policyWith(serviceOf('app', a), [
            site.entry({ id: 'all', role: 'path', match: '^/', backend: serviceOf('other', b) }),
          ]),
      ],
      [
        'other settings of the listener',
        () => policyWith(serviceOf('app', b), [], { clientHeaderTimeoutS: 20, maxRequestHeadersKb: 64 }),
      ],
    ]
    for (const [says, change] of changes)
      test(`${says}: 200 requests meanwhile, none fails`, async () => {
        await control.publish(policyWith(serviceOf('app', a)))
        const envoy = await start()
        const port = await envoy.listenerPort('http')
        const seen: string[] = []
        let publishing: ReturnType<Control['publish']> | undefined
        for (let sent = 0; sent < 200; sent++) {
          if (sent === 20) publishing = control.publish(change())
          seen.push(await originAt(port))
        }
        expect(await publishing).toMatchObject({ ok: true, nodes: [{ id: 'envoy-0', state: 'acked' }] })
        expect([...new Set(seen)].toSorted()).toEqual(['a', 'b'])
        expect(await originAt(port)).toBe('b')
      })

    test('a listener more is there when the publish ends', async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const envoy = await start()
      const listener = { protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 80 } as const
      await control.publish(policyWith(serviceOf('app', a)), {
        listeners: [
          { ...listener, id: 'http' },
          { ...listener, id: 'more' },
        ],
      })
      expect(await originAt(await envoy.listenerPort('more'))).toBe('a')
    })

    test('clusters that nothing names any more go after a while', async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const envoy = await start()
      await control.publish(policyWith(serviceOf('app2', b)))
      expect(await envoy.get('/clusters')).toContain('be|app|http::')
      const deadline = Date.now() + 60_000
      while ((await envoy.get('/clusters')).includes('be|app|http::') && Date.now() < deadline)
        await envoy.get('/ready')
      expect(await envoy.get('/clusters')).not.toContain('be|app|http::')
      expect(await originAt(await envoy.listenerPort('http'))).toBe('b')
    })

    test('the same policy again is not sent again', async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const envoy = await start()
      const updates = () =>
        Promise.all(
          ['cluster_manager.cds', 'listener_manager.lds'].map((type) => envoy.stat(`${type}.update_attempt`)),
        )
      const before = await updates()
      expect(states(await control.publish(policyWith(serviceOf('app', a))))).toEqual([['envoy-0', 'acked']])
      expect(await updates()).toEqual(before)
    })
  })

  describe('what Envoy refuses', () => {
    const broken = (): Policy =>
      policyWith(serviceOf('app2', b), [
        site.entry({ id: 'broken', role: 'path', match: '(', backend: serviceOf('app2', b) }),
      ])

    test("leaves what ran, and Envoy's reason is reported", async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const envoy = await start()
      const port = await envoy.listenerPort('http')
      const result = await control.publish(broken())
      expect(result).toMatchObject({
        ok: false,
        nodes: [
          {
            id: 'envoy-0',
            state: 'nacked',
            type: 'route',
            resources: ['http|plain'],
            message: expect.stringContaining('missing )'),
          },
        ],
      })
      expect(await originAt(port)).toBe('a')
      expect(control.log).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          fields: expect.objectContaining({ node: 'envoy-0', type: 'route' }),
        }),
      )
      expect(control.ads.status().nodes[0]?.types.some(({ nack }) => nack !== undefined)).toBe(false)
      expect((await control.publish(policyWith(serviceOf('app', b)))).ok).toBe(true)
      expect(await originAt(port)).toBe('b')
    })

    test('on one Envoy is rolled back on all', async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const [first, second] = [await start('envoy-0'), await start('envoy-1')]
      const result = await control.publish(broken())
      expect(result.ok).toBe(false)
      expect(result.nodes.map(({ id }) => id)).toEqual(['envoy-0', 'envoy-1'])
      for (const envoy of [first, second]) expect(await originAt(await envoy.listenerPort('http'))).toBe('a')
      expect((await control.publish(policyWith(serviceOf('app', a)))).ok).toBe(true)
    })

    test('for a listener does not take the listener away', async () => {
      await control.publish(policyWith(serviceOf('app', a)))
      const envoy = await start()
      const port = await envoy.listenerPort('http')
      const result = await control.publish(policyWith(serviceOf('app', b)), {
        listeners: [{ id: 'http', protocol: 'http', address: 'no-address', port: 0, publicPort: 80 }],
      })
      expect(result.nodes).toEqual([
        expect.objectContaining({
          state: 'nacked',
          type: 'listener',
          message: expect.stringContaining('no-address'),
        }),
      ])
      expect(await originAt(port)).toBe('a')
    })
  })
})

describe('partners that come and go', () => {
  test('Envoy goes on without the control plane', async () => {
    await control.publish(policyWith(serviceOf('app', a)))
    const envoy = await start()
    const port = await envoy.listenerPort('http')
    const filter = await startStandIn()
    standIns.push(filter)
    await control.publish(policyWith(serviceOf('app', a)), {
      filters: [{ kind: 'tcp', address: '127.0.0.1', port: filter.port }],
    })
    control.stop()
    for (let sent = 0; sent < 10; sent++) expect(await originAt(port)).toBe('a')
  })

  test('a filter that died is used again as soon as it is back', async () => {
    const filter = await startStandIn()
    await control.publish(policyWith(serviceOf('app', a)), {
      filters: [{ kind: 'tcp', address: '127.0.0.1', port: filter.port }],
    })
    const envoy = await start()
    const port = await envoy.listenerPort('http')
    expect(await originAt(port)).toBe('a')
    filter.kill()
    expect(await originAt(port)).toBe('status 503')
    const again = await startStandIn(`127.0.0.1:${filter.port}`)
    standIns.push(again)
    expect(await originAt(port)).toBe('a')
    expect(again.checks).toHaveLength(1)
  })

  test('of two filters on Unix sockets, one may die', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-'))
    const paths = [join(folder, '0'), join(folder, '1')]
    const [one, two] = [await startStandIn(`unix:${paths[0]}`), await startStandIn(`unix:${paths[1]}`)]
    standIns.push(one, two)
    await control.publish(policyWith(serviceOf('app', a)), {
      filters: paths.map((path) => ({ kind: 'unix', path })),
    })
    const envoy = await start()
    const port = await envoy.listenerPort('http')
    for (let sent = 0; sent < 20; sent++) expect(await originAt(port)).toBe('a')
    expect(one.checks.length).toBeGreaterThan(0)
    expect(two.checks.length).toBeGreaterThan(0)
    one.kill()
    const deadline = Date.now() + 60_000
    const healthy = () => envoy.stat('cluster.weir_filter.membership_healthy')
    while ((await healthy()) !== 1 && Date.now() < deadline) await envoy.get('/ready')
    for (let sent = 0; sent < 20; sent++) expect(await originAt(port)).toBe('a')
    rmSync(folder, { recursive: true })
  })

  test('a trusted peer says who the client is, another one does not', async () => {
    await control.publish(policyWith(serviceOf('app', a), [], { trustedSources: ['127.0.0.0/8'] }))
    const envoy = await start()
    const port = await envoy.listenerPort('http')
    const realIp = async (forwarded: string): Promise<string | undefined> => {
      const { body } = await send({
        port,
        headers: [
          ['x-forwarded-for', forwarded],
          ['x-forwarded-port', '443'],
        ],
      })
      const { headers } = JSON.parse(body) as Arrived
      expect(headers).toContainEqual(['x-forwarded-port', '443'])
      return headers.find(([name]) => name === 'x-real-ip')?.[1]
    }
    expect(await realIp('203.0.113.9, 127.0.0.7')).toBe('203.0.113.9')
    expect(await realIp('6.6.6.6, 203.0.113.9')).toBe('203.0.113.9')
  })
})
