// What filters subscribe to: the policy of the bucket, and who is in quarantine (spec control-plane 2.1). Both travel the
// same way as Envoy's resources, with the same versions, ACKs and NACKs.
import {
  type EncodedDocument,
  type ListedSerials,
  type Revocations,
  listsOf,
  noRevocations,
  revocationsOf,
} from '#config'
import { weirType } from '../weir-protos.ts'
import type { Kind } from './kind.ts'
import { typeUrlOf } from './resources.ts'
import { type Resource, type Snapshot, versionOf } from './snapshot.ts'

/** What the delivery knows of a kind, whoever makes its resources. */
export type DeliveredKind = Pick<Kind, 'message' | 'subscription' | 'step'> & {
  readonly name: Kind['name'] | 'policy' | 'quarantine'
}

/** Before anything that Envoys get: a route must not lead to a filter that does not know its site. */
const beforeEnvoys = -1

export const policyKind: DeliveredKind = {
  name: 'policy',
  message: 'weir.config.v1.Policy',
  subscription: 'all',
  step: beforeEnvoys,
}

export const quarantineKind: DeliveredKind = {
  name: 'quarantine',
  message: 'weir.config.v1.Quarantine',
  subscription: 'all',
  step: beforeEnvoys,
}

export const filterKinds: readonly DeliveredKind[] = [policyKind, quarantineKind]

/** What a filter is to run. */
export type FilterPolicy = {
  /** The bucket. */
  readonly name: string
  readonly revision: string
  readonly branch: string
  readonly documents: readonly EncodedDocument[]
  /** Undefined: each filter has its own. */
  readonly maskingSeed: string | undefined
  readonly revocations: Revocations
}

type RawPolicy = {
  readonly name?: string
  readonly revision?: string
  readonly branch?: string
  readonly documents?: readonly EncodedDocument[]
  readonly masking_seed?: string
  readonly revocations?: readonly ListedSerials[]
}

const encode = (message: 'Policy' | 'Quarantine', fields: object): Uint8Array => {
  const type = weirType(message)
  return type.encode(type.fromObject(fields)).finish()
}

const resourceOf = (name: string, bytes: Uint8Array): Resource => ({
  name,
  version: versionOf(bytes),
  bytes,
  references: [],
  json: {},
})

/** Equal lists, equal bytes. */
const inOrder = (revocations: Revocations): readonly ListedSerials[] =>
  listsOf(revocations)
    .map((list) => ({ ...list, serials: list.serials.toSorted() }))
    .toSorted((a, b) => (a.ca < b.ca ? -1 : 1))

/** Larger ones no filter takes. */
export const largestPolicyBytes = 256 * 1024 * 1024

/** Throws for one that no filter would take. */
export function encodePolicy(policy: FilterPolicy): Resource {
  const fields: RawPolicy = {
    name: policy.name,
    revision: policy.revision,
    branch: policy.branch,
    documents: policy.documents,
    masking_seed: policy.maskingSeed ?? '',
    revocations: inOrder(policy.revocations),
  }
  const bytes = encode('Policy', fields)
  if (bytes.length > largestPolicyBytes)
    throw new Error(
      `the policy has ${String(bytes.length)} bytes, and filters take at most ${String(largestPolicyBytes)}: split the configuration`,
    )
  return resourceOf(policy.name, bytes)
}

/** Throws for bytes that are no Policy. */
export function decodePolicy(bytes: Uint8Array): FilterPolicy {
  const type = weirType('Policy')
  const raw = type.toObject(type.decode(bytes), { defaults: true, arrays: true }) as Required<RawPolicy>
  return {
    name: raw.name,
    revision: raw.revision,
    branch: raw.branch,
    documents: raw.documents,
    maskingSeed: raw.masking_seed === '' ? undefined : raw.masking_seed,
    revocations: raw.revocations.length === 0 ? noRevocations : revocationsOf(raw.revocations),
  }
}

/** Nobody is in quarantine. */
export const emptyQuarantine = (bucket: string): Resource =>
  resourceOf(bucket, encode('Quarantine', { name: bucket }))

/** The snapshot, and what filters get together with it. */
export function withFilterResources(
  snapshot: Snapshot,
  policy: Resource,
  quarantine: Resource = emptyQuarantine(policy.name),
): Snapshot {
  const own: readonly (readonly [DeliveredKind, Resource])[] = [
    [policyKind, policy],
    [quarantineKind, quarantine],
  ]
  return {
    ...snapshot,
    version: versionOf(snapshot.version, ...own.map(([, { version }]) => version)),
    resources: new Map([
      ...snapshot.resources,
      ...own.map(([kind, resource]) => [typeUrlOf(kind), [resource]] as const),
    ]),
  }
}
