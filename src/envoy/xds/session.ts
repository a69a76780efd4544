// One stream, without gRPC and whatever its protocol: requests in, responses out. A later kind is not sent before the
// client has answered to the earlier ones, except what it asks for itself: that it needs in order to answer. What is gone
// goes last, in reverse, when nothing names it any more (make before break).
import { type Channel, type Refusal, accept, openChannel, refusalOf, refuse, sending } from './channel.ts'
import type { AdsRequest, AdsResponse, Protocol, Turn } from './protocol.ts'
import { kindsOf } from './delivered.ts'
import type { DeliveredKind } from './filter-resources.ts'
import type { Role } from './node.ts'
import { typeUrlOf } from './resources.ts'
import type { OfferedResource } from './snapshot.ts'
import { type View, offerOf } from './view.ts'

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

/** What the publisher sees of a session. */
export type Session = {
  readonly role: Role
  /** Why this node gets nothing; undefined: it is served. */
  readonly unserved: string | undefined
  /** Kinds up to this step may be sent (a publish in progress); Infinity outside of one. */
  allow(step: number): void
  /** Sends what is offered now and was not a moment ago. */
  refresh(): void
  /** The client has answered to everything up to the step; what is gone may still have to go. */
  isSettled(step: number): boolean
  /** The client has something of this kind in use, whichever version. */
  runs(kind: DeliveredKind['name']): boolean
  /** What the client refused of what is offered now. */
  refusals(): readonly Refusal[]
  status(): readonly TypeStatus[]
}

export type OpenSession<Request> = Session & {
  /** Throws TooManyNames. */
  receive(request: Request): void
  /** The stream is over. */
  close(): void
}

/** A client that asks for more than any configuration holds: the stream ends, or it would fill the memory. */
export class TooManyNames extends Error {
  override readonly name = 'TooManyNames'
}

/** Names of one type on one stream: far more than any site needs. */
const maxNames = 100_000
const maxNameLength = 1024

function refuseNames(count: number, longest: number): void {
  if (count > maxNames) throw new TooManyNames(`more than ${String(maxNames)} names of one type`)
  if (longest > maxNameLength)
    throw new TooManyNames(`a resource name of more than ${String(maxNameLength)} characters`)
}

type SessionOptions<Request extends AdsRequest> = {
  readonly protocol: Protocol<Request>
  readonly hooks: SessionHooks
  readonly role?: Role
  readonly unserved?: string | undefined
  /** Milliseconds for which a client keeps what it brought from an earlier stream and is no longer there. */
  readonly drainMs: number
}

export function openSession<Request extends AdsRequest>(
  options: SessionOptions<Request>,
): OpenSession<Request> {
  const { protocol, hooks, role = 'envoy', unserved, drainMs } = options
  const channels: ReadonlyMap<string, Channel> = new Map(
    kindsOf[role].map((kind) => [typeUrlOf(kind), openChannel(kind)]),
  )
  const all = [...channels.values()]
  let allowed = Infinity
  let nonces = 0
  let returning: NodeJS.Timeout | undefined

  /** Has something, and was sent nothing to answer to. */
  const isFresh = ({ acked, nack, started }: Channel): boolean =>
    started && acked === undefined && nack === undefined

  const offerFor = (channel: Channel, view: View) => offerOf(view, typeUrlOf(channel.kind))

  const isDone = (channel: Channel, view: View, turn: Turn): boolean =>
    channel.inFlight === undefined && protocol.due(channel, offerFor(channel, view), turn) === undefined

  /** Named resources go after what may name them; of the others the last that came go first. */
  const goesBefore = (other: Channel, channel: Channel): boolean =>
    other.kind.subscription === 'all' &&
    (channel.kind.subscription === 'named' || other.kind.step > channel.kind.step)

  function turnOf(channel: Channel, view: View): Turn {
    const { step } = channel.kind
    const others = all.filter((other) => other !== channel)
    if (step > allowed || others.some((other) => other.kind.step < step && !isDone(other, view, 'changed')))
      return 'requested'
    const mayRemove =
      allowed === Infinity &&
      returning === undefined &&
      others.every((other) => isDone(other, view, goesBefore(other, channel) ? 'removed' : 'changed'))
    return mayRemove ? 'removed' : 'changed'
  }

  /** Envoy does not ask again for the endpoints of a cluster that it rebuilds: they have to follow. */
  function forgetEndpointsOf(changed: readonly OfferedResource[]): void {
    const endpoints = all.find(({ kind }) => kind.name === 'endpoint')
    for (const { references } of changed)
      for (const { kind, name } of references) if (kind === 'endpoint') endpoints?.sent.delete(name)
  }

  function offer(channel: Channel, view: View): void {
    if (channel.inFlight) return
    const offered = offerFor(channel, view)
    const change = protocol.due(channel, offered, turnOf(channel, view))
    if (!change) return
    if (channel.kind.name === 'cluster')
      forgetEndpointsOf(change.resources.filter(({ name, version }) => channel.sent.get(name) !== version))
    const nonce = String(++nonces)
    sending(channel, change, offered, nonce)
    hooks.send({ ...change, typeUrl: typeUrlOf(channel.kind), version: offered.version, nonce })
  }

  function offerAll(): void {
    const view = hooks.view()
    if (!view) return
    for (const channel of all) offer(channel, view)
    // Whoever came back with everything has acknowledged it before.
    for (const channel of all)
      if (isFresh(channel) && isDone(channel, view, 'removed'))
        channel.acked = offerFor(channel, view).version
  }

  /**
   * A client that comes back says type by type what it has: a cluster that is gone may be named by routes that it has not
   * told of yet, and by requests that are under way.
   */
  function drainFirst(): void {
    clearTimeout(returning)
    returning = setTimeout(() => {
      returning = undefined
      offerAll()
    }, drainMs)
    returning.unref()
  }

  function answer(channel: Channel, { nonce, error }: Request): void {
    const { inFlight } = channel
    if (!inFlight || nonce !== inFlight.nonce) return
    if (error === undefined) {
      accept(channel, inFlight)
      hooks.onAck(channel.kind.name, inFlight.version)
    } else hooks.onNack(refuse(channel, inFlight, error))
  }

  return {
    role,
    unserved,
    receive(request) {
      const channel = channels.get(request.typeUrl)
      if (!channel || protocol.isOutdated(channel, request)) return
      const { count, longest } = request.asks
      refuseNames(count, longest)
      if (request.isReturn) drainFirst()
      answer(channel, request)
      protocol.subscribe(channel, request)
      refuseNames(channel.names.size, 0)
      offerAll()
    },
    close() {
      clearTimeout(returning)
    },
    allow(step) {
      allowed = step
      offerAll()
    },
    refresh: offerAll,
    runs: (kind) =>
      all.some(
        (one) => one.kind.name === kind && one.sent.size > 0 && (one.brought || one.acked !== undefined),
      ),
    isSettled(step) {
      const view = hooks.view()
      return view === undefined || all.every((one) => one.kind.step > step || isDone(one, view, 'changed'))
    },
    refusals() {
      const view = hooks.view()
      if (!view) return []
      return all.flatMap((channel) => refusalOf(channel, offerFor(channel, view)) ?? [])
    },
    status() {
      const view = hooks.view()
      return all
        .filter(({ subscribed }) => subscribed)
        .map((channel) => ({
          type: channel.kind.name,
          acked: channel.acked,
          nack: view && refusalOf(channel, offerFor(channel, view)),
          inFlight: channel.inFlight !== undefined,
        }))
    },
  }
}
