// Where a template draws the line, on a running Envoy with real origins and the real filter: time for headers, bodies, answers
// and idle connections, sizes of headers, requests of one address (spec control-plane 1.4, 2.7). Time-outs are the lowest that
// a template takes; what is shown is the outcome, not the second.
import { once } from 'node:events'
import { type ServerResponse, createServer } from 'node:http'
import { connect as connectHttp2, constants } from 'node:http2'
import { type Socket, connect, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, type Sent, send, sendRaw } from './support/http.ts'
import { type Listening, listening, says, startDeaf } from './support/listening.ts'
import { type Sites, backHost, documentsOf, service, startSites } from './support/sites.ts'
import { closed } from './support/steered.ts'
import { waitFor } from './support/weir.ts'

const unread = { content_filter_profile_active: false }

const lowest = {
  client_header_timeout: '1',
  client_body_timeout: '1',
  keepalive_timeout: '1',
  send_timeout: '1',
  proxy_connect_timeout: '1',
  proxy_send_timeout: '1',
  proxy_read_timeout: '1',
  request_timeout: '3',
}

/** `/silent` never answers, `/stalls` begins to, `/floods` writes more than anybody buffers. */
function misbehave(url: string, response: ServerResponse): void {
  if (url === '/silent') return
  if (url === '/stalls') response.writeHead(200, { 'content-length': '100' }).write('the beginning')
  else if (url === '/floods') response.end(Buffer.alloc(64 * 2 ** 20))
  else response.end('app')
}

/** Longer headers than Node takes by default. */
const patient = { maxHeaderSize: 2 ** 20, maxHeadersCount: 1000 }

type Lines = readonly (readonly [string, string])[]

const manyHeaders = (count: number): Lines => Array.from({ length: count }, (_, i) => [`x-${String(i)}`, '1'])

