// An incremental client that does exactly what a test says: it acknowledges nothing by itself.
import { lookup } from '#envoy'
import {
  type AdsStream,
  type AnyType,
  type ShortType,
  messageOf,
  openAdsStream,
  shortTypeOf,
} from './ads-stream.ts'

export type Received = {
  readonly type: ShortType
  readonly nonce: string
  readonly names: readonly string[]
  readonly removed: readonly string[]
  /** Name → version, as the client would say it has them after a reconnect. */
  readonly versions: Readonly<Record<string, string>>
  /** The resources themselves, to be compared with those of the other protocol. */
  readonly bytes: readonly Uint8Array[]
}

export type Ask = {
  readonly add?: readonly string[]
  readonly give?: readonly string[]
  readonly held?: Readonly<Record<string, string>>
  readonly nonce?: string
  readonly error?: string
}

export type DeltaClient = Omit<AdsStream<Received>, 'write'> & {
  ask(type: AnyType, ask?: Ask): void
  ack(response: Received): void
  nack(response: Received, message: string): void
}

type RawResponse = {
  readonly nonce?: string
  readonly type_url?: string
  readonly resources?: readonly {
    readonly name: string
    readonly version: string
    readonly resource: { readonly value: Uint8Array }
  }[]
  readonly removed_resources?: readonly string[]
}

function received(bytes: Buffer): Received {
  const raw = lookup('envoy.service.discovery.v3.DeltaDiscoveryResponse').decode(bytes) as RawResponse
  const resources = raw.resources ?? []
  return {
    type: shortTypeOf(raw.type_url ?? ''),
    nonce: raw.nonce ?? '',
    names: resources.map(({ name }) => name),
    removed: raw.removed_resources ?? [],
    versions: Object.fromEntries(resources.map(({ name, version }) => [name, version])),
    bytes: resources.map(({ resource }) => resource.value),
  }
}

const encode = (request: object): Buffer => {
  const type = lookup('envoy.service.discovery.v3.DeltaDiscoveryRequest')
  return Buffer.from(type.encode(type.create(request)).finish())
}

/** @param node other fields of `envoy.config.core.v3.Node` */
export function connectDelta(port: number, id = 'envoy-0', node: object = {}): DeltaClient {
  const { write, ...stream } = openAdsStream(port, 'DeltaAggregatedResources', received)
  const ask = (type: AnyType, { add = [], give = [], held = {}, nonce = '', error }: Ask = {}): void =>
    write(
      encode({
        node: { id, cluster: 'weir', ...node },
        type_url: `type.googleapis.com/${messageOf(type)}`,
        resource_names_subscribe: add,
        resource_names_unsubscribe: give,
        initial_resource_versions: held,
        response_nonce: nonce,
        ...(error === undefined ? {} : { error_detail: { code: 3, message: error } }),
      }),
    )
  return {
    ...stream,
    ask,
    ack: ({ type, nonce }) => ask(type, { nonce }),
    nack: ({ type, nonce }, error) => ask(type, { nonce, error }),
  }
}
