// Requests as a test wants them on the wire: nothing normalised, header lines in order, any Host.
import { once } from 'node:events'
import { type Agent, type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

export type Sent = {
  readonly port: number
  readonly host?: string
  readonly path?: string
  readonly method?: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: string | Uint8Array
  /** `chunked` declares no length. */
  readonly framing?: 'length' | 'chunked'
  /** A connection to send it on; default: a new one to the port. */
  readonly socket?: Socket
  /** Keeps connections for many requests. */
  readonly agent?: Agent
}

export type Answer = { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: string }

/** One request over a connection of its own. */
export function send({
  port,
  host = 'www.example.com',
  path = '/',
  method = 'GET',
  headers = [],
  body,
  framing = 'length',
  socket,
  agent,
}: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lines: readonly (readonly string[])[] = [
      ['host', host],
      ...headers,
      ...(body === undefined || framing === 'chunked'
        ? []
        : [['content-length', `${Buffer.byteLength(body)}`]]),
    ]
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        // An agent would make a connection of its own.
        ...(socket === undefined ? { agent: agent ?? false } : { createConnection: () => socket }),
        setHost: false,
        headers: lines.flat(),
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** Sends bytes as they are and returns what came back until the connection closed or the text was there. */
export async function sendRaw(port: number, bytes: string | Buffer, until?: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  let received = ''
  for await (const chunk of socket) {
    received += (chunk as Buffer).toString('latin1')
    if (until !== undefined && received.includes(until)) break
  }
  socket.destroy()
  return received
}

/** A port on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
