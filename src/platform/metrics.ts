// Metrics of a process, and the small HTTP server that shows them. Each process has a registry of its own: the
// supervisor's children are scraped one by one.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { Registry, collectDefaultMetrics } from 'prom-client'
import { type SocketPlace, formatPlace } from './setting-kinds.ts'

export { Counter, Gauge, Histogram, type Registry } from 'prom-client'

/** A registry with the figures of the process itself; `labels` are put on every series. */
export function createRegistry(labels: Readonly<Record<string, string>>): Registry {
  const registry = new Registry()
  registry.setDefaultLabels(labels)
  collectDefaultMetrics({ register: registry })
  return registry
}

export type MetricsServer = { readonly port: number; stop(): Promise<void> }

async function answer(registry: Registry, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url !== '/metrics') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('only /metrics is here\n')
    return
  }
  try {
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType }).end(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`${reason}\n`)
  }
}

/** Serves `GET /metrics`; rejects with address and reason when it cannot listen. */
export function startMetrics(registry: Registry, place: SocketPlace): Promise<MetricsServer> {
  const server = createServer((request, response) => void answer(registry, request, response))
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new Error(`cannot serve metrics on ${formatPlace(place)}: ${error.message}`, { cause: error })),
    )
    server.listen(place.port, place.host, () => {
      const address = server.address()
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : place.port,
        stop: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}
