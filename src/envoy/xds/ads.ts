// The aggregated discovery service over gRPC, in both protocols. It keeps one session per node id: an Envoy that
// reconnects takes the place of its old stream. What it says is what `publisher.ts` decided; here are only
// streams, nodes and log lines.
import {
  Metadata,
  type Server,
  type ServerDuplexStream,
  type ServiceDefinition,
  status as grpcStatus,
} from '@grpc/grpc-js'
import type { Refusal } from './channel.ts'
import { delta } from './delta.ts'
import type { Fleet } from './fleet.ts'
import { type AdsNode, type Role, unservedBecause } from './node.ts'
import { createNodeViews } from './node-views.ts'
import type { AdsRequest, AdsResponse, Protocol } from './protocol.ts'
import { type PublishResult, createPublisher } from './publisher.ts'
import { type OpenSession, type Session, TooManyNames, type TypeStatus, openSession } from './session.ts'
import type { Snapshot, OfferedSnapshot } from './snapshot.ts'
import { sotw } from './sotw.ts'
import { emptyView } from './view.ts'

export type AdsLog = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export type NodeNack = Refusal & { readonly node: string; readonly role: Role }

export type AdsOptions = {
  readonly log: AdsLog
  readonly onNack?: (nack: NodeNack) => void
  /** Called after every message and every disconnect: the answer of `acknowledged` may be another one. */
  readonly onProgress?: () => void
  /** The bucket that is published here; nodes that name another one get nothing. Default: `prod`. */
  readonly bucket?: string
  /** Told which filters run; Envoys are sent to those. Left out: to those that the snapshot names. */
  readonly fleet?: Fleet | undefined
  /** Milliseconds after which a silent node counts as `timeout`; 30 s. */
  readonly timeoutMs?: number
  /** Milliseconds for which clusters stay that nothing names any more; 30 s. */
  readonly drainMs?: number
}

export type NodeStatus = AdsNode & {
  readonly protocol: 'sotw' | 'delta'
  readonly connectedAt: number
  /** Why it gets an empty snapshot; undefined: it is served. */
  readonly unserved: string | undefined
  readonly types: readonly TypeStatus[]
}

export type AdsStatus = {
  /** Version of the snapshot that is offered; undefined before the first publish. */
  readonly snapshot: string | undefined
  readonly nodes: readonly NodeStatus[]
}

export type Ads = {
  register(server: Server): void
  /** Resolves when every connected node has answered or 30 s have passed; rejects for an inconsistent snapshot. */
  publish(snapshot: Snapshot): Promise<PublishResult>
  /** Offers what ran before a restart, until the first publish. */
  restore(snapshot: OfferedSnapshot): void
  /** The snapshot that is offered, when every connected node has acknowledged all of it. */
  acknowledged(): OfferedSnapshot | undefined
  status(): AdsStatus
  /** Ends all streams. */
  stop(): void
}

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService'

/** Streams at once; each costs a few kilobytes and one snapshot's versions. */
const maxNodes = 10_000

const unused = (): never => {
  throw new Error('the control plane only serves this method')
}

const definitionOf = <R extends AdsRequest>({ method, decode, encode }: Protocol<R>): ServiceDefinition => ({
  [method]: {
    path: `${service}/${method}`,
    requestStream: true,
    responseStream: true,
    requestDeserialize: decode,
    responseSerialize: encode,
    requestSerialize: unused,
    responseDeserialize: unused,
  },
})

type Stream<R> = ServerDuplexStream<R, AdsResponse>

const nounOf: Readonly<Record<Role, string>> = { envoy: 'an Envoy', filter: 'a filter' }

type Connected = {
  readonly node: AdsNode
  readonly protocol: 'sotw' | 'delta'
  readonly session: Session
  readonly connectedAt: number
  end(code: grpcStatus, details: string): void
  finish(): void
}

