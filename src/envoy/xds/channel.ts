// One resource type on one stream: what the client asked for, what it was sent, what it said to that. One response is
// in flight at a time; what changes meanwhile is sent with the next. What to send, and how it is written, differs
// between the protocols: `sotw.ts` and `delta.ts`.
import type { DeliveredKind } from './filter-resources.ts'
import type { OfferedResource } from './snapshot.ts'
import type { Offer } from './view.ts'

/** A refusal as it is reported. */
export type Refusal = {
  readonly type: string
  readonly version: string
  /** Envoy's own words. */
  readonly message: string
  readonly resources: readonly string[]
}

/** What is sent at once. */
export type Change = {
  readonly resources: readonly OfferedResource[]
  /** Names that are gone, or were never there. */
  readonly removed: readonly string[]
}

type Flight = {
  readonly nonce: string
  readonly version: string
  /** Name → version, `absent` for what was removed. */
  readonly resources: ReadonlyMap<string, string>
  /** Everything that was refused before is in it again, as far as it is still offered. */
  readonly isRetry: boolean
}

type Nack = Pick<Flight, 'resources'> & { readonly refusal: Refusal }

export type Channel = {
  readonly kind: DeliveredKind
  subscribed: boolean
  /** All resources of the kind are wanted, whatever their names. */
  wildcard: boolean
  /** Names that were asked for one by one. */
  readonly names: Set<string>
  /** Name → version that the client has or that is on its way; `absent`: it knows that there is none. */
  readonly sent: Map<string, string>
  /** The client has been told something, if only that there is nothing. */
  started: boolean
  /** It came back with something that it runs. */
  brought: boolean
  inFlight: Flight | undefined
  acked: string | undefined
  nack: Nack | undefined
}

/** No version of a resource: it does not exist. */
export const absent = ''

export const openChannel = (kind: DeliveredKind): Channel => ({
  kind,
  subscribed: false,
  wildcard: false,
  names: new Set(),
  sent: new Map(),
  started: false,
  brought: false,
  inFlight: undefined,
  acked: undefined,
  nack: undefined,
})

const offered = (offer: Offer, name: string): string => offer.byName.get(name)?.version ?? absent

/** Part of what was refused has changed. The client may have taken nothing of that response, so all of it goes again. */
const hasChanged = (nack: Nack, offer: Offer): boolean =>
  [...nack.resources].some(([name, version]) => offered(offer, name) !== version)

/** With these versions in it, a response repeats everything that was refused and is still there. */
const repeats = (nack: Nack, offer: Offer, versions: ReadonlyMap<string, string>): boolean =>
  [...nack.resources.keys()].every((name) => versions.has(name) || offered(offer, name) === absent)

/** Whether the client has this version of a resource, or will have it when it answers. */
export function holdings(channel: Channel, offer: Offer): (resource: OfferedResource) => boolean {
  const { sent, nack } = channel
  const again = nack && hasChanged(nack, offer) ? nack.resources : undefined
  return ({ name, version }) => sent.get(name) === version && again?.has(name) !== true
}

/** Writes down that the change is on its way. */
export function sending(channel: Channel, { resources, removed }: Change, offer: Offer, nonce: string): void {
  const versions = new Map(resources.map(({ name, version }) => [name, version]))
  for (const name of removed) versions.set(name, absent)
  for (const [name, version] of versions)
    if (version === absent && !channel.names.has(name)) channel.sent.delete(name)
    else channel.sent.set(name, version)
  channel.started = true
  const { nack } = channel
  const isRetry = nack !== undefined && hasChanged(nack, offer) && repeats(nack, offer, versions)
  channel.inFlight = { nonce, version: offer.version, resources: versions, isRetry }
}

/** The client took the response in flight. */
export function accept(channel: Channel, { version, isRetry }: Flight): void {
  channel.inFlight = undefined
  channel.acked = version
  if (isRetry) channel.nack = undefined
}

/** The client refused the response in flight: what was in it is not sent again until something of it changes. */
export function refuse(channel: Channel, { version, resources }: Flight, message: string): Refusal {
  const refusal = { type: channel.kind.name, version, message, resources: [...resources.keys()] }
  channel.inFlight = undefined
  channel.nack = { refusal, resources }
  return refusal
}

/** The refusal of what is offered now, if there is one; the same object for as long as it stands. */
export const refusalOf = ({ nack }: Channel, offer: Offer): Refusal | undefined =>
  nack && !hasChanged(nack, offer) ? nack.refusal : undefined
