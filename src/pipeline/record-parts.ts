// What a record needs from the policy, prepared when it is published: maskers per profile, rule counts.
import type { ContentFilterProfile, MapEntry, Policy } from '#config'
import { type Entries, compileEntries } from './content-filter/entries.ts'
import { compileSignatures } from './content-filter/signatures.ts'
import { type Masker, createMasker, noMask } from './masking.ts'
import type { RecordSettings } from './record.ts'
import type { Transaction } from './transaction.ts'

export type RecordParts = {
  readonly settings: RecordSettings
  masker(t: Transaction): Masker
}

type Profile = { readonly entries: Entries; readonly kept: number }

function rulesInScope(policy: Policy): ReadonlyMap<MapEntry, number> {
  const global = policy.rateLimitRules.filter((rule) => rule.global).map(({ id }) => id)
  const scope = new Map<MapEntry, number>()
  for (const { policy: securityPolicy } of policy.serverGroups) {
    const siteLevel = securityPolicy.entries.find(({ role }) => role === 'site-level')?.rateLimitRules ?? []
    for (const entry of securityPolicy.entries) {
      scope.set(
        entry,
        new Set([...global, ...[...siteLevel, ...entry.rateLimitRules].map(({ id }) => id)]).size,
      )
    }
  }
  return scope
}

export function compileRecordParts(policy: Policy, maxBytes: number): RecordParts {
  const profiles = new Map<ContentFilterProfile, Profile>()
  for (const { policy: securityPolicy } of policy.serverGroups) {
    for (const { contentFilter } of securityPolicy.entries) {
      if (profiles.has(contentFilter)) continue
      const kept = compileSignatures(contentFilter, policy.contentFilterRules).kept
      profiles.set(contentFilter, { entries: compileEntries(contentFilter), kept })
    }
  }
  const scope = rulesInScope(policy)
  const filters = policy.globalFilters.length
  return {
    settings: {
      revision: policy.revision,
      branch: policy.branch,
      maxBytes,
      counts: ({ site: { entry } }) => ({
        cf: entry.contentFilterActive ? (profiles.get(entry.contentFilter)?.kept ?? 0) : 0,
        gf: filters,
        rl: scope.get(entry) ?? 0,
      }),
    },
    masker(t) {
      const profile = profiles.get(t.site.entry.contentFilter)
      return profile === undefined
        ? noMask
        : createMasker(t.request, profile.entries, t.site.entry.contentFilter.maskingSeed)
    },
  }
}
