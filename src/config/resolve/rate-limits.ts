// Rate limit rules: actions in place of their ids, thresholds sorted, and where each rule is connected.
import type { RateLimitRuleEntry } from '../documents/rate-limit-rules.ts'
import type { SecurityPolicyEntry } from '../documents/security-policies.ts'
import { finding } from '../findings.ts'
import type { Action, ActionType, RateLimitRule } from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Document } from '../read/read-entries.ts'
import { type Target, follow } from './references.ts'

/** For this test `skip` ranks lowest (spec pipeline 4.5, Several thresholds). */
const ranks: Readonly<Record<ActionType, number>> = {
  skip: 0,
  monitor: 1,
  challenge: 2,
  interactive_challenge: 3,
  block: 4,
}

type Threshold = RateLimitRule['thresholds'][number]

function readThresholds(
  rule: RateLimitRuleEntry,
  actions: Target<Action>,
  report: Report,
): readonly Threshold[] {
  const resolved = rule.thresholds.flatMap(({ limit, actionId }, i) => {
    const at = `thresholds[${String(i)}]`
    const action = follow(actions, actionId, `${at}.action`, report)
    return action === undefined ? [] : [{ limit, action, at }]
  })
  const kept: Threshold[] = []
  for (const { limit, action, at } of resolved.toSorted((a, b) => a.limit - b.limit)) {
    const before = kept.at(-1)
    if (before !== undefined && ranks[action.type] < ranks[before.action.type]) {
      report.warning(
        at,
        finding(
          `dropped: "${action.id}" ranks below "${before.action.id}" of the smaller limit ${String(before.limit)}`,
          'Give the higher limit the stronger action.',
        ),
      )
    } else kept.push({ limit, action })
  }
  return kept
}

/** Active rules by id. */
export function resolveRateLimits(
  rules: Document<RateLimitRuleEntry>,
  policies: ReadonlyMap<string, SecurityPolicyEntry>,
  actions: Target<Action>,
): ReadonlyMap<string, RateLimitRule> {
  const connections = new Map<string, Set<string>>()
  for (const policy of policies.values()) {
    for (const id of policy.entries.flatMap(({ rateLimitIds }) => rateLimitIds)) {
      connections.set(id, (connections.get(id) ?? new Set()).add(policy.id))
    }
  }
  const active = new Map<string, RateLimitRule>()
  for (const rule of rules.entries.values()) {
    const report = rules.reportOn(rule.id)
    const thresholds = readThresholds(rule, actions, report)
    const connectedTo = connections.get(rule.id) ?? new Set<string>()
    if (!rule.active) continue
    if (!rule.global && connectedTo.size === 0) {
      report.warning(
        '',
        finding('has no effect', 'Name the rule in rate_limit_rules of a path map entry, or make it global.'),
      )
    }
    const { id, name, tags, global, timeframeMs, key, event, include, exclude, banMs } = rule
    active.set(id, {
      id,
      name,
      tags,
      global,
      timeframeMs,
      key,
      event,
      thresholds,
      include,
      exclude,
      banMs,
      connectedTo,
    })
  }
  return active
}
