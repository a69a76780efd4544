// A filter that lets everything pass without looking, on one of the transports: node bench/compare/noop-filter.ts TRANSPORT PORT
import { createGrpcServer } from '../../src/envoy/grpc-server.ts'
import { createLeanServer } from '../../src/envoy/grpc/lean-server.ts'
import { createHealth, healthCheckPath } from '../../src/envoy/health.ts'
import { authorizationService, checkPath } from '../../src/envoy/authz.ts'

const [transport = '', port = ''] = process.argv.slice(2)

/** `CheckResponse { status {} ok_response {} }` */
const allowed = Buffer.from([0x0a, 0x00, 0x1a, 0x00])

const onDefect = (error: unknown): void => console.error(error)

async function onGrpcJs(address: string): Promise<void> {
  const server = createGrpcServer({ onDefect })
  server.serveUnary(checkPath, () => allowed)
  createHealth([authorizationService]).register(server.grpc)
  await server.listen(address)
}

async function onLean(address: string): Promise<void> {
  const server = createLeanServer({ onDefect })
  server.serveUnary(checkPath, () => allowed)
  server.serveUnary(healthCheckPath, createHealth([authorizationService]).check)
  await server.listen(address)
}

const transports: Readonly<Record<string, (address: string) => Promise<void>>> = {
  'grpc-js': onGrpcJs,
  lean: onLean,
}
const listen = transports[transport]
if (listen === undefined) throw new Error(`no transport "${transport}"`)
await listen(`127.0.0.1:${port}`)
