// An origin: a real HTTP server that answers with what arrived, and misbehaves on request.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export type Arrived = {
  readonly origin: string
  readonly method: string
  /** As on the wire. */
  readonly url: string
  /** Lines as on the wire. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly bodyBytes: number
}

export type Origin = {
  readonly name: string
  readonly port: number
  readonly arrived: readonly Arrived[]
  stop(): Promise<void>
}

function headerLines(request: IncomingMessage): Arrived['headers'] {
  const raw = request.rawHeaders
  return Array.from(
    { length: raw.length / 2 },
    (_, at) => [raw[2 * at] ?? '', raw[2 * at + 1] ?? ''] as const,
  )
}

/** `/silent` never answers, `/500` answers 500, everything else 200 with the request as JSON. */
function answer(arrived: Arrived, response: ServerResponse): void {
  if (arrived.url === '/silent') return
  response.writeHead(arrived.url === '/500' ? 500 : 200, {
    'content-type': 'application/json',
    server: 'origin',
    'x-powered-by': 'tests',
  })
  response.end(JSON.stringify(arrived))
}

/** Listens on a port of 127.0.0.1 that the kernel chooses. */
export async function startOrigin(name: string): Promise<Origin> {
  const arrived: Arrived[] = []
  const server = createServer((request, response) => {
    let bodyBytes = 0
    request.on('data', (chunk: Buffer) => (bodyBytes += chunk.length))
    request.on('end', () => {
      const one: Arrived = {
        origin: name,
        method: request.method ?? '',
        url: request.url ?? '',
        headers: headerLines(request),
        bodyBytes,
      }
      arrived.push(one)
      answer(one, response)
    })
  })
  // An origin that closes a connection just as a request comes costs that request, whatever stands before it.
  server.keepAliveTimeout = 0
  server.on('upgrade', (_, socket: Socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
    socket.on('data', (chunk) => socket.write(chunk))
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    name,
    port: (server.address() as AddressInfo).port,
    arrived,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
