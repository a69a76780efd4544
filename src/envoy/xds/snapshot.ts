// A snapshot: everything that Envoys are told at one moment, serialised, with a version per resource that
// depends on its content alone. The same documents give the same bytes, so what did not change is not sent.
import { createHash } from 'node:crypto'
import type { Policy } from '#config'
import { collectBackends } from './backends.ts'
import { type Encoder, createEncoder } from './encoder.ts'
import type { JsonObject } from './json.ts'
import type { Kind } from './kind.ts'
import { type Placement, placementsOf } from './placement.ts'
import type { Reference } from './references.ts'
import { createPatcher, strictPatches } from './patches/apply.ts'
import { kinds, typeUrlOf } from './resources.ts'
import type { XdsSettings } from './settings.ts'
import { type Temporary, nothingTemporary } from './temporary.ts'

/** What Envoys are sent. */
export type OfferedResource = {
  readonly name: string
  /** First 16 hexadecimal digits of the SHA-256 of `bytes`. */
  readonly version: string
  readonly bytes: Uint8Array
  readonly references: readonly Reference[]
}

/** A resource and what it was made from, as proto3 JSON: for checks, golden files and error messages. */
export type Resource = OfferedResource & { readonly json: JsonObject }

export type SnapshotOf<R extends OfferedResource> = {
  /** Identifies the content: equal resources, equal version. */
  readonly version: string
  /** By type URL; each list is sorted by name. */
  readonly resources: ReadonlyMap<string, readonly R[]>
  /** Clusters that the bootstrap has and that resources may therefore name. */
  readonly staticClusters: readonly string[]
  /** Where listeners are that not every Envoy has, and which filters Envoys prefer; left out: everywhere, and none. */
  readonly placements?: readonly Placement[] | undefined
}

export type Snapshot = SnapshotOf<Resource>
export type OfferedSnapshot = SnapshotOf<OfferedResource>

/** The snapshot without its JSON, which would stay in memory for as long as it is offered. */
export const withoutJson = ({
  version,
  resources,
  staticClusters,
  placements,
}: OfferedSnapshot): OfferedSnapshot => ({
  version,
  staticClusters,
  placements,
  resources: new Map(
    [...resources].map(([typeUrl, list]) => [
      typeUrl,
      list.map((one) => ({
        name: one.name,
        version: one.version,
        bytes: one.bytes,
        references: one.references,
      })),
    ]),
  ),
})

export const versionOf = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 16)
}

/** Version of a set of resources, as state-of-the-world responses carry it. */
export const versionOfAll = (resources: Iterable<OfferedResource>): string =>
  versionOf([...resources].map(({ name, version }) => `${name}\0${version}\n`).join(''))

function toResource(kind: Kind, json: JsonObject, encoder: Encoder): Resource {
  const { bytes, references } = encoder.encode(kind.message, json)
  return { name: kind.nameOf(json), version: versionOf(bytes), bytes, json, references }
}

/** Compares by code units, so that the order is the same in every locale. */
const byName = (a: Resource, b: Resource): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

/**
 * The snapshot of these resources, whoever thought of them. Throws ProtoJsonError when one is no valid message.
 * @param jsonOf what a kind has, as proto3 JSON
 */
export function snapshotOf(
  jsonOf: (kind: Kind) => readonly JsonObject[],
  staticClusters: readonly string[],
  encoder = createEncoder(),
): Snapshot {
  const resources = new Map(
    kinds.map((kind) => [
      typeUrlOf(kind),
      jsonOf(kind)
        .map((json) => toResource(kind, json, encoder))
        .toSorted(byName),
    ]),
  )
  encoder.endOfSnapshot()
  const version = versionOf([...resources.values()].map(versionOfAll).join())
  return { version, resources, staticClusters }
}

/** @param temporary default: nothing */
export type BuildSnapshot = (policy: Policy, settings: XdsSettings, temporary?: Temporary) => Snapshot

/** Builds one snapshot after the other; what did not change is not encoded again. */
export function createSnapshotBuilder(): BuildSnapshot {
  const encoder = createEncoder()
  return (policy, settings, temporary = nothingTemporary) => {
    const patcher = createPatcher(settings.patches ?? strictPatches)
    const backends = collectBackends(policy, settings.listeners)
    const world = { policy, settings, backends, temporary, patcher }
    const snapshot = snapshotOf((kind) => kind.build(world), [settings.controlCluster], encoder)
    patcher.assertApplied()
    return {
      ...snapshot,
      placements: placementsOf(policy.loadBalancers ?? []),
    }
  }
}

/**
 * All Envoy resources of a policy (spec control-plane 2.1). Pure: same input, same bytes.
 * Throws PatchesRefused when patches of templates may not be applied, with a problem for each; and when a generated
 * object is no valid message, which is a fault of the generator, never of a document.
 */
export const buildSnapshot: BuildSnapshot = (...inputs) => createSnapshotBuilder()(...inputs)
