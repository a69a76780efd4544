// Which host gets a request, on a running Envoy with real origins behind it: weights, backups, hosts that fail and come back,
// the ways of meeting the same host again, and how an origin is spoken to (spec control-plane 1.3, 2.5). The documents are
// those that an administrator writes, the filter is the real one.
import { Agent, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type Http2ServerRequest, type Http2ServerResponse, createSecureServer } from 'node:http2'
import { createServer as createHttp2Server } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Documents, Entry } from './support/base.ts'
import { type Answer, type Sent, send } from './support/http.ts'
import { type Listening, listening, says } from './support/listening.ts'
import { makePair } from './support/pki.ts'
import { secureListener } from './support/secure-listener.ts'
import {
  type SiteDocuments,
  type Sites,
  backHost,
  documentsOf,
  plainListener,
  service,
  startSites,
} from './support/sites.ts'
import { waitFor } from './support/weir.ts'

const { chain: cert, key } = makePair({ commonName: 'origin' })

/** Answers with name and protocol; of http2. */
const tells =
  (name: string) =>
  (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    response.end(`${name} ${request.httpVersion}`)
  }

/** Requests for `/hold` stay open until the test ends. */
const holds =
  (name: string) =>
  (...[{ url }, response]: Parameters<ReturnType<typeof says>>): void => {
    if (url !== '/hold') response.end(name)
  }

const group = (id: string, hosts: readonly Entry[], more: Entry = {}): SiteDocuments => ({
  id,
  service: service(id, 'unused', { back_hosts: hosts, ...more }),
})

