// Servers of a test's own making, on a port of 127.0.0.1, and gone with everything that is connected when the test ends.
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type AddressInfo, type Server, type Socket, connect } from 'node:net'
import { Worker } from 'node:worker_threads'

export type Listening = {
  readonly port: number
  /** Connections so far. */
  readonly connections: () => number
  /** Refuses connections, ends those that are open. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  again(): Promise<void>
}

/** Any server of Node: `http`, `https`, `http2`, `net`. */
export async function listening(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  })
  const listenOn = async (port: number): Promise<void> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  await listenOn(0)
  const { port } = server.address() as AddressInfo
  return {
    port,
    connections: () => connections,
    again: () => listenOn(port),
    async stop() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** Answers with its name. */
export const says =
  (name: string) =>
  (_: IncomingMessage, response: ServerResponse): void => {
    response.end(name)
  }

const deaf = `
  const { workerData, parentPort } = require('node:worker_threads')
  const server = require('node:net').createServer()
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => Atomics.wait(workerData, 0, 0))
  })
`

/**
 * An address at which connecting takes for ever: a listener that accepts nobody, its queue full. Resolves when nobody else
 * gets in.
 */
export async function startDeaf(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(deaf, { eval: true, workerData: gate })
  const [port] = (await once(worker, 'message')) as [number]
  const queued: Socket[] = []
  const entered = async (): Promise<boolean> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    queued.push(socket)
    return Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 200)),
    ])
  }
  while (await entered());
  return {
    port,
    async stop() {
      for (const socket of queued) socket.destroy()
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      await worker.terminate()
    },
  }
}