export function createAds(options: AdsOptions): Ads {
  const { log, onNack, onProgress, bucket = 'prod', fleet, timeoutMs = 30_000, drainMs = 30_000 } = options
  const connected = new Map<string, Connected>()
  const sessions = new Map<string, Session>()
  const publisher = createPublisher({ sessions, timeoutMs, drainMs })
  const views = createNodeViews(fleet)

  function progress(): void {
    publisher.notify()
    onProgress?.()
  }

  fleet?.onChange((filters) => {
    log.info({ filters: filters.map(({ id }) => id) }, 'Envoys are told which filters there are')
    for (const session of sessions.values()) session.refresh()
    progress()
  })

  /** A filter that runs a policy may be asked. */
  function enlist({ node: { id, region, grpcAddress: address }, session }: Connected): void {
    if (session.role !== 'filter' || session.unserved !== undefined || address === undefined) return
    if (session.runs('policy')) fleet?.seen({ id, address, region })
  }

  function forget(entry: Connected): void {
    const { id } = entry.node
    if (connected.get(id) !== entry) return
    connected.delete(id)
    sessions.delete(id)
    log.info({ node: id }, `${nounOf[entry.node.role]} disconnected from the control plane`)
    fleet?.lost(id)
    progress()
  }

  function openFor<R extends AdsRequest>(
    node: AdsNode,
    protocol: Protocol<R>,
    stream: Stream<R>,
  ): OpenSession<R> {
    const unserved = unservedBecause(node, bucket)
    if (unserved !== undefined) log.warn({ node: node.id, reason: unserved }, 'a node gets no configuration')
    const view = views.for(node)
    const noun = nounOf[node.role]
    return openSession({
      protocol,
      role: node.role,
      unserved,
      drainMs,
      hooks: {
        view: () => (unserved === undefined ? view(publisher.view()) : emptyView),
        send(response) {
          stream.write(response)
        },
        onAck(type, version) {
          log.info({ node: node.id, type, version }, `${noun} accepted its configuration`)
        },
        onNack(refusal) {
          const { message: reason, ...what } = refusal
          log.warn({ node: node.id, ...what, reason }, `${noun} refused its configuration`)
          onNack?.({ ...refusal, node: node.id, role: node.role })
        },
      },
    })
  }

  function welcome(entry: Connected): void {
    const { id, build, role, grpcAddress } = entry.node
    const before = connected.get(id)
    connected.set(id, entry)
    sessions.set(id, entry.session)
    const { protocol } = entry
    log.info(
      { node: id, build, protocol, replaces: before !== undefined },
      `${nounOf[role]} connected to the control plane`,
    )
    if (role === 'filter' && grpcAddress === undefined)
      log.warn(
        { node: id },
        'the filter says no address, so no Envoy is sent to it: metadata.weir.grpc_address must be an IP address and a port',
      )
    before?.end(grpcStatus.ABORTED, `another stream of node ${id} took over`)
  }

  function serve<R extends AdsRequest>(protocol: Protocol<R>, stream: Stream<R>): void {
    let entry: (Connected & { readonly session: OpenSession<R> }) | undefined
    let isOver = false
    const end = (code: grpcStatus, details: string): void => {
      if (isOver) return
      isOver = true
      stream.emit('error', { code, details })
    }
    const close = (): void => {
      isOver = true
      if (!entry) return
      entry.session.close()
      forget(entry)
    }
    function begin(node: AdsNode): Connected & { readonly session: OpenSession<R> } {
      const session = openFor(node, protocol, stream)
      return {
        node,
        protocol: protocol.name,
        session,
        connectedAt: Date.now(),
        end,
        finish: () => stream.end(),
      }
    }
    function receive(request: R): void {
      if (isOver) return
      if (!entry) {
        if (!request.node) {
          end(grpcStatus.INVALID_ARGUMENT, 'the first request has no node id')
          return
        }
        if (connected.size >= maxNodes && !connected.has(request.node.id)) {
          end(grpcStatus.RESOURCE_EXHAUSTED, `there are ${String(maxNodes)} nodes already`)
          return
        }
        entry = begin(request.node)
        welcome(entry)
      }
      entry.session.receive(request)
      enlist(entry)
      progress()
    }
    // Whoever comes back with everything is sent nothing, and wants to know that it is connected.
    stream.sendMetadata(new Metadata())
    stream.on('data', (request: R) => {
      try {
        receive(request)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log.warn({ node: entry?.node.id, reason }, 'a stream of the control plane ended')
        if (error instanceof TooManyNames) end(grpcStatus.RESOURCE_EXHAUSTED, reason)
        else end(grpcStatus.INTERNAL, 'internal error')
      }
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
      const add = <R extends AdsRequest>(protocol: Protocol<R>): void =>
        server.addService(definitionOf(protocol), {
          [protocol.method]: (stream: Stream<R>) => serve(protocol, stream),
        })
      add(sotw)
      add(delta)
    },
    publish: (snapshot) => publisher.publish(snapshot),
    restore: (snapshot) => publisher.restore(snapshot),
    acknowledged: () => publisher.acknowledged(),
    status: () => ({
      snapshot: publisher.view()?.snapshot.version,
      nodes: [...connected.values()].map(({ node, protocol, session, connectedAt }) => ({
        ...node,
        protocol,
        connectedAt,
        unserved: session.unserved,
        types: session.status(),
      })),
    }),
    stop() {
      publisher.stop()
      fleet?.stop()
      for (const { finish } of connected.values()) finish()
      connected.clear()
      sessions.clear()
    },
  }
}
