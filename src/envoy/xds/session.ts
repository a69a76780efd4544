// The state-of-the-world protocol on one stream, without gRPC: requests in, responses out.
// Rules: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol. A later kind is not sent before Envoy
// has answered to the earlier ones, except what it asks for itself: that it needs in order to answer.
import {
  type Channel,
  type Refusal,
  answered,
  due,
  isSettled,
  openChannel,
  refusalOf,
  sending,
  subscribe,
} from './channel.ts'
import { kinds, typeUrlOf } from './resources.ts'
import type { Resource } from './snapshot.ts'
import { type View, offerOf } from './view.ts'

export type AdsNode = { readonly id: string; readonly cluster: string; readonly build: string }

export type AdsRequest = {
  readonly typeUrl: string
  readonly names: readonly string[]
  readonly nonce: string
  /** Why Envoy refused the response with that nonce. */
  readonly error: string | undefined
}

export type AdsResponse = {
  readonly typeUrl: string
  readonly version: string
  readonly nonce: string
  readonly resources: readonly Resource[]
}

export type SessionHooks = {
  view(): View | undefined
  send(response: AdsResponse): void
  onAck(type: string, version: string): void
  onNack(refusal: Refusal): void
}

export type TypeStatus = {
  readonly type: string
  readonly acked: string | undefined
  readonly nack: Refusal | undefined
  readonly inFlight: boolean
}

export type Session = {
  receive(request: AdsRequest): void
  /** Kinds up to this step may be sent (a publish in progress); Infinity outside of one. */
  allow(step: number): void
  /** Envoy has answered to everything up to the step. */
  isSettled(step: number): boolean
  /** Envoy refused something of what is offered now. */
  refusal(): Refusal | undefined
  status(): readonly TypeStatus[]
}

export function openSession(hooks: SessionHooks): Session {
  const channels: ReadonlyMap<string, Channel> = new Map(
    kinds.map((kind) => [typeUrlOf(kind), openChannel(kind)]),
  )
  const all = [...channels.values()]
  let allowed = Infinity
  let nonces = 0

  const settled = (channel: Channel, view: View): boolean =>
    isSettled(channel, offerOf(view, typeUrlOf(channel.kind)))

  /** Envoy does not ask again for the endpoints of a cluster that it rebuilds: they have to follow. */
  function forgetEndpointsOf(changed: readonly Resource[]): void {
    const endpoints = all.find(({ kind }) => kind.name === 'endpoint')
    for (const { references } of changed)
      for (const { kind, name } of references) if (kind === 'endpoint') endpoints?.sent.delete(name)
  }

  function offer(channel: Channel, view: View): void {
    if (channel.inFlight) return
    const { step } = channel.kind
    const isItsTurn = step <= allowed && all.every((other) => other.kind.step >= step || settled(other, view))
    const typeUrl = typeUrlOf(channel.kind)
    const { version } = offerOf(view, typeUrl)
    const resources = due(channel, offerOf(view, typeUrl), isItsTurn ? 'changed' : 'requested')
    if (!resources) return
    if (channel.kind.name === 'cluster')
      forgetEndpointsOf(resources.filter((resource) => channel.sent.get(resource.name) !== resource.version))
    const nonce = String(++nonces)
    sending(channel, resources, { nonce, version })
    hooks.send({ typeUrl, version, nonce, resources })
  }

  function offerAll(): void {
    const view = hooks.view()
    if (view) for (const channel of all) offer(channel, view)
  }

  function answer(channel: Channel, error: string | undefined): void {
    const flight = answered(channel, error)
    if (!flight) return
    const { version, resources } = flight
    const type = channel.kind.name
    if (error === undefined) hooks.onAck(type, version)
    else hooks.onNack({ type, version, message: error, resources: [...resources.keys()] })
  }

  return {
    receive(request) {
      const channel = channels.get(request.typeUrl)
      if (!channel) return
      // Written before our last response arrived; Envoy repeats what it wants with the answer to that.
      const { inFlight } = channel
      if (inFlight && request.nonce !== inFlight.nonce) return
      answer(channel, request.error)
      subscribe(channel, request.names)
      offerAll()
    },
    allow(step) {
      allowed = step
      offerAll()
    },
    isSettled(step) {
      const view = hooks.view()
      return view === undefined || all.every((channel) => channel.kind.step > step || settled(channel, view))
    },
    refusal() {
      const view = hooks.view()
      if (!view) return undefined
      for (const channel of all) {
        const refusal = refusalOf(channel, offerOf(view, typeUrlOf(channel.kind)))
        if (refusal) return refusal
      }
      return undefined
    },
    status() {
      const view = hooks.view()
      return all
        .filter(({ subscribed }) => subscribed)
        .map((channel) => ({
          type: channel.kind.name,
          acked: channel.acked,
          nack: view && refusalOf(channel, offerOf(view, typeUrlOf(channel.kind))),
          inFlight: channel.inFlight !== undefined,
        }))
    },
  }
}
