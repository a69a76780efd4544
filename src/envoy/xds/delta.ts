// Incremental: a request says what it wants in addition and what no longer, a response carries what changed, each
// resource with its version, and names what is gone. A client that comes back says which versions it has, so only the
// difference travels.
import { lookup } from '../protos.ts'
import { type Channel, absent, holdings } from './channel.ts'
import { type RawNode, nodeOf } from './node.ts'
import { type AdsRequest, type Protocol, errorOf, sizeOf } from './protocol.ts'
import type { OfferedResource } from './snapshot.ts'
import type { Offer } from './view.ts'

type DeltaRequest = AdsRequest & {
  readonly added: readonly string[]
  readonly given: readonly string[]
  /** Name → version that the client has from an earlier stream. */
  readonly held: ReadonlyMap<string, string>
}

type RawRequest = {
  readonly node?: RawNode | null
  readonly resource_names_subscribe?: readonly string[]
  readonly resource_names_unsubscribe?: readonly string[]
  readonly initial_resource_versions?: Readonly<Record<string, string>>
  readonly type_url?: string
  readonly response_nonce?: string
  readonly error_detail?: { readonly message?: string } | null
}

/** The first request of a type on a stream: what the client brings along. */
function begin(channel: Channel, { added, held }: DeltaRequest): void {
  channel.subscribed = true
  for (const [name, version] of held) channel.sent.set(name, version)
  // Whoever has something is no beginner that waits for a first answer.
  channel.started = held.size > 0
  channel.brought = held.size > 0
  channel.wildcard = channel.kind.subscription === 'all' && added.length === 0
}

function add(channel: Channel, name: string, isFirst: boolean): void {
  if (name === '*') {
    channel.wildcard = channel.kind.subscription === 'all'
    return
  }
  channel.names.add(name)
  // Asked for again, it has to be sent again: the client may have forgotten it. With the first request it says what it has.
  if (!isFirst) channel.sent.delete(name)
}

function give(channel: Channel, name: string): void {
  if (name !== '*') {
    channel.names.delete(name)
    channel.sent.delete(name)
    return
  }
  channel.wildcard = false
  for (const sent of channel.sent.keys()) if (!channel.names.has(sent)) channel.sent.delete(sent)
}

/** Names that the client has to be told are not there: it waits for them. */
const missing = ({ names, sent }: Channel, offer: Offer): readonly string[] =>
  [...names].filter((name) => !offer.byName.has(name) && !sent.has(name))

/** Names that the client has, or thinks that it has. */
const gone = ({ sent }: Channel, offer: Offer): readonly string[] =>
  [...sent].filter(([name, version]) => version !== absent && !offer.byName.has(name)).map(([name]) => name)

function changed(channel: Channel, offer: Offer): readonly OfferedResource[] {
  const holds = holdings(channel, offer)
  if (channel.wildcard) return [...offer.byName.values()].filter((resource) => !holds(resource))
  return [...channel.names].flatMap((name) => {
    const resource = offer.byName.get(name)
    return resource && !holds(resource) ? [resource] : []
  })
}

export const delta: Protocol<DeltaRequest> = {
  name: 'delta',
  method: 'DeltaAggregatedResources',
  decode(bytes) {
    const raw = lookup('envoy.service.discovery.v3.DeltaDiscoveryRequest').decode(bytes) as RawRequest
    const added = raw.resource_names_subscribe ?? []
    const given = raw.resource_names_unsubscribe ?? []
    const held = new Map(Object.entries(raw.initial_resource_versions ?? {}))
    return {
      node: nodeOf(raw.node),
      typeUrl: raw.type_url ?? '',
      nonce: raw.response_nonce ?? '',
      error: errorOf(raw.error_detail),
      added,
      given,
      held,
      isReturn: held.size > 0,
      asks: sizeOf([...added, ...given, ...held.keys()]),
    }
  },
  // What a request adds is said once: it counts whenever it was written.
  isOutdated: () => false,
  subscribe(channel, request) {
    const isFirst = !channel.subscribed
    if (isFirst) begin(channel, request)
    for (const name of request.added) add(channel, name, isFirst)
    for (const name of request.given) give(channel, name)
    // What it has and does not want is of no interest.
    if (isFirst && !channel.wildcard)
      for (const name of channel.sent.keys()) if (!channel.names.has(name)) channel.sent.delete(name)
  },
  due(channel, offer, turn) {
    if (!channel.subscribed) return undefined
    const all = changed(channel, offer)
    const isNew = ({ name }: OfferedResource): boolean =>
      !channel.started || (channel.names.has(name) && !channel.sent.has(name))
    const resources = turn === 'requested' ? all.filter(isNew) : all
    const removed = [...missing(channel, offer), ...(turn === 'removed' ? gone(channel, offer) : [])]
    const waits = channel.wildcard && !channel.started
    return resources.length > 0 || removed.length > 0 || waits ? { resources, removed } : undefined
  },
  encode({ typeUrl, version, nonce, resources, removed }) {
    const type = lookup('envoy.service.discovery.v3.DeltaDiscoveryResponse')
    const message = type.create({
      system_version_info: version,
      type_url: typeUrl,
      nonce,
      resources: resources.map((resource) => ({
        name: resource.name,
        version: resource.version,
        resource: { type_url: typeUrl, value: resource.bytes },
      })),
      removed_resources: removed,
    })
    return Buffer.from(type.encode(message).finish())
  },
}
