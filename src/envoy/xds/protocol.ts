// What the two xDS protocols have in common, and where they differ. `session.ts` knows only this; state of the world
// (`sotw.ts`) and incremental (`delta.ts`) each answer the same four questions.
// Rules: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import type { Change, Channel } from './channel.ts'
import type { AdsNode } from './node.ts'
import type { Offer } from './view.ts'

export type AdsRequest = {
  readonly node: AdsNode | undefined
  readonly typeUrl: string
  readonly nonce: string
  /** Why the client refused the response with that nonce. */
  readonly error: string | undefined
  /** It brings resources along from an earlier stream. */
  readonly isReturn: boolean
  /** What its names would cost; the session bounds it. */
  readonly asks: { readonly count: number; readonly longest: number }
}

export const sizeOf = (names: readonly string[]): AdsRequest['asks'] => ({
  count: names.length,
  longest: names.reduce((most, { length }) => Math.max(most, length), 0),
})

export type AdsResponse = Change & {
  readonly typeUrl: string
  readonly version: string
  readonly nonce: string
}

/**
 * How far a type may go now. `requested`: only what the client has in no version, because the type's turn in a publish has
 * not come. `changed`: additions and changes. `removed`: also what is gone, because nothing names it any more.
 */
export type Turn = 'requested' | 'changed' | 'removed'

export type Protocol<Request extends AdsRequest> = {
  readonly name: 'sotw' | 'delta'
  /** Of `envoy.service.discovery.v3.AggregatedDiscoveryService`. */
  readonly method: 'StreamAggregatedResources' | 'DeltaAggregatedResources'
  /** Throws for bytes that are no request. */
  decode(bytes: Buffer): Request
  /** Written before the response in flight arrived, and said again with the answer to that. */
  isOutdated(channel: Channel, request: Request): boolean
  /** Takes over what the client wants. */
  subscribe(channel: Channel, request: Request): void
  /** What has to be sent now; undefined: nothing. */
  due(channel: Channel, offer: Offer, turn: Turn): Change | undefined
  encode(response: AdsResponse): Buffer
}

type RawError = { readonly message?: string } | null | undefined

/** A refusal needs words, and not more of them than a log line bears. */
export const errorOf = (raw: RawError): string | undefined =>
  raw ? (raw.message ?? '').slice(0, 4096) || 'no reason given' : undefined
