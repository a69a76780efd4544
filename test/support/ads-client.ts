// An xDS client that does exactly what a test says: it acknowledges nothing by itself.
import { Client, type ClientDuplexStream, credentials, type StatusObject } from '@grpc/grpc-js'
import { lookup } from '#envoy'

export type ShortType = 'cluster' | 'endpoint' | 'listener' | 'route'

const messages: Readonly<Record<ShortType, string>> = {
  cluster: 'envoy.config.cluster.v3.Cluster',
  endpoint: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'envoy.config.listener.v3.Listener',
  route: 'envoy.config.route.v3.RouteConfiguration',
}

export type Received = {
  readonly type: ShortType
  readonly version: string
  readonly nonce: string
  /** Names in order. */
  readonly names: readonly string[]
}

export type AdsClient = {
  ask(type: ShortType | (string & {}), names?: readonly string[], nonce?: string): void
  ack(response: Received, names?: readonly string[]): void
  nack(response: Received, message: string, names?: readonly string[]): void
  /** Bytes that are no request. */
  garbage(bytes: Buffer): void
  /** The next response; fails after 2 s. */
  next(): Promise<Received>
  /** Whether anything is there; waits for a round trip first. */
  isQuiet(): Promise<boolean>
  /** How the stream ended. */
  readonly ended: Promise<StatusObject>
  close(): void
}

type RawResponse = {
  readonly version_info?: string
  readonly nonce?: string
  readonly type_url?: string
  readonly resources?: readonly { readonly value: Uint8Array }[]
}

function received(bytes: Buffer): Received {
  const raw = lookup('envoy.service.discovery.v3.DiscoveryResponse').decode(bytes) as RawResponse
  const message = (raw.type_url ?? '').replace(/^.*\//, '')
  const type = (Object.keys(messages) as ShortType[]).find((one) => messages[one] === message)
  if (!type) throw new Error(`unexpected type ${message}`)
  const names = (raw.resources ?? []).map(({ value }) => {
    const { name, cluster_name } = lookup(message).decode(value) as { name?: string; cluster_name?: string }
    return name ?? cluster_name ?? ''
  })
  return { type, version: raw.version_info ?? '', nonce: raw.nonce ?? '', names }
}

const encode = (request: object): Buffer => {
  const type = lookup('envoy.service.discovery.v3.DiscoveryRequest')
  return Buffer.from(type.encode(type.create(request)).finish())
}

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources'

export function connectAds(port: number, id: string | undefined = 'envoy-0'): AdsClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
  const identity = (bytes: Buffer): Buffer => bytes
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(path, identity, identity)
  const inbox: Received[] = []
  const waiting: ((response: Received) => void)[] = []
  stream.on('data', (bytes: Buffer) => {
    const response = received(bytes)
    const first = waiting.shift()
    if (first) first(response)
    else inbox.push(response)
  })
  stream.on('error', () => undefined)
  const ended = new Promise<StatusObject>((resolve) => stream.on('status', resolve))
  const write = (type: string, names: readonly string[], nonce: string, more: object = {}): void => {
    const message = messages[type as ShortType] ?? type
    stream.write(
      encode({
        ...(id === undefined ? {} : { node: { id, cluster: 'weir' } }),
        type_url: `type.googleapis.com/${message}`,
        resource_names: names,
        response_nonce: nonce,
        ...more,
      }),
    )
  }
  return {
    ask: (type, names = [], nonce = '') => write(type, names, nonce),
    ack: (response, names = []) =>
      write(response.type, names, response.nonce, { version_info: response.version }),
    nack: (response, message, names = []) =>
      write(response.type, names, response.nonce, { error_detail: { code: 3, message } }),
    garbage: (bytes) => void stream.write(bytes),
    next() {
      const here = inbox.shift()
      if (here) return Promise.resolve(here)
      return new Promise((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('no response within 2 s')), 2000)
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
