// Plain Envoy, and Envoy with filters that decide nothing: what the hop itself costs on each transport.
import { fileURLToPath } from 'node:url'
import { freePort } from '../ports.ts'
import { type Running, start } from '../processes.ts'
import { envoyConfig } from '../envoy-config.ts'
import { tools } from '../tools.ts'
import { type Subject, together } from './subject.ts'

/** Envoy with a static configuration and one worker. */
export function startEnvoy(port: number, originPort: number, filterPort?: number): Promise<Running> {
  const config = envoyConfig({ port, originPort, ...(filterPort === undefined ? {} : { filterPort }) })
  const args = [
    '--config-yaml',
    config,
    '--concurrency',
    '1',
    '--disable-hot-restart',
    '--log-level',
    'error',
  ]
  return start(tools.envoy, args, { port })
}

export const plainEnvoy: Subject = {
  id: 'envoy',
  name: 'Envoy, plain proxy',
  async start({ originPort }) {
    const port = await freePort()
    return together(port, await startEnvoy(port, originPort))
  },
}

const noopFilter = fileURLToPath(new URL('../noop-filter.ts', import.meta.url))

const noop = (transport: 'grpc-js' | 'lean'): Subject => ({
  id: `noop-${transport}`,
  name: `Envoy + no-op filter on ${transport}`,
  async start({ originPort }) {
    const [port, filterPort] = [await freePort(), await freePort()]
    const filter = await start(process.execPath, [noopFilter, transport, String(filterPort)], {
      port: filterPort,
    })
    return together(port, filter, await startEnvoy(port, originPort, filterPort))
  },
})

export const noopGrpcJs = noop('grpc-js')
export const noopLean = noop('lean')
