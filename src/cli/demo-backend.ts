// The backend of the quickstart: a small shop that answers every path and method with 200, so that whatever is refused was
// refused by Weir. `/echo` answers with what arrived.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { type SocketPlace, formatPlace } from '#platform'
import { shopPage } from './demo-pages.ts'

export type DemoBackend = { readonly place: SocketPlace; stop(): Promise<void> }

/** Bytes of a body that `/echo` repeats; the rest is counted. */
const shownBytes = 64 * 1024

type Body = { readonly size: number; readonly shown: Buffer }

async function readBody(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (size < shownBytes) chunks.push(chunk)
    size += chunk.length
  }
  return { size, shown: Buffer.concat(chunks).subarray(0, shownBytes) }
}

function echo(request: IncomingMessage, { size, shown }: Body): string {
  const { method, url, headers } = request
  return `${JSON.stringify({ method, path: url, headers, body: { size, text: shown.toString('utf8') } }, null, 2)}\n`
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const json = path === '/echo' || path.startsWith('/api/')
  const text = json ? echo(request, body) : shopPage(path, new URLSearchParams(query))
  response.writeHead(200, {
    'content-type': json ? 'application/json' : 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

/** Listens; rejects with place and reason when it cannot. */
export function startDemoBackend(place: SocketPlace): Promise<DemoBackend> {
  const server = createServer((request, response) => {
    // A client that leaves in the middle of its body gets no answer, and the shop goes on.
    answer(request, response).catch(() => response.destroy())
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new Error(`the demo shop cannot listen on ${formatPlace(place)}: ${error.message}`, { cause: error }),
      ),
    )
    server.listen(place.port, place.host, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : place.port
      resolve({
        place: { host: place.host, port },
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}
