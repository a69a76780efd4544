// Where something reads the body (spec pipeline 1.8, control-plane 2.4). Envoy holds a body back only there, and the
// filter parses it only there; both ask this one function, because a body that is read but not delivered is a bypass, and
// buffering everywhere would stall uploads and streams that nobody inspects.
import type {
  Condition,
  FlowPolicy,
  MapEntry,
  Policy,
  RateLimitRule,
  Rule,
  SecurityPolicy,
  Selector,
  ServerGroup,
  ServerName,
} from '#config'

const isArgument = (selector: Selector): boolean => selector.in === 'args'

function ruleReadsArguments(rule: Rule): boolean {
  const inPart = (part: Rule | Condition): boolean =>
    'entries' in part ? ruleReadsArguments(part) : part.match === 'parameter' && part.section === 'args'
  return rule.entries.some(inPart)
}

const limitReadsArguments = (rule: RateLimitRule): boolean =>
  rule.key.some(isArgument) || (rule.event !== undefined && isArgument(rule.event))

const sessionReadsArguments = (policy: SecurityPolicy): boolean =>
  policy.session.some(isArgument) || policy.sessionIds.some(isArgument)

function mayBe(host: string, name: ServerName): boolean {
  switch (name.kind) {
    case 'literal':
      return name.host.replace(/:\d+$/, '') === host.replace(/:\d+$/, '')
    case 'wildcard':
      return host.replace(/:\d+$/, '').endsWith(name.suffix.replace(/:\d+$/, ''))
    case 'regex':
    case 'everything':
      return true
    default:
      return name satisfies never
  }
}

function flowReadsArguments(flow: FlowPolicy, group: ServerGroup): boolean {
  return flow.steps
    .filter(({ host }) => host === undefined || group.serverNames.some((name) => mayBe(host, name)))
    .some((step) => flow.key.some(isArgument) || step.conditions.some(({ section }) => section === 'args'))
}

/** True when a stage that can run for the entry of this group reads the body. */
export function readsBody(policy: Policy, group: ServerGroup, entry: MapEntry): boolean {
  if (entry.contentFilterActive && !entry.contentFilter.ignoreBody) return true
  const siteLevel = group.policy.entries.find(({ role }) => role === 'site-level')
  const limits = [
    // A rule that bans looks its key up on every request, wherever it is connected.
    ...policy.rateLimitRules.filter(({ global, banMs }) => global || banMs !== undefined),
    ...entry.rateLimitRules,
    ...(siteLevel?.rateLimitRules ?? []),
  ]
  return (
    limits.some(limitReadsArguments) ||
    sessionReadsArguments(group.policy) ||
    policy.globalFilters.some(({ rule }) => ruleReadsArguments(rule)) ||
    policy.flowPolicies.some((flow) => flowReadsArguments(flow, group))
  )
}
