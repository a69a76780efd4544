// Rate limit rules, as stages 4 and 5 share them (spec pipeline 4.5): which rules apply to a request, what is counted for
// them, and what an exceeded limit means.
import type { Action, RateLimitRule, Selector, TagScope } from '#config'
import { type StateOperation, bannedAnswer } from '#state'
import type { Actions, Candidate } from '../actions.ts'
import type { Located } from '../decision.ts'
import { readSelector } from '../selectors.ts'
import { qualifiedTag } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

/** Rules indexed by the tags that switch them on, so that rules for other traffic cost nothing. */
export type RuleIndex = { applicable(t: Transaction): readonly RateLimitRule[] }

const lists = (t: Transaction, { relation, tags }: TagScope): boolean =>
  tags.length > 0 &&
  (relation === 'OR' ? tags.some((tag) => t.tags.has(tag)) : tags.every((tag) => t.tags.has(tag)))

/** Exclude is tested first; an empty include list means everything. */
function inScope(t: Transaction, rule: RateLimitRule): boolean {
  if (lists(t, rule.exclude)) return false
  return rule.include.tags.length === 0 || lists(t, rule.include)
}

export function indexRules(rules: readonly RateLimitRule[]): RuleIndex {
  const always = rules.filter((rule) => rule.include.tags.length === 0)
  const byTag = new Map<string, RateLimitRule[]>()
  const order = new Map(rules.map((rule, i) => [rule, i]))
  for (const rule of rules) {
    const { relation, tags } = rule.include
    // Of an AND list one tag is enough to find the rule; `inScope` then tests them all.
    for (const tag of relation === 'AND' ? tags.slice(0, 1) : tags)
      byTag.set(tag, [...(byTag.get(tag) ?? []), rule])
  }
  return {
    applicable(t) {
      const found = always.filter((rule) => inScope(t, rule))
      if (byTag.size === 0) return found
      const tagged = new Set<RateLimitRule>()
      for (const tag of t.tags.names()) {
        for (const rule of byTag.get(tag) ?? []) if (inScope(t, rule)) tagged.add(rule)
      }
      if (tagged.size === 0) return found
      return [...found, ...tagged].toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0))
    },
  }
}

/** Count-by for this rule: the session is the client address where the request's policy is not connected to a global rule. */
function read(t: Transaction, rule: RateLimitRule, selector: Selector): string | undefined {
  const session = selector.in === 'attrs' && selector.attribute === 'session'
  return session && !rule.connectedTo.has(t.site.policy.id) ? t.request.ip : readSelector(t, selector)
}

/** The counter's key for this request; undefined: a selector finds nothing and the rule is not evaluated. */
export function counterKey(t: Transaction, rule: RateLimitRule): string | undefined {
  let key = `limit:${rule.id}:`
  for (const selector of rule.key) {
    const value = read(t, rule, selector)
    if (value === undefined) return undefined
    key += `${String(value.length)}:${value}`
  }
  return key
}

const highest = (rule: RateLimitRule): number => rule.thresholds.at(-1)?.limit ?? 0

/** The question that counts this request for the rule; undefined: the rule is not evaluated. */
export function countOperation(t: Transaction, rule: RateLimitRule): StateOperation | undefined {
  const key = counterKey(t, rule)
  if (key === undefined) return undefined
  const ban = rule.banMs === undefined ? {} : { ban: { above: highest(rule), forMs: rule.banMs } }
  if (rule.event === undefined) return { kind: 'count', key, windowMs: rule.timeframeMs, ...ban }
  const value = read(t, rule, rule.event)
  return value === undefined
    ? undefined
    : { kind: 'distinct', key, value, windowMs: rule.timeframeMs, ...ban }
}

function locate(t: Transaction, rule: RateLimitRule): Located {
  const [selector] = rule.key
  if (selector === undefined) return { section: '', name: '', value: '' }
  const value = read(t, rule, selector) ?? ''
  if (selector.in === 'attrs')
    return {
      section: 'attributes',
      name: selector.attribute,
      value: selector.attribute === 'session' ? t.session.hash : value,
    }
  const parameter = t.request[selector.in].get(selector.name)
  return { section: parameter?.place ?? selector.in, name: selector.name, value }
}