describe('limits', () => {
  const floods: ServerResponse[] = []
  let resets = 0
  let app: Listening
  let resetting: Listening
  let deaf: Awaited<ReturnType<typeof startDeaf>>
  let sites: Sites

  beforeAll(async () => {
    const reset = (socket: Socket): void => {
      socket.once('data', () => {
        resets++
        socket.destroy()
      })
    }
    ;[app, resetting, deaf] = await Promise.all([
      listening(
        createServer(patient, (request, response) => {
          const { url = '' } = request
          if (url === '/floods') floods.push(response)
          request.resume()
          request.on('end', () => misbehave(url, response))
        }),
      ),
      listening(createTcpServer(reset)),
      startDeaf(),
    ])
    sites = await startSites({
      documents: documentsOf(
        [
          { id: 'read', service: service('app', app) },
          { id: 'unread', service: service('app', app), entry: unread },
          // With a short one an attempt would end as a silent origin.
          { id: 'deaf', service: service('deaf', deaf), template: { proxy_read_timeout: '60' } },
          { id: 'resetting', service: service('resetting', resetting) },
          {
            id: 'rated',
            service: service('app', app),
            template: { limit_req_rate: '1', limit_req_burst: '20' },
          },
        ],
        lowest,
      ),
    })
  })
  afterAll(async () => {
    await sites.stop()
    await Promise.all([app, resetting, deaf].map((one) => one.stop()))
  })

  const get = (id: string, more: Partial<Sent> = {}): Promise<Answer> =>
    send({ port: sites.port, host: `${id}.example`, ...more })

  const head = (id: string, ...lines: readonly string[]): string =>
    ['POST / HTTP/1.1', `Host: ${id}.example`, ...lines, ''].join('\r\n')

  /** Writes a piece again and again until the connection ends, and returns what came back. */
  async function drip(first: string, piece: string): Promise<string> {
    const socket = connect(sites.port, '127.0.0.1')
    socket.on('error', () => undefined)
    let received = ''
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
    await once(socket, 'connect')
    socket.write(first)
    const dripping = setInterval(() => socket.write(piece), 200)
    await closed(socket)
    clearInterval(dripping)
    return received
  }

  /** Two requests, a pause, and what the connection brought until it was closed. */
  async function keepOpen(): Promise<string> {
    const socket = connect(sites.port, '127.0.0.1')
    await once(socket, 'connect')
    let received = ''
    for (let sent = 0; sent < 2; sent++) {
      socket.write('GET / HTTP/1.1\r\nHost: read.example\r\n\r\n')
      const [answer] = (await once(socket, 'data')) as [Buffer]
      received += answer.toString()
    }
    socket.resume()
    await closed(socket)
    return received
  }

  describe('slow clients', () => {
    const timedOut = /^HTTP\/1\.1 408 /
    const slow: readonly (readonly [says: string, run: () => Promise<string>, outcome: RegExp])[] = [
      ['2.7: headers that stop get 408', () => sendRaw(sites.port, head('read', 'X-A: 1')), timedOut],
      ['2.7: headers that come line by line get 408', () => drip(head('read'), 'X-A: 1\r\n'), timedOut],
      ['2.7: a connection on which nothing is said is closed', () => sendRaw(sites.port, ''), /^$/],
      ...['read', 'unread'].flatMap((id) => [
        [
          `E21: a body that stops gets 408 (${id})`,
          () => sendRaw(sites.port, `${head(id, 'Content-Length: 10')}\r\nabc`),
          timedOut,
        ] as const,
        [
          `2.7: a body that comes byte by byte gets 408 after request_timeout (${id})`,
          () => drip(`${head(id, 'Content-Length: 1000')}\r\n`, 'a'),
          timedOut,
        ] as const,
      ]),
      [
        '1.4: keepalive_timeout: an idle connection is closed when it has served',
        keepOpen,
        /^HTTP\/1\.1 200 [^]*HTTP\/1\.1 200 /,
      ],
    ]
    // All of them at once, because all they do is wait.
    let outcomes: readonly PromiseSettledResult<string>[]
    beforeAll(async () => {
      outcomes = await Promise.allSettled(slow.map(([, run]) => run()))
    })

    slow.forEach(([saysWhat, , outcome], i) => {
      test(saysWhat, () => {
        expect(outcomes[i]).toEqual({ status: 'fulfilled', value: expect.stringMatching(outcome) })
      })
    })

    test('2.7: send_timeout over HTTP/1.1: a client that reads nothing is given up', async () => {
      const socket = connect(sites.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write('GET /floods HTTP/1.1\r\nHost: unread.example\r\n\r\n')
      const flood = await waitFor('the origin answers', () => floods.shift())
      await closed(flood)
      expect(flood.writableFinished).toBe(false)
      socket.destroy()
    })

    test('2.7: send_timeout over HTTP/2: a stream that nobody reads is given up', async () => {
      const session = connectHttp2(`http://127.0.0.1:${String(sites.port)}`)
      session.on('error', () => undefined)
      const stream = session.request({ ':path': '/floods', ':authority': 'unread.example' })
      stream.on('error', () => undefined)
      const flood = await waitFor('the origin answers', () => floods.shift())
      await closed(flood)
      expect(flood.writableFinished).toBe(false)
      session.destroy()
    })
  })

  describe('slow and broken origins', () => {
    test('E21: proxy_read_timeout: an origin that is silent yields 504', async () => {
      expect(await get('read', { path: '/silent' })).toMatchObject({ status: 504 })
    })

    test('2.7: proxy_read_timeout: an answer that stops is cut', async () => {
      await expect(get('read', { path: '/stalls' })).rejects.toThrow('aborted')
    })

    test('2.7: proxy_connect_timeout: an origin that does not accept yields 504', async () => {
      expect(await get('deaf')).toMatchObject({ status: 504 })
    })

    test('2.7: an origin that closes without an answer yields 502, and is not asked twice', async () => {
      expect(await get('resetting', { method: 'POST', body: 'order' })).toMatchObject({ status: 502 })
      expect(resets).toBe(1)
    })
  })

  describe('headers', () => {
    const long = (kilobytes: number): Lines => [['x-long', 'x'.repeat(kilobytes * 1024)]]

    test('E20: a block of 130 KB gets 431, one of 100 KB passes', async () => {
      expect(await get('unread', { headers: long(130) })).toMatchObject({ status: 431 })
      expect(await get('unread', { headers: long(100) })).toMatchObject({ status: 200 })
    })

    test.each([
      ['count', (extra: number): Lines => manyHeaders(180 + extra)],
      ['size', (extra: number): Lines => [['x-long', 'x'.repeat(128 * 1024 - 400 + 10 * extra)]]],
    ])(
      '2.7: up to the limit and beyond there is only 200 and 431, what Weir adds included (%s)',
      async (_what, headersOf) => {
        const statuses: number[] = []
        for (let extra = 0; extra < 40; extra++)
          statuses.push((await get('unread', { headers: headersOf(extra) })).status)
        const first = statuses.indexOf(431)
        expect(first).toBeGreaterThan(0)
        expect(statuses.slice(0, first).every((status) => status === 200)).toBe(true)
        expect(statuses.slice(first).every((status) => status === 431)).toBe(true)
      },
    )

    test('2.7: over HTTP/2 the stream is refused, the connection goes on', async () => {
      const session = connectHttp2(`http://127.0.0.1:${String(sites.port)}`)
      const ask = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
        const stream = session.request({ ':path': '/', ':authority': 'unread.example', ...headers })
        stream.on('error', () => undefined)
        stream.resume()
        const [first] = (await Promise.race([
          once(stream, 'response'),
          closed(stream).then(() => [{ ':status': stream.rstCode }]),
        ])) as [Readonly<Record<string, unknown>>]
        return first[':status']
      }
      const refused = [431, constants.NGHTTP2_PROTOCOL_ERROR, constants.NGHTTP2_INTERNAL_ERROR]
      expect(refused).toContain(await ask(Object.fromEntries(manyHeaders(210))))
      expect(await ask({})).toBe(200)
      session.destroy()
    })
  })

  describe('requests per second', () => {
    const from = (last: number, path = '/'): Promise<Answer> => {
      const socket = connect({ port: sites.port, host: '127.0.0.1', localAddress: `127.0.0.${String(last)}` })
      return get('rated', { socket, path, headers: [['connection', 'close']] })
    }

    test('E22: the burst passes at once, what is above it gets 503, by address and not by path', async () => {
      const answers = await Promise.all(
        Array.from({ length: 25 }, (_, i) => from(7, i % 2 === 0 ? '/a' : '/b')),
      )
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
      expect(statuses).toEqual([...Array<number>(21).fill(200), ...Array<number>(4).fill(503)])
      expect(await from(8)).toMatchObject({ status: 200 })
      await waitFor('one more passes', async () => ((await from(7)).status === 200 ? true : undefined))
    })
  })
})

describe('keepalive_timeout 0', () => {
  let app: Listening
  let sites: Sites

  beforeAll(async () => {
    app = await listening(createServer(says('app')))
    const none = { keepalive_timeout: '0' }
    sites = await startSites({
      documents: documentsOf(
        [{ id: 'app', service: service('app', 'unused', { back_hosts: [backHost(app)] }) }],
        none,
      ),
    })
  })
  afterAll(async () => {
    await sites.stop()
    await app.stop()
  })

  test('1.4: a connection serves one request, and ends', async () => {
    const answer = await sendRaw(sites.port, 'GET / HTTP/1.1\r\nHost: app.example\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n[^]*app$/)
  })
})
