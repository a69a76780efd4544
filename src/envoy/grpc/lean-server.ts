// The `lean` transport: unary gRPC over HTTP/2, written for the hop between Envoy and a filter. @grpc/grpc-js spends ten times what
// a decision costs on its layers of streams and calls; here a call is one object, and the answers of a read event are one write.
// connection.ts speaks the protocol; this file is the sockets under it: TCP, TLS and Unix.
import type { Server, Socket } from 'node:net'
import net from 'node:net'
import tls from 'node:tls'
import type { OnDefect, UnaryServer } from '../transport.ts'
import { type Connection, createConnection } from './connection.ts'
import { type Limits, createBudget, defaultLimits } from './limits.ts'
import { listen } from './listening.ts'
import type { Served } from './stream.ts'
import { createTurns } from './turns.ts'

export type LeanServerOptions = {
  readonly onDefect: OnDefect
  /** Default: plaintext, for loopback, Unix sockets and meshes that encrypt. */
  readonly tls?: tls.TlsOptions
  /** Replaces some of `defaultLimits`. */
  readonly limits?: Partial<Limits>
  /** A call was refused because the filter cannot keep up. */
  readonly onShed?: () => void
}

export type LeanServer = UnaryServer & {
  readonly connections: number
  /** Bytes of half-received messages. */
  readonly heldBytes: number
}

/** Milliseconds for which a connection that has ended still takes what comes, so that the peer reads why it ended. */
const lingerMs = 1000
/** Milliseconds of silence after which the kernel asks whether the peer is still there. */
const keepAliveMs = 60_000

type Peer = { readonly socket: Socket; readonly connection: Connection }

export function createLeanServer(options: LeanServerOptions): LeanServer {
  const { onDefect, onShed } = options
  const limits = { ...defaultLimits, ...options.limits }
  const methods = new Map<string, Served>()
  const budget = createBudget(limits.maxHeldBytes)
  const turns = createTurns({ ...limits, now: () => performance.now(), later: setImmediate })
  const peers = new Set<Peer>()
  const servers: Server[] = []

  function serve(socket: Socket): void {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, keepAliveMs)
    /** Runs while the peer takes too little of what it is sent. */
    let stall: NodeJS.Timeout | undefined
    const isFull = (): boolean => socket.writableLength > limits.maxUnsentBytes
    const connection = createConnection({
      methods,
      limits,
      budget,
      onDefect,
      turns,
      ...(onShed ? { onShed } : {}),
      now: Date.now,
      sink: {
        write(bytes) {
          socket.write(bytes)
          if (isFull()) stall ??= setTimeout(() => socket.destroy(), limits.stallMs)
        },
        get full() {
          return isFull()
        },
        end() {
          socket.end()
          // It is read on, so that the kernel does not answer what is under way with a reset, which would take GOAWAY with it.
          setTimeout(() => socket.destroy(), lingerMs).unref()
        },
      },
    })
    const peer = { socket, connection }
    peers.add(peer)
    const handshake = setTimeout(() => {
      if (!connection.greeted) socket.destroy()
    }, limits.handshakeMs)
    handshake.unref()

    socket.on('data', (chunk: Buffer) => connection.receive(chunk))
    socket.on('drain', () => {
      clearTimeout(stall)
      stall = undefined
      connection.drained()
    })
    socket.on('close', () => {
      clearTimeout(stall)
      clearTimeout(handshake)
      peers.delete(peer)
      connection.closed()
    })
    // 'close' follows; a peer that goes away in the middle is nothing to tell.
    socket.on('error', () => undefined)
  }

  function createServer(): Server {
    const { tls: secure } = options
    if (secure === undefined) return net.createServer({ noDelay: true }, serve)
    const server = tls.createServer({ minVersion: 'TLSv1.2', ...secure, ALPNProtocols: ['h2'] })
    server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') serve(socket)
      else socket.destroy()
    })
    server.on('tlsClientError', (_error, socket) => socket.destroy())
    return server
  }

  const closeServer = (server: Server): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
    })

  return {
    get connections() {
      return peers.size
    },
    get heldBytes() {
      return budget.taken
    },
    serveUnary(path, method, { urgent = false } = {}) {
      methods.set(path, { path, method, urgent })
    },
    async listen(address) {
      const server = createServer()
      server.maxConnections = limits.maxConnections
      const bound = await listen(server, address)
      servers.push(server)
      return bound
    },
    async drain() {
      const closed = servers.map(closeServer)
      for (const { connection } of peers) connection.drain()
      await Promise.all(closed)
    },
    stop() {
      for (const server of servers) server.close()
      for (const { socket } of peers) socket.destroy()
    },
  }
}
