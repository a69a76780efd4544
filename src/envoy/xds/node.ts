// Who speaks on a stream: what a node says of itself in `envoy.config.core.v3.Node`, and whether it can be served at
// all. A node that cannot gets an empty snapshot and the reason, never a guess (spec control-plane 2.1, 2.11).
import { isIP } from 'node:net'
import { type SocketPlace, parsePlace } from '#platform'

/** What a node is: it says so in `metadata.weir.role`; Envoys need not. */
export type Role = 'envoy' | 'filter'

export type AdsNode = {
  readonly id: string
  readonly role: Role
  readonly cluster: string
  /** `envoy`, `gRPC Node Pure JS`, …; empty when it does not say. */
  readonly agent: string
  /** `1.40.0`; empty when it does not say. */
  readonly build: string
  /** `locality.region`. */
  readonly region: string
  /** Configuration that it wants (`metadata.weir.bucket`); empty when it does not say. */
  readonly bucket: string
  /** Where Envoys reach a filter (`metadata.weir.grpc_address`); undefined: it does not say, or says no address. */
  readonly grpcAddress: SocketPlace | undefined
  /** `metadata.weir.labels`. */
  readonly labels: Readonly<Record<string, string>>
}

/** The part of the protobuf message that is read; any field may be missing or of another kind than expected. */
export type RawNode = {
  readonly id?: string
  readonly cluster?: string
  readonly user_agent_name?: string
  readonly user_agent_build_version?: { readonly version?: object | null } | null
  readonly locality?: { readonly region?: string } | null
  readonly metadata?: RawStruct | null
}

type RawStruct = {
  readonly fields?: Readonly<Record<string, { stringValue?: string; structValue?: RawStruct | null }>>
}

const oldestMinor = 36

/** Longer ids are no ids: they would be kept and logged for as long as the stream lasts. */
const maxIdLength = 256

function buildOf(version: object | null | undefined): string {
  if (!version) return ''
  const { major_number = 0, minor_number = 0, patch = 0 } = version as Readonly<Record<string, number>>
  return `${major_number}.${minor_number}.${patch}`
}

const textOf = (struct: RawStruct | null | undefined, name: string): string =>
  (struct?.fields?.[name]?.stringValue ?? '').slice(0, maxIdLength)

const maxLabels = 64

function labelsOf(struct: RawStruct | null | undefined): Readonly<Record<string, string>> {
  const names = Object.keys(struct?.fields ?? {}).slice(0, maxLabels)
  return Object.fromEntries(names.map((name) => [name.slice(0, maxIdLength), textOf(struct, name)] as const))
}

/** Envoy dials addresses alone: a name would make it refuse all endpoints. */
function addressOf(text: string): SocketPlace | undefined {
  const place = parsePlace(text)
  return place !== undefined && place.port > 0 && isIP(place.host) !== 0 ? place : undefined
}

/** Undefined when it has no id, or one that is none. */
export function nodeOf(raw: RawNode | null | undefined): AdsNode | undefined {
  const id = raw?.id ?? ''
  if (id === '' || id.length > maxIdLength) return undefined
  const weir = raw?.metadata?.fields?.['weir']?.structValue
  return {
    id,
    role: textOf(weir, 'role') === 'filter' ? 'filter' : 'envoy',
    cluster: (raw?.cluster ?? '').slice(0, maxIdLength),
    agent: (raw?.user_agent_name ?? '').slice(0, maxIdLength),
    build: buildOf(raw?.user_agent_build_version?.version),
    region: (raw?.locality?.region ?? '').slice(0, maxIdLength),
    bucket: textOf(weir, 'bucket'),
    grpcAddress: addressOf(textOf(weir, 'grpc_address')),
    labels: labelsOf(weir?.fields?.['labels']?.structValue),
  }
}

function isTooOld({ agent, build }: AdsNode): boolean {
  if (agent !== 'envoy' || build === '') return false
  const [major = 0, minor = 0] = build.split('.').map(Number)
  return major < 1 || (major === 1 && minor < oldestMinor)
}

/** Why this node gets nothing; undefined: it is served. */
export function unservedBecause(node: AdsNode, bucket: string): string | undefined {
  if (isTooOld(node))
    return `Envoy ${node.build} is too old: Weir needs 1.${String(oldestMinor)} or later; update this Envoy`
  if (node.bucket !== '' && node.bucket !== bucket)
    return `there is no bucket ${node.bucket}: correct metadata.weir.bucket in the bootstrap of this node; this control plane has ${bucket}`
  return undefined
}
