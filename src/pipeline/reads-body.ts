// Where something reads the body (spec pipeline 1.8, control-plane 2.4). Envoy holds a body back only there, and the
// filter parses it only there; both ask this one function, because a body that is read but not delivered is a bypass.
import type { MapEntry, Policy, RateLimitRule, Rule, SecurityPolicy, Selector } from '#config'

const isArgument = (selector: Selector): boolean => selector.in === 'args'

const ruleReadsArguments = (rule: Rule): boolean =>
  rule.entries.some((entry) =>
    'match' in entry ? entry.match === 'parameter' && entry.section === 'args' : ruleReadsArguments(entry),
  )

const limitReadsArguments = (rule: RateLimitRule): boolean =>
  rule.key.some(isArgument) || (rule.event !== undefined && isArgument(rule.event))

/** Rules of the whole configuration that may apply to any request. */
function planetReadsArguments(policy: Policy): boolean {
  return (
    policy.globalFilters.some(({ rule }) => ruleReadsArguments(rule)) ||
    policy.flowPolicies.some(
      ({ key, steps }) =>
        key.some(isArgument) ||
        steps.some(({ conditions }) => conditions.some(({ section }) => section === 'args')),
    ) ||
    // A rule that bans looks its key up on every request, wherever it is connected.
    policy.rateLimitRules.some(
      (rule) => (rule.global || rule.banMs !== undefined) && limitReadsArguments(rule),
    )
  )
}

export type BodyReaders = (securityPolicy: SecurityPolicy, entry: MapEntry) => boolean

/** Whether the body of a request to this entry is read by anything. */
export function compileBodyReaders(policy: Policy): BodyReaders {
  const everywhere = planetReadsArguments(policy)
  return (securityPolicy, entry) => {
    if (entry.contentFilterActive && !entry.contentFilter.ignoreBody) return true
    if (everywhere) return true
    const siteLevel = securityPolicy.entries.find(({ role }) => role === 'site-level')?.rateLimitRules ?? []
    return (
      [...securityPolicy.session, ...securityPolicy.sessionIds].some(isArgument) ||
      [...siteLevel, ...entry.rateLimitRules].some(limitReadsArguments)
    )
  }
}
