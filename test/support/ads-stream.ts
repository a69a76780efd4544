// A stream to the ADS server, for clients that do exactly what a test says: nothing is answered by itself.
import { Client, type ClientDuplexStream, type StatusObject, credentials } from '@grpc/grpc-js'

export type AdsMethod = 'StreamAggregatedResources' | 'DeltaAggregatedResources'

const messages = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
  secret: 'envoy.extensions.transport_sockets.tls.v3.Secret',
  extension: 'envoy.config.core.v3.TypedExtensionConfig',
  policy: 'weir.config.v1.Policy',
  quarantine: 'weir.config.v1.Quarantine',
} as const

export type ShortType = keyof typeof messages
/** What Envoy asks for when there is one plaintext listener and nothing is offloaded. */
export type EnvoyType = Exclude<ShortType, 'policy' | 'quarantine' | 'secret' | 'extension'>

/** A short type or, for types that Weir does not serve, the full name of the message. */
export type AnyType = ShortType | (string & {})

export const messageOf = (type: AnyType): string => messages[type as ShortType] ?? type

export function shortTypeOf(typeUrl: string): ShortType {
  const message = typeUrl.replace(/^.*\//, '')
  const type = (Object.keys(messages) as ShortType[]).find((one) => messages[one] === message)
  if (!type) throw new Error(`unexpected type ${message}`)
  return type
}

export type AdsStream<R> = {
  write(bytes: Buffer): void
  /** The next response; fails after 20 s. */
  next(): Promise<R>
  /** Whether nothing is there; waits for a round trip first. */
  isQuiet(): Promise<boolean>
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>
  close(): void
}

export function openAdsStream<R>(
  port: number,
  method: AdsMethod,
  decode: (bytes: Buffer) => R,
): AdsStream<R> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  })
  const identity = (bytes: Buffer): Buffer => bytes
  const path = `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(path, identity, identity)
  const inbox: R[] = []
  const waiting: ((response: R) => void)[] = []
  stream.on('data', (bytes: Buffer) => {
    const response = decode(bytes)
    const first = waiting.shift()
    if (first) first(response)
    else inbox.push(response)
  })
  stream.on('error', () => undefined)
  const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve))
  return {
    write: (bytes) => void stream.write(bytes),
    next() {
      const here = inbox.shift()
      if (here) return Promise.resolve(here)
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('no response within 20 s')), 20000)
        waiting.push((response) => {
          clearTimeout(late)
          resolve(response)
        })
      })
    },
    async isQuiet() {
      // A second call on the same connection has been answered: what was to come on the stream has come.
      await new Promise<void>((resolve) => {
        client.makeUnaryRequest('/nobody/there', identity, identity, Buffer.alloc(0), () => resolve())
      })
      return inbox.length === 0
    },
    ended,
    close() {
      stream.cancel()
      client.close()
    },
  }
}
