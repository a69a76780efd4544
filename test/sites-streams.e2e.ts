// What does not fit into request and answer, on a running Envoy with real origins and the real filter: WebSocket, gRPC,
// server-sent events, ends that come early (spec control-plane 2.5, 2.6). Origin and client are steered by the test, so that what is shown is order, not speed.
import { once } from 'node:events'
import { type ClientRequest, createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import {
  Client,
  type ClientDuplexStream,
  Server as GrpcServer,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  credentials,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { send, sendRaw } from './support/http.ts'
import { type Listening, listening } from './support/listening.ts'
import { type Sites, backHost, documentsOf, service, startSites } from './support/sites.ts'
import { type Begun, answerTo, beginRequest, chunkOf, closed, restOf, steered } from './support/steered.ts'
import { waitFor } from './support/weir.ts'
import { acceptWebSocket } from './support/websocket.ts'

/** The base documents have a rule for it. */
const attack = 'xp_cmdshell'

const asIs = (bytes: Buffer): Buffer => bytes
const method = (path: string, streams: boolean) => ({
  path,
  requestStream: streams,
  responseStream: streams,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
})
const unary = '/shop.Catalogue/Find'
const chat = '/shop.Support/Chat'

async function startGrpc(): Promise<{ readonly port: number; stop(): void }> {
  const server = new GrpcServer()
  server.addService(
    { find: method(unary, false), chat: method(chat, true) },
    {
      find({ request }: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        if (request.toString() === 'unknown') answer({ code: 5, details: 'no such thing' })
        else answer(null, Buffer.from(`found ${request.toString()}`))
      },
      chat(call: ServerDuplexStream<Buffer, Buffer>) {
        call.on('data', (message: Buffer) => call.write(Buffer.from(`heard ${message.toString()}`)))
        call.on('end', () => call.end())
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  return { port, stop: () => server.forceShutdown() }
}

describe('streams', () => {
  const origin = steered()
  let origins: readonly Listening[]
  let grpc: { readonly port: number; stop(): void }
  let sites: Sites

  beforeAll(async () => {
    const webSocket = createServer((_, response) => response.end('plain'))
    webSocket.on('upgrade', acceptWebSocket)
    grpc = await startGrpc()
    origins = await Promise.all([listening(origin.server), listening(webSocket)])
    const [app, chats] = origins
    if (app === undefined || chats === undefined) throw new Error('two were started')
    const unread = { content_filter_profile_active: false }
    const impatient = {
      client_body_timeout: '1',
      proxy_read_timeout: '1',
      proxy_send_timeout: '1',
    }
    const http2 = { back_hosts: [backHost(grpc)], http2: true }
    sites = await startSites({
      documents: documentsOf([
        { id: 'read', service: service('app', app) },
        { id: 'unread', service: service('app', app), entry: unread },
        { id: 'impatient', service: service('app', app), entry: unread, template: impatient },
        {
          id: 'chats',
          service: service('chats', chats),
          template: impatient,
          group: { server_names: ['127.0.0.1', 'chats.example'] },
        },
        { id: 'no-chats', service: service('chats', chats), template: { websocket: false } },
        { id: 'grpc', service: service('grpc', 'unused', http2), template: impatient, entry: { grpc: true } },
        { id: 'not-grpc', service: service('grpc', 'unused', http2) },
      ]),
    })
  })

  afterAll(async () => {
    await sites.stop()
    grpc.stop()
    await Promise.all(origins.map((one) => one.stop()))
  })

  describe('WebSocket', () => {
    type Chat = { readonly socket: WebSocket; next(): Promise<string> }

    async function open(): Promise<Chat> {
      const socket = new WebSocket(`ws://127.0.0.1:${String(sites.port)}/chat`)
      const heard: string[] = []
      socket.addEventListener('message', ({ data }) => heard.push(String(data)))
      await once(socket, 'open')
      return { socket, next: () => waitFor('a frame', () => heard.shift()) }
    }

    test('E26: frames pass both ways, and the handshake was judged', async () => {
      const before = sites.judged.length
      const chatting = await open()
      expect(await chatting.next()).toBe('hello')
      for (const text of ['one', 'two']) {
        chatting.socket.send(text)
        expect(await chatting.next()).toBe(`you said ${text}`)
      }
      expect(sites.judged.length).toBe(before + 1)
      chatting.socket.close()
    })

    test('2.5: a silent one outlives the time-outs of requests', async () => {
      const chatting = await open()
      await chatting.next()
      await pause(2500)
      chatting.socket.send('still there?')
      expect(await chatting.next()).toBe('you said still there?')
      chatting.socket.close()
    })

    test('E26: websocket false: the upgrade gets 403 unasked, other requests are unaffected', async () => {
      const before = sites.judged.length
      const upgrade =
        'GET / HTTP/1.1\r\nHost: no-chats.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
      expect(await sendRaw(sites.port, upgrade, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 403 /)
      expect(sites.judged.length).toBe(before)
      expect(await send({ port: sites.port, host: 'no-chats.example' })).toMatchObject({ status: 200 })
    })

    test('2.5: an attack in the handshake is refused', async () => {
      const upgrade = `GET /?q=${attack} HTTP/1.1\r\nHost: chats.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
      expect(await sendRaw(sites.port, upgrade, '\r\n\r\n')).toMatch(/^HTTP\/1\.1 473 /)
    })
  })

  describe('gRPC', () => {
    const clients: Client[] = []
    const clientOf = (host: string): Client => {
      const client = new Client(`127.0.0.1:${String(sites.port)}`, credentials.createInsecure(), {
        'grpc.default_authority': host,
      })
      clients.push(client)
      return client
    }
    afterAll(() => {
      for (const client of clients) client.close()
    })

    const find = (host: string, what: string): Promise<string> =>
      new Promise((resolve, reject) => {
        clientOf(host).makeUnaryRequest(unary, asIs, asIs, Buffer.from(what), (error, found) =>
          error ? reject(error) : resolve(String(found)),
        )
      })

    const openChat = (host: string): ClientDuplexStream<Buffer, Buffer> =>
      clientOf(host).makeBidiStreamRequest(chat, asIs, asIs)

    async function ask(stream: ClientDuplexStream<Buffer, Buffer>, text: string): Promise<string> {
      const answered = once(stream, 'data') as Promise<[Buffer]>
      stream.write(Buffer.from(text))
      const [heard] = await answered
      return heard.toString()
    }

    test('E26: a unary call, and the status in the trailers', async () => {
      expect(await find('grpc.example', 'lamp')).toBe('found lamp')
      await expect(find('grpc.example', 'unknown')).rejects.toMatchObject({
        code: 5,
        details: 'no such thing',
      })
      expect(sites.judged.at(-1)?.input.body).toBeUndefined()
    })

    test('E26: bidirectional: each message is answered before the next is sent', async () => {
      const stream = openChat('grpc.example')
      for (const text of ['one', 'two', 'three']) expect(await ask(stream, text)).toBe(`heard ${text}`)
      const ended = once(stream, 'end')
      stream.end()
      await ended
    })

    test('2.5: a silent call outlives the time-outs of requests', async () => {
      const stream = openChat('grpc.example')
      expect(await ask(stream, 'one')).toBe('heard one')
      await pause(2500)
      expect(await ask(stream, 'two')).toBe('heard two')
      stream.end()
    })

    test('2.5: without grpc: true a body that calls itself gRPC is read like any other', async () => {
      expect(await find('not-grpc.example', 'lamp')).toBe('found lamp')
      expect(sites.judged.at(-1)?.input.body).toBeDefined()
      const sent = {
        port: sites.port,
        host: 'not-grpc.example',
        method: 'POST',
        headers: [['content-type', 'application/grpc+json']],
        body: JSON.stringify({ q: attack }),
      } as const
      // Envoy hides statuses of gRPC calls in a 200.
      expect((await send(sent)).headers).toHaveProperty('grpc-status')
      expect(sites.judged.at(-1)?.decision.action).toBe('block')
    })
  })

  const begin = (host: string, headers: Begun['headers'] = {}): ClientRequest =>
    beginRequest({ port: sites.port, host, headers })

  describe('answers', () => {
    test('2.6: server-sent events: the first is there before the second is written', async () => {
      const request = begin('read.example', { 'content-length': '0' })
      request.end()
      const { response } = await origin.next()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      const events = await answerTo(request)
      expect(await chunkOf(events)).toBe('data: 1\n\n')
      response.write('data: 2\n\n')
      expect(await chunkOf(events)).toBe('data: 2\n\n')
      response.end()
      expect(await restOf(events)).toBe('')
    })

    test('2.5: server-sent events end after proxy_read_timeout of silence', async () => {
      const request = begin('impatient.example', { 'content-length': '0' })
      request.end()
      const { response } = await origin.next()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      const events = await answerTo(request)
      expect(await chunkOf(events)).toBe('data: 1\n\n')
      await Promise.all([closed(events), closed(response)])
      expect(events.complete).toBe(false)
    })

    test('2.6: a client that goes away during a download takes the request to the origin with it', async () => {
      const request = begin('read.example', { 'content-length': '0' })
      request.end()
      const { response } = await origin.next()
      response.write('the beginning')
      await chunkOf(await answerTo(request))
      const gone = closed(response)
      request.destroy()
      await gone
      expect(response.writableFinished).toBe(false)
    })

    test('2.6: an answer before the upload has ended reaches the client', async () => {
      const request = begin('unread.example', { 'content-length': '1000' })
      request.write('the beginning')
      const { response } = await origin.next()
      response.writeHead(409).end('no need for more')
      const early = await answerTo(request)
      expect(early.statusCode).toBe(409)
      expect(await restOf(early)).toBe('no need for more')
      request.destroy()
    })
  })
})