function attachTags(t: Transaction, rule: RateLimitRule, at: Located): void {
  const source = {
    stage: t.stage,
    kind: 'rate-limit',
    id: rule.id,
    name: rule.name,
    locations: [at],
  } as const
  t.tags.add(qualifiedTag('limit-id', rule.id), source)
  t.tags.add(qualifiedTag('limit-name', rule.name), source)
  t.tags.addAll(rule.tags, source)
}

function banAction(rule: RateLimitRule, fallback: Action | undefined): Action | undefined {
  const action = rule.thresholds.at(-1)?.action
  return action?.type === 'block' ? action : fallback
}

/** A banned source is refused whatever the request is (spec pipeline 4.5, Ban mode). */
export function refuseBanned(
  t: Transaction,
  rule: RateLimitRule,
  fallback: Action | undefined,
): Candidate | undefined {
  const action = banAction(rule, fallback)
  if (action === undefined) return undefined
  const at = locate(t, rule)
  attachTags(t, rule, at)
  t.tags.add(qualifiedTag('limit-ban', rule.name), {
    stage: t.stage,
    kind: 'rate-limit',
    id: rule.id,
    name: rule.name,
    locations: [at],
  })
  t.triggers.rl.push({
    trigger_id: rule.id,
    trigger_name: rule.name,
    action: action.type,
    extra: 'ban',
    ...at,
    threshold: highest(rule),
    counter: 0,
  })
  return { action, reason: `Rate limit ban: ${rule.name}` }
}

/** Writes a trigger for each exceeded threshold; the rule's one candidate is the highest in rank, then in limit. */
export function judgeCount(
  t: Transaction,
  actions: Actions,
  rule: RateLimitRule,
  count: number,
): Candidate | undefined {
  const exceeded = rule.thresholds.filter(({ limit }) => count > limit)
  if (exceeded.length === 0) return undefined
  const at = locate(t, rule)
  attachTags(t, rule, at)
  let winner: (typeof exceeded)[number] | undefined
  for (const threshold of exceeded) {
    const effect = actions.effectOf(t, threshold.action)
    t.triggers.rl.push({
      trigger_id: rule.id,
      trigger_name: rule.name,
      action: effect.type,
      extra: effect.extra,
      ...at,
      threshold: threshold.limit,
      counter: count,
    })
    if (
      winner === undefined ||
      actions.rank(effect.type) >= actions.rank(actions.effectOf(t, winner.action).type)
    )
      winner = threshold
  }
  return (
    winner && {
      action: winner.action,
      reason: `Rate limit: ${rule.name} (threshold ${String(winner.limit)})`,
    }
  )
}

/** What one stage asks about its rules; `answer` is the place of a rule's answer, undefined where nothing is counted. */
export type LimitQuestion = {
  readonly asked: readonly { readonly rule: RateLimitRule; readonly answer: number | undefined }[]
  readonly operations: readonly StateOperation[]
}

/** Limit 0 alone: every evaluated request is over it, so no counter is kept. */
const uncounted = (rule: RateLimitRule): boolean => highest(rule) === 0 && rule.banMs === undefined

export function askLimits(t: Transaction, rules: readonly RateLimitRule[]): LimitQuestion {
  const asked: { rule: RateLimitRule; answer: number | undefined }[] = []
  const operations: StateOperation[] = []
  for (const rule of rules) {
    const operation = countOperation(t, rule)
    if (operation === undefined) continue
    asked.push({ rule, answer: uncounted(rule) ? undefined : operations.push(operation) - 1 })
  }
  return { asked, operations }
}

export function concludeLimits(
  t: Transaction,
  actions: Actions,
  { asked }: LimitQuestion,
  answers: readonly number[],
  fallback: Action | undefined,
): readonly Candidate[] {
  return asked.flatMap(({ rule, answer }) => {
    const count = answer === undefined ? 1 : (answers[answer] ?? 0)
    const candidate =
      count === bannedAnswer ? refuseBanned(t, rule, fallback) : judgeCount(t, actions, rule, count)
    return candidate === undefined ? [] : [candidate]
  })
}
