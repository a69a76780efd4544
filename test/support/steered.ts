// Both ends of a request in the hands of a test: the origin gives each request to it, the client writes its body piece by
// piece. What is shown with them is order, whatever the speed of the machine.
import { once } from 'node:events'
import {
  type ClientRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request as httpRequest,
} from 'node:http'

/** A request whose origin the test plays itself. */
export type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse }

/** An origin that hands each request to the test. */
export function steered(): { readonly server: Server; next(): Promise<Exchange> } {
  const waiting: Exchange[] = []
  const wanted: ((exchange: Exchange) => void)[] = []
  const server = createServer((request, response) => {
    const exchange = { request, response }
    const taker = wanted.shift()
    if (taker === undefined) waiting.push(exchange)
    else taker(exchange)
  })
  return {
    server,
    next() {
      const there = waiting.shift()
      return there === undefined ? new Promise((resolve) => wanted.push(resolve)) : Promise.resolve(there)
    },
  }
}

/** Unlike `once`, content with an end by error. */
export const closed = (stream: { once(event: 'close', listener: () => void): unknown }): Promise<void> =>
  new Promise((resolve) => stream.once('close', resolve))

export type Begun = {
  readonly port: number
  readonly host: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Begins a POST whose body the test writes. */
export function beginRequest({ port, host, headers }: Begun): ClientRequest {
  const request = httpRequest({
    port,
    host: '127.0.0.1',
    method: 'POST',
    agent: false,
    setHost: false,
    headers: { host, ...headers },
  })
  request.on('error', () => undefined)
  request.flushHeaders()
  return request
}

export const answerTo = async (request: ClientRequest): Promise<IncomingMessage> => {
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return response
}
export const chunkOf = async (stream: IncomingMessage): Promise<string> => {
  const [chunk] = (await once(stream, 'data')) as [Buffer]
  return chunk.toString()
}
export const restOf = async (stream: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
