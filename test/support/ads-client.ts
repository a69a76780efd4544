// A state-of-the-world client that does exactly what a test says: it acknowledges nothing by itself.
import { lookup } from '#envoy'
import {
  type AdsStream,
  type AnyType,
  type ShortType,
  messageOf,
  openAdsStream,
  shortTypeOf,
} from './ads-stream.ts'
import { weirType } from '../../src/envoy/weir-protos.ts'

export type Received = {
  readonly type: ShortType
  readonly version: string
  readonly nonce: string
  /** Names in order. */
  readonly names: readonly string[]
  /** The resources themselves, to be compared with those of the other protocol. */
  readonly bytes: readonly Uint8Array[]
}

export type AdsClient = Omit<AdsStream<Received>, 'write'> & {
  ask(type: AnyType, names?: readonly string[], nonce?: string): void
  ack(response: Pick<Received, 'type' | 'version' | 'nonce'>, names?: readonly string[]): void
  nack(response: Received, message: string, names?: readonly string[]): void
  /** Bytes that are no request. */
  garbage(bytes: Buffer): void
}

type RawResponse = {
  readonly version_info?: string
  readonly nonce?: string
  readonly type_url?: string
  readonly resources?: readonly { readonly value: Uint8Array }[]
}

function nameOf(type: ShortType, value: Uint8Array): string {
  const message =
    type === 'policy'
      ? weirType('Policy')
      : type === 'quarantine'
        ? weirType('Quarantine')
        : lookup(messageOf(type))
  const { name, cluster_name } = message.decode(value) as { name?: string; cluster_name?: string }
  return name ?? cluster_name ?? ''
}

function received(message: Buffer): Received {
  const raw = lookup('envoy.service.discovery.v3.DiscoveryResponse').decode(message) as RawResponse
  const type = shortTypeOf(raw.type_url ?? '')
  const names = (raw.resources ?? []).map(({ value }) => nameOf(type, value))
  const bytes = (raw.resources ?? []).map(({ value }) => value)
  return { type, version: raw.version_info ?? '', nonce: raw.nonce ?? '', names, bytes }
}

const encode = (request: object): Buffer => {
  const type = lookup('envoy.service.discovery.v3.DiscoveryRequest')
  return Buffer.from(type.encode(type.create(request)).finish())
}

/** @param node other fields of `envoy.config.core.v3.Node` */
export function connectAds(port: number, id = 'envoy-0', node: object = {}): AdsClient {
  const { write: send, ...stream } = openAdsStream(port, 'StreamAggregatedResources', received)
  const write = (type: string, names: readonly string[], nonce: string, more: object = {}): void =>
    send(
      encode({
        node: { id, cluster: 'weir', ...node },
        type_url: `type.googleapis.com/${messageOf(type)}`,
        resource_names: names,
        response_nonce: nonce,
        ...more,
      }),
    )
  return {
    ...stream,
    ask: (type, names = [], nonce = '') => write(type, names, nonce),
    ack: (response, names = []) =>
      write(response.type, names, response.nonce, { version_info: response.version }),
    nack: (response, message, names = []) =>
      write(response.type, names, response.nonce, { error_detail: { code: 3, message } }),
    garbage: send,
  }
}
