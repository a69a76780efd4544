// A filter's gRPC server: ext_authz and health on one address. Signals and exit codes belong to the command line.
import type { RequestInput } from '#request'
import { type AuthzOptions, type Decide, authorizationService, checkPath, createAuthz } from './authz.ts'
import { createGrpcServer } from './grpc-server.ts'
import { createLeanServer } from './grpc/lean-server.ts'
import { type Health, createHealth, healthCheckPath } from './health.ts'
import type { OnDefect, Transport, UnaryServer } from './transport.ts'
import type { Decision } from '#pipeline'

export type FilterServerLog = {
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type FilterServerOptions = {
  /** `host:port` (port 0: the kernel chooses) or `unix:/path`. */
  readonly listen: string
  readonly decide: Decide
  /** The decision for a request on which `decide` failed (spec pipeline 1.2). */
  readonly failed: (input: RequestInput, error: unknown) => Decision
  readonly log: FilterServerLog
  /** What carries the calls; default: lean. */
  readonly transport?: Transport | undefined
  /** A call was refused because the filter cannot keep up (lean). */
  readonly onShed?: () => void
  /** False: it says NOT_SERVING until it is told otherwise. Default: true. */
  readonly isServing?: boolean
  readonly clock?: AuthzOptions['clock']
}

export type FilterServer = {
  /** What Envoy dials, the chosen port in it. */
  readonly address: string
  /** Says SERVING from now on, unless it drains already. */
  serve(): void
  /**
   * Says NOT_SERVING, goes on answering until `noticed` resolves (Envoy asks for the health every 5 s and then takes
   * this filter out), then refuses new calls and resolves when the running ones have ended. Default: at once.
   */
  drain(noticed?: Promise<unknown>): Promise<void>
  /** Ends what still runs. */
  stop(): void
}

type Told = { readonly onDefect: OnDefect; readonly onShed: () => void }

/** A server of each transport, with the health service. Only grpc-js carries streams, and with them Watch. */
const servers: Readonly<Record<Transport, (health: Health, told: Told) => UnaryServer>> = {
  lean(health, told) {
    const server = createLeanServer(told)
    server.serveUnary(healthCheckPath, health.check, { urgent: true })
    return server
  },
  'grpc-js'(health, { onDefect }) {
    const server = createGrpcServer({ onDefect })
    health.register(server.grpc)
    return server
  },
}

/** Starts listening; rejects with address and reason when it cannot. */
export async function startFilterServer(options: FilterServerOptions): Promise<FilterServer> {
  const { listen, decide, failed, log, transport = 'lean', isServing = true, clock } = options
  const { onShed = () => undefined } = options
  const health = createHealth([authorizationService])
  if (!isServing) health.set('NOT_SERVING')
  let isDraining = false
  const server = servers[transport](health, {
    onDefect: (error, path) => log.error({ err: error, path }, 'a gRPC method failed'),
    onShed,
  })
  const onMalformed = (error: unknown): void => log.warn({ err: error }, 'refused a malformed CheckRequest')
  server.serveUnary(checkPath, createAuthz({ decide, failed, onMalformed, ...(clock ? { clock } : {}) }))
  const address = await server.listen(listen)
  return {
    address,
    serve() {
      if (!isDraining) health.set('SERVING')
    },
    async drain(noticed) {
      isDraining = true
      health.set('NOT_SERVING')
      await noticed
      health.close()
      await server.drain()
    },
    stop() {
      health.close()
      server.stop()
    },
  }
}
