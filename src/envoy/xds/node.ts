// Who speaks on a stream: what a node says of itself in `envoy.config.core.v3.Node`, and whether it can be served at
// all. A node that cannot gets an empty snapshot and the reason, never a guess (spec control-plane 2.1, 2.11).

export type AdsNode = {
  readonly id: string
  readonly cluster: string
  /** `envoy`, `gRPC Node Pure JS`, …; empty when it does not say. */
  readonly agent: string
  /** `1.40.0`; empty when it does not say. */
  readonly build: string
  /** `locality.region`. */
  readonly region: string
  /** Configuration that it wants (`metadata.weir.bucket`); empty when it does not say. */
  readonly bucket: string
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

function bucketOf(metadata: RawStruct | null | undefined): string {
  const weir = metadata?.fields?.['weir']?.structValue
  return (weir?.fields?.['bucket']?.stringValue ?? '').slice(0, maxIdLength)
}

/** Undefined when it has no id, or one that is none. */
export function nodeOf(raw: RawNode | null | undefined): AdsNode | undefined {
  const id = raw?.id ?? ''
  if (id === '' || id.length > maxIdLength) return undefined
  return {
    id,
    cluster: (raw?.cluster ?? '').slice(0, maxIdLength),
    agent: (raw?.user_agent_name ?? '').slice(0, maxIdLength),
    build: buildOf(raw?.user_agent_build_version?.version),
    region: (raw?.locality?.region ?? '').slice(0, maxIdLength),
    bucket: bucketOf(raw?.metadata),
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
