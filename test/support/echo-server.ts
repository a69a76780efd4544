// The lean transport with methods that are easy to check, for clients that nobody here wrote.
import { GrpcError, type LeanServerOptions, createHealth, createLeanServer, healthCheckPath } from '#envoy'

export type EchoServer = {
  readonly address: string
  readonly port: number
  readonly defects: readonly unknown[]
  /** Calls of Large so far. */
  readonly larges: number
  /** Bytes of half-received messages. */
  readonly held: number
  drain(): Promise<void>
  stop(): void
}

/** Echo answers at once, Later in another turn, Never not at all, Fail with NOT_FOUND, Large with 50 KB. */
export async function startEcho(
  options: Omit<LeanServerOptions, 'onDefect'> = {},
  listen = '127.0.0.1:0',
): Promise<EchoServer> {
  const defects: unknown[] = []
  const large = Buffer.alloc(50_000, 'x')
  let larges = 0
  const server = createLeanServer({ ...options, onDefect: (error) => void defects.push(error) })
  server.serveUnary('/a.B/Echo', (request) => request)
  server.serveUnary('/a.B/Later', async (request) => {
    await new Promise((resolve) => setImmediate(resolve))
    return request
  })
  server.serveUnary('/a.B/Large', () => {
    larges++
    return large
  })
  server.serveUnary('/a.B/Never', () => new Promise(() => undefined))
  server.serveUnary('/a.B/Fail', () => {
    throw new GrpcError('NOT_FOUND', 'nothing here: 100 % ü')
  })
  server.serveUnary(healthCheckPath, createHealth([]).check)
  const address = await server.listen(listen)
  return {
    address,
    port: Number(address.slice(address.lastIndexOf(':') + 1)),
    defects,
    get larges() {
      return larges
    },
    get held() {
      return server.heldBytes
    },
    drain: () => server.drain(),
    stop: () => server.stop(),
  }
}
