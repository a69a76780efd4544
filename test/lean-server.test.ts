// The sockets under the lean transport: TCP, TLS, Unix; peers that read nothing, say nothing, or speak something else. The client is
// Node's own HTTP/2.
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import tls from 'node:tls'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  callFields,
  callFrames,
  clientGreeting,
  dataFrame,
  framesIn,
  headersFrame,
  inWords,
  messageOf,
  ping,
  settings,
  windowUpdate,
} from '../src/envoy/grpc/connection.fixture.ts'
import { settingId } from '../src/envoy/grpc/frames.ts'
import { type EchoServer, startEcho } from './support/echo-server.ts'
import { makePair } from './support/pki.ts'

let folder: string
let closers: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-lean-'))
  closers = []
})
afterEach(async () => {
  for (const close of closers.toReversed()) await close()
  rmSync(folder, { recursive: true })
})

async function start(...options: Parameters<typeof startEcho>): Promise<EchoServer> {
  const server = await startEcho(...options)
  closers.push(() => {
    server.stop()
    expect(server.defects).toEqual([])
  })
  return server
}

function open(...options: Parameters<typeof http2.connect>): http2.ClientHttp2Session {
  const session = http2.connect(...options)
  session.on('error', () => undefined)
  closers.push(() => session.destroy())
  return session
}

/** The status and message of an echo. */
async function echo(session: http2.ClientHttp2Session, content: Buffer): Promise<readonly unknown[]> {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/a.B/Echo',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  let status: unknown
  stream.on('trailers', (trailers) => (status = trailers['grpc-status']))
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.end(messageOf(content))
  await once(stream, 'close')
  return [status, Buffer.concat(chunks).subarray(5)]
}

const hello = Buffer.from('hello')

function connectRaw(port: number): net.Socket {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  closers.push(() => socket.destroy())
  return socket
}

/** Also when an error comes first. */
const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

const heardUntilClose = async (socket: net.Socket): Promise<Buffer> => {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await closed(socket)
  return Buffer.concat(chunks)
}

describe('where it listens', () => {
  test('TCP, and messages of a few MB both ways', async () => {
    const session = open(`http://${(await start()).address}`)
    const large = Buffer.alloc(5_000_000, 'abc')
    expect(await echo(session, hello)).toEqual(['0', hello])
    const [status, back] = await echo(session, large)
    expect(status).toBe('0')
    expect(large.equals(back as Buffer)).toBe(true)
  })

  test('TLS, to clients that offer h2', async () => {
    const { chain: cert, key } = makePair({ commonName: 'localhost', names: ['localhost', '127.0.0.1'] })
    const server = await start({ tls: { cert, key } })
    expect(await echo(open(`https://${server.address}`, { ca: cert }), hello)).toEqual(['0', hello])
    const other = tls.connect({ port: server.port, ca: cert, ALPNProtocols: ['http/1.1'] })
    const [refused] = (await once(other, 'error')) as [Error]
    expect(refused.message).toMatch(/alert|reset|disconnected/i)
    const silent = tls.connect({ port: server.port, ca: cert })
    silent.on('error', () => undefined)
    await closed(silent)
  })

  test('a Unix socket', async () => {
    const path = join(folder, 'filter.sock')
    const server = await start({}, `unix:${path}`)
    expect(server.address).toBe(`unix:${path}`)
    const session = open('http://localhost', { createConnection: () => net.connect(path) })
    expect(await echo(session, hello)).toEqual(['0', hello])
  })

  test('a socket file that a dead process left is taken over; one in use is not', async () => {
    const path = join(folder, 'filter.sock')
    spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ])
    expect(existsSync(path)).toBe(true)
    await start({}, `unix:${path}`)
    await expect(start({}, `unix:${path}`)).rejects.toThrow(
      /cannot listen on unix:.*filter\.sock: .*EADDRINUSE/,
    )
  })

  test.each(['nowhere', '127.0.0.1', '127.0.0.1:99999', ':80', '[::1'])(
    '%s is no address',
    async (address) => {
      await expect(start({}, address)).rejects.toThrow(
        `cannot listen on ${address}: it is no host:port, [v6]:port or unix:/path`,
      )
    },
  )
})

describe('peers that do not behave', () => {
  test('who speaks HTTP/1.1 is told so and let go', async () => {
    const socket = connectRaw((await start()).port)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    expect(inWords(framesIn(await heardUntilClose(socket))).at(-1)).toBe('goaway 0 protocolError')
  })

  test('who says nothing is let go', async () => {
    const socket = connectRaw((await start({ limits: { handshakeMs: 50 } })).port)
    expect(inWords(framesIn(await heardUntilClose(socket)))).toEqual([expect.stringContaining('0: window')])
  })

  test('who never reads costs a bounded amount of memory, and is let go', async () => {
    const server = await start({ limits: { maxUnsentBytes: 100_000, stallMs: 300 } })
    const socket = connectRaw(server.port)
    socket.pause()
    const windows = [settings([settingId.initialWindowSize, 0x7fff_ffff]), windowUpdate(0, 0x7fff_0000)]
    const calls = 2000
    const asked = Array.from({ length: calls }, (_, at) => [
      headersFrame(2 * at + 1, callFields({ ':path': '/a.B/Large' })),
      dataFrame(2 * at + 1, messageOf(''), { end: true }),
    ])
    socket.write(Buffer.concat([clientGreeting, ...windows, ...asked.flat()]))
    // Who does not read learns only by writing that he was let go.
    while (!socket.destroyed) {
      socket.write(ping())
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    // What the buffers of the kernel hold has been answered, of 100 MB.
    expect(server.larges).toBeGreaterThan(0)
    expect(server.larges).toBeLessThan(calls / 4)
  })

  test('connections over the limit are not taken', async () => {
    const server = await start({ limits: { maxConnections: 1 } })
    expect(await echo(open(`http://${server.address}`), hello)).toEqual(['0', hello])
    await closed(connectRaw(server.port))
  })

  test('a connection that is cut in the middle of a call leaves nothing behind', async () => {
    const server = await start()
    const socket = connectRaw(server.port)
    socket.write(Buffer.concat([clientGreeting, callFrames(1).subarray(0, -3)]))
    await once(socket, 'data')
    socket.destroy()
    expect(await echo(open(`http://${server.address}`), hello)).toEqual(['0', hello])
  })
})

test('a drain lets calls end, and clients go elsewhere', async () => {
  const server = await start()
  const session = open(`http://${server.address}`)
  expect(await echo(session, hello)).toEqual(['0', hello])
  const goaway = once(session, 'goaway')
  const drained = server.drain()
  expect((await goaway)[0]).toBe(http2.constants.NGHTTP2_NO_ERROR)
  await drained
  const [refused] = (await once(net.connect(server.port, '127.0.0.1'), 'error')) as [Error]
  expect(refused.message).toContain('ECONNREFUSED')
})
