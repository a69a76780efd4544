// State of the world: each request repeats all names, each response of a type that is wanted as a whole (clusters,
// listeners) repeats all resources, and what it leaves out is gone. Of the other types only what changed is sent;
// nothing ever says that one of those is gone, the client stops asking instead.
import { lookup } from '../protos.ts'
import { type Channel, type Change, absent, holdings } from './channel.ts'
import { type RawNode, nodeOf } from './node.ts'
import { type AdsRequest, type Protocol, errorOf, sizeOf } from './protocol.ts'
import type { OfferedResource } from './snapshot.ts'
import type { Offer } from './view.ts'

type SotwRequest = AdsRequest & { readonly names: readonly string[] }

type RawRequest = {
  readonly node?: RawNode | null
  readonly resource_names?: readonly string[]
  readonly type_url?: string
  readonly response_nonce?: string
  readonly error_detail?: { readonly message?: string } | null
}

const wanted = (channel: Channel, offer: Offer): readonly OfferedResource[] =>
  channel.wildcard
    ? [...offer.byName.values()]
    : [...channel.names].map((name) => offer.byName.get(name)).filter((found) => found !== undefined)

/** A type that is sent as a whole: all of it, when anything differs from what was sent. */
function whole(channel: Channel, offer: Offer): Change | undefined {
  const resources = wanted(channel, offer)
  const holds = holdings(channel, offer)
  const removed = [...channel.sent]
    .filter(([name, version]) => version !== absent && !offer.byName.has(name))
    .map(([name]) => name)
  const isSame = channel.started && removed.length === 0 && resources.every(holds)
  return isSame ? undefined : { resources, removed }
}

export const sotw: Protocol<SotwRequest> = {
  name: 'sotw',
  method: 'StreamAggregatedResources',
  decode(bytes) {
    const raw = lookup('envoy.service.discovery.v3.DiscoveryRequest').decode(bytes) as RawRequest
    const names = raw.resource_names ?? []
    return {
      node: nodeOf(raw.node),
      typeUrl: raw.type_url ?? '',
      nonce: raw.response_nonce ?? '',
      error: errorOf(raw.error_detail),
      names,
      isReturn: false,
      asks: sizeOf(names),
    }
  },
  isOutdated: ({ inFlight }, { nonce }) => inFlight !== undefined && nonce !== inFlight.nonce,
  subscribe(channel, { names }) {
    // All is asked for by naming none; once names were given, none means none.
    const namesNothing = names.length === 0 && channel.names.size === 0
    channel.subscribed = true
    channel.wildcard = channel.kind.subscription === 'all' && (names.includes('*') || namesNothing)
    channel.names.clear()
    for (const name of names) if (name !== '*') channel.names.add(name)
    if (channel.wildcard) return
    // Asked for again later, it has to be sent again.
    for (const name of channel.sent.keys()) if (!channel.names.has(name)) channel.sent.delete(name)
  },
  due(channel, offer, turn) {
    if (!channel.subscribed) return undefined
    const isRequested = turn === 'requested'
    if (channel.kind.subscription === 'all')
      return isRequested && channel.started ? undefined : whole(channel, offer)
    const holds = holdings(channel, offer)
    const resources = wanted(channel, offer).filter((resource) =>
      isRequested ? !channel.sent.has(resource.name) : !holds(resource),
    )
    return resources.length === 0 ? undefined : { resources, removed: [] }
  },
  encode({ typeUrl, version, nonce, resources }) {
    const type = lookup('envoy.service.discovery.v3.DiscoveryResponse')
    const message = type.create({
      version_info: version,
      type_url: typeUrl,
      nonce,
      resources: resources.map(({ bytes }) => ({ type_url: typeUrl, value: bytes })),
    })
    return Buffer.from(type.encode(message).finish())
  },
}
