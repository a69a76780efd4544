// The policy that a filter acknowledged last, on disk: what it runs after a restart while the control plane is away. The same
// file form as the snapshot that the control plane keeps. The masking seed is in it: only its owner may read it.
import { rm } from 'node:fs/promises'
import { policyKind } from './filter-resources.ts'
import { type KeptPlace, packSnapshot, readKeptSnapshot, writeKept } from './kept-snapshot.ts'
import type { FilterResource } from './policy-stream.ts'
import { typeUrlOf } from './resources.ts'

const type = typeUrlOf(policyKind)

/** Undefined, with a warning when there is a file, when there is nothing to be trusted. */
export function readKeptPolicy(place: KeptPlace): FilterResource | undefined {
  const [resource] = readKeptSnapshot(place, 'policy')?.resources.get(type) ?? []
  return resource && { name: resource.name, version: resource.version, bytes: Buffer.from(resource.bytes) }
}

export type PolicyKeeper = {
  /** Replaces what is kept, soon; what goes wrong is told and changes nothing for requests. */
  keep(policy: FilterResource): void
  /** Resolves when the last one is on disk. */
  stop(): Promise<void>
}

export function createPolicyKeeper({ file, maxBytes, bucket, log }: KeptPlace): PolicyKeeper {
  let writing: Promise<void> = Promise.resolve()
  let next: FilterResource | undefined

  async function write(): Promise<void> {
    const policy = next
    next = undefined
    if (policy === undefined) return
    const { version } = policy
    if (policy.bytes.length > maxBytes) {
      log.warn({ file, version, maxBytes }, 'the policy is too large to be kept; raise xds.kept.max_bytes')
      return
    }
    const resources = new Map([[type, [{ ...policy, references: [] }]]])
    try {
      await writeKept(file, packSnapshot({ version, resources, staticClusters: [] }, bucket))
      log.debug({ file, version }, 'the acknowledged policy is kept')
    } catch (error) {
      await rm(`${file}.new`, { force: true }).catch(() => undefined)
      log.warn({ file, err: error }, 'the acknowledged policy could not be kept')
    }
  }

  return {
    keep(policy) {
      next = policy
      writing = writing.then(write)
    },
    stop: () => writing,
  }
}
