// Bodies of requests on a running Envoy with real origins and the real filter: what streams, what is held back, what is too
// large (spec control-plane 2.6, 2.7). Origin and client are steered by the test, so that what is shown is order, not speed.
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type Socket, connect, createServer as createTcpServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, send, sendRaw } from './support/http.ts'
import { type Listening, listening } from './support/listening.ts'
import { type Arrived, type Origin, startOrigin } from './support/origin.ts'
import { type SiteDocuments, type Sites, documentsOf, service, startSites } from './support/sites.ts'
import { type Begun, answerTo, beginRequest, chunkOf, closed, restOf, steered } from './support/steered.ts'
import { waitFor } from './support/weir.ts'

const unread = { content_filter_profile_active: false }
const megabyte = 2 ** 20

describe('uploads', () => {
  const origin = steered()
  let app: Listening
  let sites: Sites

  beforeAll(async () => {
    app = await listening(origin.server)
    sites = await startSites({
      documents: documentsOf([
        { id: 'read', service: service('app', app) },
        { id: 'unread', service: service('app', app), entry: unread },
      ]),
    })
  })
  afterAll(async () => {
    await sites.stop()
    await app.stop()
  })

  const begin = (host: string, headers: Begun['headers'] = {}) =>
    beginRequest({ port: sites.port, host, headers })

  test('2.6: the origin gets the first byte while the client has sent no more', async () => {
    const request = begin('unread.example', { 'content-length': '10' })
    request.write('first')
    const exchange = await origin.next()
    expect(await chunkOf(exchange.request)).toBe('first')
    request.end('-last')
    expect(await restOf(exchange.request)).toBe('-last')
    exchange.response.end('taken')
    expect(await restOf(await answerTo(request))).toBe('taken')
  })

  test('2.6: where the body is read, nothing reaches the origin before it was judged', async () => {
    const before = sites.judged.length
    const request = begin('read.example', { 'content-length': '10' })
    request.write('first')
    request.end('-last')
    const exchange = await origin.next()
    expect(sites.judged.length).toBe(before + 1)
    expect(sites.judged.at(-1)?.input.body?.bytes.length).toBe(10)
    expect(await restOf(exchange.request)).toBe('first-last')
    exchange.response.end()
    await answerTo(request)
  })

  test('2.6: a client that goes away during an upload takes the request to the origin with it', async () => {
    const request = begin('unread.example', { 'content-length': '1000' })
    request.write('the beginning')
    const exchange = await origin.next()
    exchange.request.on('error', () => undefined)
    expect(await chunkOf(exchange.request)).toBe('the beginning')
    const gone = closed(exchange.request)
    request.destroy()
    await gone
    expect(exchange.request.complete).toBe(false)
  })

  test.each(['read', 'unread'])('2.12: Expect: 100-continue is answered (%s)', async (site) => {
    const request = begin(`${site}.example`, { expect: '100-continue', 'content-length': '4' })
    await once(request, 'continue')
    request.end('body')
    const exchange = await origin.next()
    expect(await restOf(exchange.request)).toBe('body')
    exchange.response.end('taken')
    expect((await answerTo(request)).statusCode).toBe(200)
  })

  test('2.3: trailers of an HTTP/1 request do not become headers, nor another request', async () => {
    const asked = sendRaw(
      sites.port,
      'POST / HTTP/1.1\r\nHost: unread.example\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\nab\r\n0\r\nX-Real-IP: 6.6.6.6\r\nX-Late: 1\r\n\r\n',
    )
    const exchange = await origin.next()
    expect(await restOf(exchange.request)).toBe('ab')
    expect(exchange.request.headers['x-real-ip']).toBe('127.0.0.1')
    expect(exchange.request.headers['x-late']).toBeUndefined()
    expect(exchange.request.trailers).not.toHaveProperty('x-real-ip')
    exchange.response.end()
    expect(await asked).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('bodies and their limits', () => {
  let origin: Origin
  let sites: Sites

  const kinds = ['read', 'unread'] as const
  const ways = ['stream', 'limit', 'length_required'] as const
  const overflows = ['auto', 'reject', 'partial'] as const

  beforeAll(async () => {
    origin = await startOrigin('app')
    const app = service('app', origin)
    const pair = (way: (typeof ways)[number]): readonly SiteDocuments[] =>
      kinds.map((kind) => ({
        id: `${way}-${kind}`.replace('_', '-'),
        service: app,
        template: { client_max_body_size: '1', client_body_buffer_size: '64', unsized_body: way },
        entry: kind === 'read' ? {} : unread,
      }))
    sites = await startSites({
      documents: documentsOf([
        ...ways.flatMap(pair),
        { id: 'roomy', service: app },
        ...overflows.map((overflow) => ({
          id: overflow,
          service: app,
          template: { client_body_buffer_size: '64', body_overflow: overflow },
        })),
      ]),
    })
  })
  afterAll(async () => {
    await sites.stop()
    await origin.stop()
  })

  const octets = ['content-type', 'application/octet-stream'] as const
  const post = (id: string, body: Buffer, framing: 'length' | 'chunked' = 'length'): Promise<Answer> =>
    send({ port: sites.port, host: `${id}.example`, method: 'POST', headers: [octets], body, framing })
  const bytesOf = ({ body }: Pick<Answer, 'body'>): number => (JSON.parse(body) as Arrived).bodyBytes

  /** The status of a request whose answer comes before its end. */
  async function statusOf(id: string, lines: readonly string[], body: string | Buffer = ''): Promise<number> {
    const head = ['POST / HTTP/1.1', `Host: ${id}.example`, ...lines, '', ''].join('\r\n')
    const answer = await sendRaw(
      sites.port,
      Buffer.concat([Buffer.from(head), Buffer.from(body)]),
      '\r\n\r\n',
    )
    return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])
  }
  const chunk = (body: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])

  test('E23: a declared length over client_max_body_size gets 413 before a byte of the body', async () => {
    const before = origin.arrived.length
    expect(await statusOf('stream-unread', ['Content-Length: 2000000'])).toBe(413)
    expect(await statusOf('stream-unread', [`Content-Length: ${String(megabyte + 1)}`])).toBe(413)
    expect(sites.judged.at(-1)?.decision.record.reason).toBe('General: request body too large')
    expect(origin.arrived.length).toBe(before)
  })

  test('E23: also where the body is read', async () => {
    const body = Buffer.alloc(megabyte + 1)
    const lines = ['Content-Type: application/octet-stream', `Content-Length: ${String(body.length)}`]
    expect(await statusOf('stream-read', lines, body)).toBe(413)
  })

  test.each(kinds)('E23: exactly client_max_body_size passes (%s)', async (kind) => {
    const answer = await post(`stream-${kind}`, Buffer.alloc(megabyte))
    expect(answer.status).toBe(200)
    expect(bytesOf(answer)).toBe(megabyte)
  })

  const large = Buffer.alloc(2 * megabyte)

  test.each(kinds)('2.6: unsized_body stream: a body without length passes uncounted (%s)', async (kind) => {
    const answer = await post(`stream-${kind}`, large, 'chunked')
    expect(answer.status).toBe(200)
    expect(bytesOf(answer)).toBe(large.length)
  })

  test.each(kinds)(
    '2.6: unsized_body limit: a body without length ends at client_max_body_size with 413 (%s)',
    async (kind) => {
      const lines = ['Transfer-Encoding: chunked', 'Content-Type: application/octet-stream']
      const before = origin.arrived.length
      expect(await statusOf(`limit-${kind}`, lines, chunk(large))).toBe(413)
      expect(origin.arrived.length).toBe(before)
      expect(bytesOf(await post(`limit-${kind}`, Buffer.alloc(100_000), 'chunked'))).toBe(100_000)
    },
  )

  test.each(kinds)('2.6: unsized_body length_required: a body without length gets 411 (%s)', async (kind) => {
    const before = origin.arrived.length
    const lines = ['Transfer-Encoding: chunked', 'Content-Type: application/octet-stream']
    expect(await statusOf(`length-required-${kind}`, lines, chunk(Buffer.from('body')))).toBe(411)
    expect(origin.arrived.length).toBe(before)
    expect(bytesOf(await post(`length-required-${kind}`, Buffer.from('body')))).toBe(4)
    expect(await send({ port: sites.port, host: `length-required-${kind}.example` })).toMatchObject({
      status: 200,
    })
  })

  /** A POST over HTTP/2 that declares no length. */
  async function postHttp2(id: string, body: Buffer): Promise<Pick<Answer, 'status' | 'body'>> {
    const session = connectHttp2(`http://127.0.0.1:${String(sites.port)}`)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/',
      ':authority': `${id}.example`,
      'content-type': 'application/octet-stream',
    })
    stream.end(body)
    const [headers] = (await once(stream, 'response')) as [Readonly<Record<string, unknown>>]
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk as Buffer)
    session.destroy()
    return { status: Number(headers[':status']), body: Buffer.concat(chunks).toString() }
  }

  test.each(kinds)('2.6: unsized_body length_required over HTTP/2 (%s)', async (kind) => {
    expect((await postHttp2(`length-required-${kind}`, Buffer.from('body'))).status).toBe(411)
  })

  test.each(['roomy', 'stream-read', 'stream-unread'])(
    '2.4: a body far beyond the windows of HTTP/2 arrives whole (%s)',
    async (id) => {
      const body = Buffer.alloc(900_000, 'x')
      const answer = await postHttp2(id, body)
      expect(answer.status).toBe(200)
      expect(bytesOf(answer)).toBe(body.length)
      const held = { roomy: body.length, 'stream-read': 65_536 }[id]
      expect(sites.judged.at(-1)?.input.body?.bytes.length).toBe(held)
    },
  )

  test.each([
    ['auto', 'JSON', 413],
    ['auto', 'multipart', 200],
    ['reject', 'JSON', 413],
    ['reject', 'multipart', 413],
    ['partial', 'JSON', 200],
    ['partial', 'multipart', 200],
  ] as const)('E25: body_overflow %s: %s beyond the buffer → %i', async (...[overflow, kind, status]) => {
    const [type, body] =
      kind === 'JSON'
        ? ['application/json', JSON.stringify({ a: 'x'.repeat(200_000) })]
        : [
            'multipart/form-data; boundary=b',
            `--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n${'x'.repeat(200_000)}\r\n--b--\r\n`,
          ]
    const lines = [`Content-Type: ${type}`, `Content-Length: ${String(body.length)}`]
    expect(await statusOf(overflow, lines, body)).toBe(status)
    const tags = sites.judged.at(-1)?.decision.record.tags ?? []
    expect(tags.includes('body-partial')).toBe(true)
  })
})