describe('backends', () => {
  const names = ['a', 'b', 'c'] as const
  let origins: Readonly<Record<(typeof names)[number], Listening>>
  let mortal: Readonly<Record<(typeof names)[number], Listening>>
  let plain: Listening
  let secure: Listening
  let http2: Listening
  let http2Secure: Listening
  let ailing: Listening
  let sites: Sites
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })

  const startThree = async (): Promise<typeof origins> => {
    const [a, b, c] = await Promise.all(names.map((name) => listening(createServer(holds(name)))))
    if (a === undefined || b === undefined || c === undefined) throw new Error('three were started')
    return { a, b, c }
  }

  function documents(): Documents {
    const { a, b, c } = origins
    const three = [backHost(a), backHost(b), backHost(c)]
    const quick = { max_fails: 1, fail_timeout: 1 }
    const both = [{ host: '127.0.0.1', http_ports: [plain.port], https_ports: [secure.port] }]
    return documentsOf([
      group('weights', [backHost(a, { weight: 3 }), backHost(b), backHost(c, { backup: true })]),
      group('one-down', [backHost(a, { weight: 1000, down: true }), backHost(b)]),
      group('fails', [
        backHost(mortal.a, { weight: 3, ...quick }),
        backHost(mortal.b, quick),
        backHost(mortal.c, { backup: true, ...quick }),
      ]),
      group('counts', [backHost(ailing, { max_fails: 3, fail_timeout: 1 })]),
      group('errors', [backHost(a, { max_fails: 1, fail_timeout: 60 })]),
      group('least', [backHost(a), backHost(b)], { sticky: 'least_conn' }),
      group('cookie', three, { sticky: 'autocookie' }),
      group('cookie-tls', three, { sticky: 'autocookie', transport_mode: 'http' }),
      group('strict', three, { sticky: 'autocookie', sticky_strict: true }),
      group('own-cookie', three, { sticky: 'customcookie', sticky_cookie_name: 'AWSALB' }),
      group('address', three, { sticky: 'iphash' }),
      group('default', both, { transport_mode: 'default' }),
      group('http', both, { transport_mode: 'http' }),
      group('https', both, { transport_mode: 'https' }),
      group('two-ports', [{ host: '127.0.0.1', https_ports: [secure.port, http2Secure.port] }], {
        transport_mode: 'https',
      }),
      group('bridge', [{ host: '127.0.0.1', http_ports: [9], https_ports: [9] }], {
        transport_mode: 'port_bridge',
      }),
      group('kept', [backHost(b)]),
      group('not-kept', [backHost(b)], { http11: false }),
      group('h2', [backHost(http2)], { http2: true }),
      group('h2-tls', [{ host: '127.0.0.1', https_ports: [http2Secure.port] }], {
        http2: true,
        transport_mode: 'https',
      }),
    ])
  }

  beforeAll(async () => {
    ;[origins, mortal] = await Promise.all([startThree(), startThree()])
    ;[plain, secure, http2, http2Secure, ailing] = await Promise.all([
      listening(createServer(says('plain'))),
      listening(createTlsServer({ cert, key }, says('secure'))),
      listening(createHttp2Server(tells('h2'))),
      listening(createSecureServer({ cert, key, allowHTTP1: true }, tells('h2-tls'))),
      listening(createServer(says('ailing'))),
    ])
    sites = await startSites({
      documents: documents(),
      listeners: [
        plainListener('http'),
        secureListener('https', ['*.example']),
        plainListener('one', origins.a.port),
        plainListener('two', origins.b.port),
        secureListener('tls', ['*.example'], secure.port),
      ],
    })
  })

  afterAll(async () => {
    agent.destroy()
    await sites.stop()
    const all = [origins, mortal].flatMap((three) => Object.values(three))
    await Promise.all([...all, plain, secure, http2, http2Secure, ailing].map((server) => server.stop()))
  })

  const get = (id: string, more: Partial<Sent> = {}): Promise<Answer> =>
    send({ port: sites.port, host: `${id}.example`, agent, ...more })

  /** One request over TLS. */
  const getSecure = (id: string, listener = 'https', more: Partial<Sent> = {}): Promise<Answer> => {
    const servername = `${id}.example`
    const socket = connectTls({ port: sites.portOf(listener), servername, rejectUnauthorized: false })
    return get(id, { socket, headers: [['connection', 'close']], ...more })
  }

  /** How many of so many requests each origin got; none may fail. */
  async function share(
    id: string,
    count: number,
    more: Partial<Sent> = {},
  ): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {}
    const one = async (): Promise<void> => {
      const { status, body } = await get(id, more)
      const who = status === 200 ? body : String(status)
      counts[who] = (counts[who] ?? 0) + 1
    }
    for (let sent = 0; sent < count; sent += 4)
      await Promise.all(Array.from({ length: Math.min(4, count - sent) }, one))
    return counts
  }

  describe('who is chosen', () => {
    test('E10: weights 3 and 1 share the requests to within 5 %, a backup gets none', async () => {
      const { a = 0, b = 0, ...others } = await share('weights', 1000)
      expect(others).toEqual({})
      expect(a + b).toBe(1000)
      expect(Math.abs(a - 750)).toBeLessThanOrEqual(50)
    })

    test('E11: a host that is down is skipped, whatever its weight', async () => {
      expect(await share('one-down', 20)).toEqual({ b: 20 })
    })

    test('E10: a backup takes over when the last primary is gone, and gives back', async () => {
      expect((await share('fails', 20))['c']).toBeUndefined()
      await mortal.a.stop()
      expect(await share('fails', 12)).toEqual({ b: 12 })
      await mortal.b.stop()
      expect(await share('fails', 12)).toEqual({ c: 12 })
      await Promise.all([mortal.a.again(), mortal.b.again()])
      await waitFor('both primaries serve again', async () => {
        const { a = 0, b = 0, c = 0 } = await share('fails', 12)
        expect(a + b + c).toBe(12)
        return a > 0 && b > 0 && c === 0 ? true : undefined
      })
    })

    test('1.3: a host is out after max_fails failed attempts and back after fail_timeout', async () => {
      const attempts = (): Promise<number> =>
        sites.envoy.stat('cluster.be|counts|http.upstream_cx_connect_fail')
      expect((await get('counts')).body).toBe('ailing')
      await ailing.stop()
      expect((await get('counts')).status).toBe(502)
      // The first request and its two retries are the three failures.
      expect(await attempts()).toBe(3)
      expect((await get('counts')).status).toBe(502)
      expect(await attempts()).toBe(3)
      await ailing.again()
      await waitFor('the host is back', async () => ((await get('counts')).status === 200 ? true : undefined))
      expect(await attempts()).toBe(3)
    })

    test('E12: errors that an origin answers eject nobody', async () => {
      const failing = await listening(createServer((_, response) => response.writeHead(500).end('failing')))
      await sites.publish(
        documentsOf([group('errors', [backHost(failing, { max_fails: 1, fail_timeout: 60 })])]),
      )
      for (let sent = 0; sent < 5; sent++)
        expect(await get('errors')).toMatchObject({ status: 500, body: 'failing' })
      await sites.publish(documents())
      await failing.stop()
    })

    test('1.3: least_conn prefers the host with fewer open requests', async () => {
      const before = await sites.envoy.stat('cluster.be|least|http.upstream_rq_active')
      expect(before).toBe(0)
      // What is held at each host; the one with fewer of them gets more of what follows.
      const held = await holdAt('least', origins.a, 30)
      const { a = 0, b = 0 } = await share('least', 300)
      expect(a + b).toBe(300)
      expect(b).toBeGreaterThan(190)
      held()
    })
  })

  /** Leaves requests open, all at one host. */
  async function holdAt(id: string, origin: Listening, count: number): Promise<() => void> {
    const other =
      origin === origins.a ? backHost(origins.b, { down: true }) : backHost(origins.a, { down: true })
    const only = documents()
    const services = (only['backend-services'] ?? []).map((entry) =>
      entry['id'] === id ? { ...entry, back_hosts: [backHost(origin), other] } : entry,
    )
    await sites.publish({ ...only, 'backend-services': services })
    const holding = new Agent()
    const requests = Array.from({ length: count }, () => get(id, { path: '/hold', agent: holding }))
    for (const request of requests) request.catch(() => undefined)
    await waitFor('the requests are open', async () =>
      (await sites.envoy.stat(`cluster.be|${id}|http.upstream_rq_active`)) === count ? true : undefined,
    )
    await sites.publish(documents())
    return () => holding.destroy()
  }

  describe('meeting the same host again', () => {
    const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0] ?? ''
    const withCookie = (cookie: string): Partial<Sent> => ({
      headers: [['cookie', cookie.split(';')[0] ?? '']],
    })

    test('1.3: none: hosts take turns', async () => {
      expect(Object.keys(await share('weights', 40)).toSorted()).toEqual(['a', 'b'])
    })

    test('E14: autocookie: the cookie leads back to the host, and says nothing of it', async () => {
      const hosts = new Set<string>()
      // Envoy makes the cookie of the connection's addresses, so that each client needs a connection of its own.
      for (let client = 0; client < 6 || (hosts.size < 2 && client < 200); client++) {
        const first = await send({ port: sites.port, host: 'cookie.example' })
        const cookie = cookieOf(first)
        expect(cookie).toMatch(/^weir_srv="?[0-9a-f]+"?; path=\/; SameSite=Lax; HttpOnly$/i)
        hosts.add(first.body)
        expect(await share('cookie', 4, withCookie(cookie))).toEqual({ [first.body]: 4 })
        expect((await get('cookie', withCookie(cookie))).headers['set-cookie']).toBeUndefined()
      }
      expect(hosts.size).toBeGreaterThan(1)
    })

    test('E14: autocookie over TLS: the cookie is Secure', async () => {
      const answer = await getSecure('cookie-tls')
      expect(cookieOf(answer)).toMatch(/; Secure; HttpOnly$/i)
    })

    test('2.5: sticky_strict: the cookie holds on to its host while that serves, and to another when it is down', async () => {
      const first = await get('strict')
      const cookie = cookieOf(first)
      expect(cookie).toMatch(/^weir_srv=.*SameSite=Lax/)
      expect(await share('strict', 8, withCookie(cookie))).toEqual({ [first.body]: 8 })
      const withDown = (name: string): Documents => {
        const all = documents()
        const hosts = names.map((one) => backHost(origins[one], { down: one === name }))
        const changed = (all['backend-services'] ?? []).map((entry) =>
          entry['id'] === 'strict' ? { ...entry, back_hosts: hosts } : entry,
        )
        return { ...all, 'backend-services': changed }
      }
      const [another = ''] = names.filter((name) => name !== first.body)
      await sites.publish(withDown(another))
      expect(await share('strict', 8, withCookie(cookie))).toEqual({ [first.body]: 8 })
      await sites.publish(withDown(first.body))
      const moved = await get('strict', withCookie(cookie))
      expect(moved.status).toBe(200)
      expect(moved.body).not.toBe(first.body)
      expect(await share('strict', 8, withCookie(cookieOf(moved)))).toEqual({ [moved.body]: 8 })
      await sites.publish(documents())
    })

    test("E14: customcookie: the origin's own cookie decides, and Weir sets none", async () => {
      const hosts = new Set<string>()
      // A cookie is made of chance: dozens of clients may have the same host, hundreds do not.
      for (let client = 0; client < 6 || (hosts.size < 2 && client < 200); client++) {
        const mine = withCookie(`AWSALB=client-${String(client)}`)
        const { body, headers } = await get('own-cookie', mine)
        expect(headers['set-cookie']).toBeUndefined()
        hosts.add(body)
        expect(await share('own-cookie', 4, mine)).toEqual({ [body]: 4 })
      }
      expect(hosts.size).toBeGreaterThan(1)
      expect(Object.keys(await share('own-cookie', 40)).length).toBeGreaterThan(1)
    })

    test('E13: iphash: each client address has its host', async () => {
      const hosts = new Set<string>()
      for (let client = 3; client < 15; client++) {
        const counts: Record<string, number> = {}
        for (let sent = 0; sent < 3; sent++) {
          const from = new Agent({ localAddress: `127.0.0.${String(client)}` })
          const { body } = await get('address', { agent: from })
          from.destroy()
          counts[body] = (counts[body] ?? 0) + 1
        }
        expect(Object.keys(counts)).toHaveLength(1)
        hosts.add(Object.keys(counts)[0] ?? '')
      }
      expect(hosts.size).toBeGreaterThan(1)
    })
  })

  describe('how origins are reached', () => {
    test.each([
      ['default', 'plain', 'secure'],
      ['http', 'plain', 'plain'],
      ['https', 'secure', 'secure'],
    ])('1.3: transport_mode %s: plaintext requests go to %s, those over TLS to %s', async (...row) => {
      const [mode, fromPlain, fromTls] = row
      expect((await get(mode)).body).toBe(fromPlain)
      expect((await getSecure(mode)).body).toBe(fromTls)
    })

    test('E15: each of several https_ports is an endpoint', async () => {
      const counts = await share('two-ports', 20)
      expect(counts).toEqual({ secure: 10, 'h2-tls 1.1': 10 })
    })

    test('E16: port_bridge: a request arrives at the port that the client used', async () => {
      expect((await get('bridge', { port: sites.portOf('one') })).body).toBe('a')
      expect((await get('bridge', { port: sites.portOf('two') })).body).toBe('b')
    })

    test("E16: port_bridge: with the request's own scheme", async () => {
      expect((await getSecure('bridge', 'tls')).body).toBe('secure')
    })

    test('1.3: http11 true keeps a connection for many requests, false takes one for each', async () => {
      const used = async (id: string): Promise<number> => {
        const before = origins.b.connections()
        for (let sent = 0; sent < 5; sent++) expect((await get(id)).body).toBe('b')
        return origins.b.connections() - before
      }
      expect(await used('kept')).toBe(1)
      expect(await used('not-kept')).toBe(5)
    })

    test('1.3: http2: prior knowledge on plaintext, ALPN on TLS', async () => {
      expect((await get('h2')).body).toBe('h2 2.0')
      expect((await get('h2-tls')).body).toBe('h2-tls 2.0')
    })
  })
})
