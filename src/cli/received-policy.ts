// Where the policy of a subscribed filter comes from: a message of the control plane or, at the start, a folder. Both are read by
// the same code, without keys.
import { type Policy, buildPolicy, formatProblem, loadFolder, totalOf } from '#config'
import type { FilterPolicy } from '#envoy'
import type { Settings } from '#platform'
import { seedSource } from './masking-seed.ts'

/** Reads the documents of a message with the code that reads a folder. Throws with everything that is wrong. */
export function policyOf(message: FilterPolicy, settings: Settings): Policy {
  const { revision, branch, documents, maskingSeed } = message
  const entries = documents.map(({ name, json }): [string, unknown] => [
    name,
    JSON.parse(Buffer.from(json).toString('utf8')),
  ])
  const built = buildPolicy(Object.fromEntries(entries), {
    branch,
    withKeys: false,
    // Whether a backend may be on its own machine is for those to say who configure Envoys.
    allowLoopbackBackends: true,
    maskingSeed: maskingSeed === undefined ? seedSource(settings) : () => ({ ok: true, seed: maskingSeed }),
  })
  // Filters are told less than what the revision was made of.
  if (built.ok) return { ...built.policy, revision }
  const total = totalOf(built.problems)
  const lines = built.problems.slice(0, 20).map(formatProblem)
  const count = total === 1 ? 'a problem' : `${String(total)} problems`
  throw new Error(`${count} in policy ${revision}: ${lines.join(' ')}`)
}

/** The folder's policy with the seed that it needed; undefined: the folder is broken, of which the control plane tells. */
export function policyOfFolder(
  folder: string,
  settings: Settings,
): { readonly policy: Policy; readonly maskingSeed: string | undefined } | undefined {
  const seeds = seedSource(settings)
  let maskingSeed: string | undefined
  const loaded = loadFolder(folder, {
    withKeys: false,
    allowLoopbackBackends: settings.values['envoy.allow_loopback_backends'],
    maskingSeed() {
      const found = seeds()
      if (found.ok) maskingSeed = found.seed
      return found
    },
  })
  return loaded.ok ? { policy: loaded.policy, maskingSeed } : undefined
}