describe('a body of 1 GB', () => {
  const total = 2 ** 30
  let received = 0
  let started: (() => void) | undefined
  let gate = Promise.resolve()
  let origin: Listening
  let sites: Sites

  /** Counts, and answers when all is there. */
  function count(socket: Socket): void {
    let head = ''
    let body = -1
    socket.on('data', (chunk: Buffer) => {
      if (body < 0) {
        head += chunk.toString('latin1')
        const end = head.indexOf('\r\n\r\n')
        if (end < 0) return
        body = head.length - end - 4
        received = body
        socket.pause()
        void gate.then(() => socket.resume())
      } else {
        body += chunk.length
        received = body
      }
      if (body > 0) started?.()
      if (body === total) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    })
  }

  beforeAll(async () => {
    origin = await listening(createTcpServer(count))
    sites = await startSites({
      documents: documentsOf([{ id: 'unread', service: service('app', origin), entry: unread }], {
        client_max_body_size: '2048',
      }),
    })
  })
  afterAll(async () => {
    await sites.stop()
    await origin.stop()
  })

  const allocated = async (): Promise<number> => {
    const { allocated: bytes } = JSON.parse(await sites.envoy.get('/memory')) as { allocated: string }
    return Number(bytes)
  }

  test('E24: streams in constant memory of Envoy, its first byte arrives before its last is sent, and a slow origin slows the client', async () => {
    let open: () => void = () => undefined
    gate = new Promise((resolve) => (open = resolve))
    const begun = new Promise<void>((resolve) => (started = resolve))
    const before = await allocated()
    let most = before
    const look = async (): Promise<void> => {
      most = Math.max(most, await allocated())
    }
    const client = connect(sites.port, '127.0.0.1')
    const answered = once(client, 'data') as Promise<[Buffer]>
    client.write(`POST / HTTP/1.1\r\nHost: unread.example\r\nContent-Length: ${String(total)}\r\n\r\n`)
    const zeros = Buffer.alloc(megabyte)
    let written = 0
    const write = async (): Promise<void> => {
      for (; written < total; written += zeros.length) if (!client.write(zeros)) await once(client, 'drain')
    }
    const writing = write()
    await begun
    expect(client.bytesWritten).toBeLessThan(total)
    // The origin does not read: what has been sent stops growing.
    await waitFor('the client is slowed down', async () => {
      const sent = client.bytesWritten
      await pause(100)
      return client.bytesWritten === sent ? true : undefined
    })
    expect(client.bytesWritten).toBeLessThan(64 * megabyte)
    await look()
    open()
    const watching = setInterval(() => void look(), 100)
    await writing
    const [answer] = await answered
    clearInterval(watching)
    await look()
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /)
    expect(received).toBe(total)
    expect(most - before).toBeLessThan(10 * megabyte)
    client.destroy()
  })
})
