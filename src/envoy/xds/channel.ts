// One resource type on one stream: what Envoy asked for, what it was sent, what it said to that. One response is
// in flight at a time; what changes meanwhile is sent with the next.
import type { Kind } from './kind.ts'
import type { Resource } from './snapshot.ts'
import type { Offer } from './view.ts'

/** A refusal as it is reported. */
export type Refusal = {
  readonly type: string
  readonly version: string
  /** Envoy's own words. */
  readonly message: string
  readonly resources: readonly string[]
}

type Nack = {
  readonly version: string
  readonly message: string
  /** Name → version of the resources in the refused response. */
  readonly resources: ReadonlyMap<string, string>
}

type Flight = {
  readonly nonce: string
  readonly version: string
  readonly resources: ReadonlyMap<string, string>
}

export type Channel = {
  readonly kind: Kind
  subscribed: boolean
  wildcard: boolean
  names: ReadonlySet<string>
  /** Name → version last sent. */
  readonly sent: Map<string, string>
  /** Something was sent, if only that there is nothing. */
  started: boolean
  inFlight: Flight | undefined
  acked: string | undefined
  nack: Nack | undefined
}

export const openChannel = (kind: Kind): Channel => ({
  kind,
  subscribed: false,
  wildcard: false,
  names: new Set(),
  sent: new Map(),
  started: false,
  inFlight: undefined,
  acked: undefined,
  nack: undefined,
})

/** Takes over the names of a request. Listeners and clusters are asked for as "all" by naming none. */
export function subscribe(channel: Channel, names: readonly string[]): void {
  const all =
    channel.kind.subscription === 'all' &&
    (names.includes('*') || (names.length === 0 && channel.names.size === 0))
  channel.subscribed = true
  channel.wildcard = all
  channel.names = new Set(names)
  if (all) return
  // Asked for again later, it has to be sent again.
  for (const name of channel.sent.keys()) if (!channel.names.has(name)) channel.sent.delete(name)
}

const inOffer = (offer: Offer, names: Iterable<string>): readonly Resource[] =>
  [...names].map((name) => offer.byName.get(name)).filter((resource) => resource !== undefined)

const isSent = (channel: Channel, resource: Resource): boolean =>
  channel.sent.get(resource.name) === resource.version

/** A type that is sent as a whole: all of it, when anything differs from what was sent. */
function whole(channel: Channel, offer: Offer): readonly Resource[] | undefined {
  const wanted = channel.wildcard ? [...offer.byName.values()] : inOffer(offer, channel.names)
  const same =
    channel.started &&
    wanted.length === channel.sent.size &&
    wanted.every((resource) => isSent(channel, resource))
  return same ? undefined : wanted
}

/**
 * What has to be sent now; undefined when Envoy has it. `requested` leaves out what Envoy has in an older version:
 * its turn in the publish has not come.
 */
export function due(
  channel: Channel,
  offer: Offer,
  which: 'changed' | 'requested',
): readonly Resource[] | undefined {
  if (!channel.subscribed) return undefined
  if (channel.kind.subscription === 'all')
    return which === 'changed' || !channel.started ? whole(channel, offer) : undefined
  const wanted = inOffer(offer, channel.names).filter((resource) =>
    which === 'changed' ? !isSent(channel, resource) : !channel.sent.has(resource.name),
  )
  return wanted.length === 0 ? undefined : wanted
}

/** Writes down that the resources are on their way. */
export function sending(
  channel: Channel,
  resources: readonly Resource[],
  flight: Omit<Flight, 'resources'>,
): void {
  if (channel.kind.subscription === 'all') channel.sent.clear()
  for (const { name, version } of resources) channel.sent.set(name, version)
  channel.started = true
  channel.inFlight = { ...flight, resources: new Map(resources.map(({ name, version }) => [name, version])) }
}

/** Takes Envoy's answer to the response in flight; what it refused is not sent again until it changes. */
export function answered(channel: Channel, error: string | undefined): Flight | undefined {
  const flight = channel.inFlight
  channel.inFlight = undefined
  if (!flight) return undefined
  if (error !== undefined) {
    channel.nack = { version: flight.version, message: error, resources: flight.resources }
    return flight
  }
  channel.acked = flight.version
  const { nack } = channel
  const repaired = nack && [...nack.resources.keys()].every((name) => flight.resources.has(name))
  if (repaired || channel.kind.subscription === 'all') channel.nack = undefined
  return flight
}

const isStillOffered = (channel: Channel, nack: Nack, offer: Offer): boolean =>
  channel.kind.subscription === 'all'
    ? nack.version === offer.version
    : [...nack.resources].some(([name, version]) => offer.byName.get(name)?.version === version)

/** The refusal of what is offered now, if there is one. */
export function refusalOf(channel: Channel, offer: Offer): Refusal | undefined {
  const { nack, kind } = channel
  if (!nack || !isStillOffered(channel, nack, offer)) return undefined
  return {
    type: kind.name,
    version: nack.version,
    message: nack.message,
    resources: [...nack.resources.keys()],
  }
}

/** Has Envoy answered to everything that the offer holds for it? */
export const isSettled = (channel: Channel, offer: Offer): boolean =>
  channel.inFlight === undefined && due(channel, offer, 'changed') === undefined
