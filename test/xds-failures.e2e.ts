// What a client sees when something behind Envoy fails: the origin, one of its hosts, the filter.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { BackHost, BackendService, ServerGroup } from '#config'
import { renderBootstrap } from '#envoy'
import { type Control, startControl } from './support/control.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { type Answer, freePort, send } from './support/http.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import * as site from '../src/envoy/xds/sites.fixture.ts'

const at = (port: number, more: Partial<BackHost> = {}): BackHost =>
  site.host({ host: '127.0.0.1', httpPorts: [port], ...more })

/** A group of the host `<id>.example` in front of the hosts. */
const groupOf = (
  id: string,
  hosts: readonly BackHost[],
  more: Partial<BackendService> = {},
  template = site.template(),
): ServerGroup =>
  site.group({
    id,
    serverNames: [{ kind: 'literal', host: `${id}.example` }],
    template,
    policy: site.securityPolicy({ entries: [site.entry({ backend: site.service({ id, hosts, ...more }) })] }),
  })

const originOf = ({ body }: Answer): string => (JSON.parse(body) as Arrived).origin

describe('origins that fail', () => {
  let a: Origin
  let b: Origin
  let c: Origin
  let control: Control
  let envoy: Envoy
  let port: number

  beforeAll(async () => {
    ;[a, b, c, control] = await Promise.all([
      startOrigin('a'),
      startOrigin('b'),
      startOrigin('c'),
      startControl(),
    ])
    const dead = await freePort()
    const impatient = site.template({ id: 'impatient', proxyReadTimeoutS: 1 })
    const policy = site.policy({
      serverGroups: [
        groupOf('weights', [at(a.port, { weight: 3 }), at(b.port), at(c.port, { backup: true })]),
        groupOf('one-down', [at(a.port, { down: true }), at(b.port)]),
        groupOf('all-down', [at(a.port, { down: true }), at(b.port, { down: true })]),
        groupOf('all-backup', [at(a.port, { backup: true })]),
        groupOf('primary-dead', [at(dead, { maxFails: 1, failTimeoutS: 60 }), at(c.port, { backup: true })]),
        groupOf('dead', [at(dead)]),
        groupOf('by-name', [
          site.host({ host: 'localhost', httpPorts: [a.port] }),
          at(b.port, { down: true }),
        ]),
        groupOf('silent', [at(a.port)], {}, impatient),
        groupOf('cookie', [at(a.port), at(b.port), at(c.port)], { sticky: 'autocookie' }),
        groupOf('own-cookie', [at(a.port), at(b.port), at(c.port)], {
          sticky: 'customcookie',
          stickyCookieName: 'sid',
        }),
        groupOf('address', [at(a.port), at(b.port), at(c.port)], { sticky: 'iphash' }),
        groupOf('one-request', [at(a.port)], { http11: false }),
      ],
    })
    await control.publish(policy)
    envoy = await startEnvoy({
      bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port }),
      listeners: ['http'],
    })
    port = await envoy.listenerPort('http')
  })

  afterAll(async () => {
    await envoy?.stop()
    control?.stop()
    await Promise.all([a, b, c].map((origin) => origin?.stop()))
  })

  const get = (
    id: string,
    path = '/',
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<Answer> => send({ port, host: `${id}.example`, path, headers })

  async function originsOf(
    id: string,
    count: number,
    headers: readonly (readonly [string, string])[] = [],
  ): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {}
    for (let sent = 0; sent < count; sent++) {
      const origin = originOf(await get(id, '/', headers))
      counts[origin] = (counts[origin] ?? 0) + 1
    }
    return counts
  }

  test('weights share the requests, a backup gets none while a primary lives', async () => {
    const counts = await originsOf('weights', 80)
    expect(counts['c']).toBeUndefined()
    expect(counts['a']).toBeGreaterThanOrEqual(55)
    expect(counts['a']).toBeLessThanOrEqual(65)
  })

  test('a host that is down gets nothing', async () => {
    expect(await originsOf('one-down', 10)).toEqual({ b: 10 })
  })

  test('a host that is down gets nothing beside one that is named', async () => {
    expect(await originsOf('by-name', 10)).toEqual({ a: 10 })
  })

  test('backups serve when they are all there is', async () => {
    expect(await originsOf('all-backup', 5)).toEqual({ a: 5 })
  })

  test('a backup takes over from a dead primary without a failed request', async () => {
    expect(await originsOf('primary-dead', 10)).toEqual({ c: 10 })
  })

  test('a cookie that Weir sets keeps a client at its host', async () => {
    const first = await get('cookie')
    const cookie = first.headers['set-cookie']?.[0] ?? ''
    expect(cookie).toMatch(/^weir_srv="?[^;]+"?; Path=\/; SameSite=Lax; HttpOnly$/i)
    expect(await originsOf('cookie', 10, [['cookie', cookie.split(';')[0] ?? '']])).toEqual({
      [originOf(first)]: 10,
    })
  })

  test("the origin's own cookie keeps a client at its host", async () => {
    expect(Object.keys(await originsOf('own-cookie', 10, [['cookie', 'sid=abc']]))).toHaveLength(1)
  })

  test('a client address stays at its host', async () => {
    expect(Object.keys(await originsOf('address', 10))).toHaveLength(1)
  })

  test('an origin without keep-alive gets one request per connection', async () => {
    expect(await originsOf('one-request', 3)).toEqual({ a: 3 })
    expect(await envoy.stat('cluster.be|one-request|http.upstream_cx_total')).toBe(3)
  })

  test("an origin's own error is handed through", async () => {
    expect(await get('weights', '/500')).toMatchObject({ status: 500, headers: { server: 'origin' } })
  })

  const failures: readonly (readonly [says: string, host: string, path: string, status: number])[] = [
    ['an origin that refuses connections', 'dead', '/', 502],
    ['an origin of which all hosts are down', 'all-down', '/', 502],
    ['an origin that does not answer in proxy_read_timeout', 'silent', '/silent', 504],
    ["nobody's host", 'nobody', '/', 421],
  ]
  for (const [says, host, path, status] of failures) {
    test(`${says}: ${status} with a neutral page`, async () => {
      const answer = await get(host, path)
      expect(answer.status).toBe(status)
      expect(answer.headers['content-type']).toBe('text/html; charset=UTF-8')
      expect(answer.body).toContain(`<h1>${status}</h1>`)
      expect(answer.body).toContain(String(answer.headers['x-request-id']))
      expect(answer.body).not.toMatch(/envoy|upstream|cluster/i)
    })
    test(`${says}: ${status} as JSON for a program`, async () => {
      const answer = await get(host, path, [['accept', 'application/json']])
      expect(answer.status).toBe(status)
      expect(JSON.parse(answer.body)).toEqual({ status, request_id: answer.headers['x-request-id'] })
    })
  }

  test('a browser that would also take JSON gets the page', async () => {
    const { body } = await get('dead', '/', [['accept', 'text/html,application/json;q=0.9']])
    expect(body).toContain('<h1>502</h1>')
  })
})

