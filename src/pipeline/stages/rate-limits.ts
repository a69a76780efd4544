// The limits of the path (spec pipeline 4.5, 4.6): the site's rate per client address, and the rules that the site level
// and the selected entry name. One exchange for all of them, so a request that the rate refuses is still counted.
import type { MapEntry, Policy, RateLimitRule, SecurityPolicy } from '#config'
import type { StateOperation } from '#state'
import { refusal, systemSource } from '../actions.ts'
import type { Stage } from '../stage.ts'
import type { Transaction } from '../transaction.ts'
import { type RuleIndex, askLimits, concludeLimits, indexRules } from './limits.ts'

/** The rules in force on an entry: the site level's first, duplicates removed, global ones left to stage 4. */
function rulesOf(policy: SecurityPolicy, entry: MapEntry): readonly RateLimitRule[] {
  const siteLevel = policy.entries.find(({ role }) => role === 'site-level')?.rateLimitRules ?? []
  return [...new Set([...siteLevel, ...entry.rateLimitRules])].filter((rule) => !rule.global)
}

function indexEntries(policy: Policy): ReadonlyMap<MapEntry, RuleIndex> {
  const index = new Map<MapEntry, RuleIndex>()
  for (const { policy: securityPolicy } of policy.serverGroups) {
    for (const entry of securityPolicy.entries) {
      if (!index.has(entry)) index.set(entry, indexRules(rulesOf(securityPolicy, entry)))
    }
  }
  return index
}

/** The bucket of spec pipeline 4.6; no rate: no bucket. */
function bucketOperation({ site, request }: Transaction): StateOperation | undefined {
  const { ipRatePerSecond, ipRateBurst } = site.group.template
  if (ipRatePerSecond === 0) return undefined
  return {
    kind: 'bucket',
    key: `bucket:${site.group.id}:${request.ip}`,
    ratePerSecond: ipRatePerSecond,
    burst: ipRateBurst,
  }
}

export const rateLimits: Stage = {
  name: 'rate-limits',
  number: 5,
  milestone: 'limit',
  io: 'state',
  compile({ policy, actions }) {
    const entries = indexEntries(policy)
    const fallback = policy.actions.get('action-rate-limit-block')
    return (t) => {
      const limits = askLimits(t, entries.get(t.site.entry)?.applicable(t) ?? [])
      const bucket = bucketOperation(t)
      if (bucket === undefined && limits.asked.length === 0) return undefined
      return {
        operations: bucket === undefined ? limits.operations : [...limits.operations, bucket],
        conclude({ answers }) {
          const candidates = concludeLimits(t, actions, limits, answers, fallback)
          if (bucket !== undefined && answers[limits.operations.length] === 0) {
            t.tags.add('general:ip-rate', systemSource(5))
            return refusal(t, 503, 'General: IP rate limit exceeded')
          }
          return actions.resolve(t, candidates)
        },
      }
    }
  },
}
