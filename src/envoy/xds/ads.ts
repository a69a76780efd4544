// The aggregated discovery service over gRPC, state of the world. It keeps one session per node id: an Envoy that
// reconnects takes the place of its old stream. What it says is what `publisher.ts` decided; here are only
// streams, names and log lines.
import {
  type Server,
  type ServerDuplexStream,
  type ServiceDefinition,
  status as grpcStatus,
} from '@grpc/grpc-js'
import { lookup } from '../protos.ts'
import { type PublishResult, createPublisher } from './publisher.ts'
import {
  type AdsNode,
  type AdsRequest,
  type AdsResponse,
  type Session,
  type TypeStatus,
  openSession,
} from './session.ts'
import type { Snapshot } from './snapshot.ts'
import type { Refusal } from './channel.ts'

export type AdsLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export type NodeNack = Refusal & { readonly node: string }

export type AdsOptions = {
  readonly log: AdsLog
  readonly onNack?: (nack: NodeNack) => void
  /** Milliseconds after which a silent node counts as `timeout`; 30 s. */
  readonly timeoutMs?: number
  /** Milliseconds for which clusters stay that nothing names any more; 30 s. */
  readonly drainMs?: number
}

export type NodeStatus = AdsNode & { readonly connectedAt: number; readonly types: readonly TypeStatus[] }

export type AdsStatus = {
  /** Version of the snapshot that is offered; undefined before the first publish. */
  readonly snapshot: string | undefined
  readonly nodes: readonly NodeStatus[]
}

export type Ads = {
  register(server: Server): void
  /** Resolves when every connected Envoy has answered or 30 s have passed; rejects for an inconsistent snapshot. */
  publish(snapshot: Snapshot): Promise<PublishResult>
  status(): AdsStatus
  /** Ends all streams. */
  stop(): void
}

type DiscoveryRequest = {
  readonly node?: {
    readonly id?: string
    readonly cluster?: string
    readonly user_agent_build_version?: { readonly version?: object | null } | null
  } | null
  readonly resource_names?: readonly string[]
  readonly type_url?: string
  readonly response_nonce?: string
  readonly error_detail?: { readonly message?: string } | null
}

const requestType = 'envoy.service.discovery.v3.DiscoveryRequest'
const responseType = 'envoy.service.discovery.v3.DiscoveryResponse'

const decodeRequest = (bytes: Buffer): DiscoveryRequest =>
  lookup(requestType).decode(bytes) as DiscoveryRequest

function encodeResponse({ typeUrl, version, nonce, resources }: AdsResponse): Buffer {
  const type = lookup(responseType)
  const message = type.create({
    version_info: version,
    type_url: typeUrl,
    nonce,
    resources: resources.map(({ bytes }) => ({ type_url: typeUrl, value: bytes })),
  })
  return Buffer.from(type.encode(message).finish())
}

type Stream = ServerDuplexStream<DiscoveryRequest, AdsResponse>

const unused = (): never => {
  throw new Error('the control plane only serves this method')
}

export const adsService: ServiceDefinition = {
  StreamAggregatedResources: {
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    requestStream: true,
    responseStream: true,
    requestDeserialize: decodeRequest,
    responseSerialize: encodeResponse,
    requestSerialize: unused,
    responseDeserialize: unused,
  },
}

function buildOf(version: object | null | undefined): string {
  if (!version) return ''
  const { major_number = 0, minor_number = 0, patch = 0 } = version as Readonly<Record<string, number>>
  return `${major_number}.${minor_number}.${patch}`
}

const nodeOf = ({ node }: DiscoveryRequest): AdsNode | undefined =>
  node?.id
    ? { id: node.id, cluster: node.cluster ?? '', build: buildOf(node.user_agent_build_version?.version) }
    : undefined

const requestOf = (message: DiscoveryRequest): AdsRequest => ({
  typeUrl: message.type_url ?? '',
  names: message.resource_names ?? [],
  nonce: message.response_nonce ?? '',
  error: message.error_detail ? (message.error_detail.message ?? '') || 'no reason given' : undefined,
})

type Connected = {
  readonly node: AdsNode
  readonly stream: Stream
  readonly session: Session
  readonly connectedAt: number
}

export function createAds(options: AdsOptions): Ads {
  const { log, onNack, timeoutMs = 30_000, drainMs = 30_000 } = options
  const connected = new Map<string, Connected>()
  const sessions = new Map<string, Session>()
  const publisher = createPublisher({ sessions, timeoutMs, drainMs })

  function forget(entry: Connected): void {
    const { id } = entry.node
    if (connected.get(id) !== entry) return
    connected.delete(id)
    sessions.delete(id)
    log.info({ node: id }, 'an Envoy disconnected from the control plane')
    publisher.notify()
  }

  function welcome(node: AdsNode, stream: Stream): Connected {
    const session = openSession({
      view: () => publisher.view(),
      send(response) {
        stream.write(response)
      },
      onAck(type, version) {
        log.info({ node: node.id, type, version }, 'an Envoy accepted its configuration')
      },
      onNack(refusal) {
        const { message: reason, ...what } = refusal
        log.warn({ node: node.id, ...what, reason }, 'an Envoy refused its configuration')
        onNack?.({ ...refusal, node: node.id })
      },
    })
    const entry: Connected = { node, stream, session, connectedAt: Date.now() }
    const before = connected.get(node.id)
    connected.set(node.id, entry)
    sessions.set(node.id, session)
    log.info(
      { node: node.id, build: node.build, replaces: before !== undefined },
      'an Envoy connected to the control plane',
    )
    before?.stream.emit('error', {
      code: grpcStatus.ABORTED,
      details: `another stream of node ${node.id} took over`,
    })
    return entry
  }

  function serve(stream: Stream): void {
    let entry: Connected | undefined
    const close = (): void => {
      if (entry) forget(entry)
    }
    stream.on('data', (message: DiscoveryRequest) => {
      const node = entry?.node ?? nodeOf(message)
      if (!node) {
        stream.emit('error', {
          code: grpcStatus.INVALID_ARGUMENT,
          details: 'the first request has no node id',
        })
        return
      }
      entry ??= welcome(node, stream)
      // A stream that another one replaced may still deliver what was on its way.
      if (connected.get(node.id) !== entry) return
      entry.session.receive(requestOf(message))
      publisher.notify()
    })
    stream.on('end', () => {
      close()
      stream.end()
    })
    stream.on('cancelled', close)
    stream.on('error', close)
  }

  return {
    register(server) {
      server.addService(adsService, { StreamAggregatedResources: serve })
    },
    publish: (snapshot) => publisher.publish(snapshot),
    status: () => ({
      snapshot: publisher.view()?.snapshot.version,
      nodes: [...connected.values()].map(({ node, session, connectedAt }) => ({
        ...node,
        connectedAt,
        types: session.status(),
      })),
    }),
    stop() {
      publisher.stop()
      for (const { stream } of connected.values()) stream.end()
      connected.clear()
      sessions.clear()
    },
  }
}