describe('a filter that does not answer', () => {
  let a: Origin
  let control: Control
  let envoy: Envoy
  let port: number

  beforeAll(async () => {
    ;[a, control] = await Promise.all([startOrigin('a'), startControl()])
    const open = site.template({ id: 'open', failureMode: 'open' })
    await control.publish(
      site.policy({
        serverGroups: [groupOf('closed', [at(a.port)]), groupOf('open', [at(a.port)], {}, open)],
      }),
      { filters: [{ kind: 'tcp', address: '127.0.0.1', port: await freePort() }] },
    )
    envoy = await startEnvoy({
      bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port }),
      listeners: ['http'],
    })
    port = await envoy.listenerPort('http')
  })

  afterAll(async () => {
    await envoy?.stop()
    control?.stop()
    await a?.stop()
  })

  for (const host of ['closed.example', 'nobody.example'])
    test(`closed: nothing passes, the answer is 503 (${host})`, async () => {
      const answer = await send({ port, host })
      expect(answer.status).toBe(503)
      expect(answer.body).toContain('<h1>503</h1>')
      expect(a.arrived).toEqual([])
    })

  test('open: requests pass, marked for the origin', async () => {
    const answer = await send({ port, host: 'open.example' })
    expect(answer.status).toBe(200)
    expect((JSON.parse(answer.body) as Arrived).headers).toContainEqual([
      'x-envoy-auth-failure-mode-allowed',
      'true',
    ])
  })

  test('a filter that comes back is used at once', async () => {
    expect((await send({ port, host: 'closed.example' })).status).toBe(503)
    const again = groupOf('closed', [at(a.port)])
    await control.publish(site.policy({ serverGroups: [again] }))
    expect((await send({ port, host: 'closed.example' })).status).toBe(200)
  })
})
