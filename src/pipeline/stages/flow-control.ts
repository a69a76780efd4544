// Flow control (spec pipeline 4.4): tags requests that complete a sequence of requests. Never answers; stands before
// the limits and the ACL because those act on its tags.
import { type FlowPolicy, type FlowStep } from '#config'
import { type Pattern, compilePattern } from '#platform'
import type { StateOperation } from '#state'
import { readKey } from '../selectors.ts'
import type { Question, Stage } from '../stage.ts'
import { qualifiedTag } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

type CompiledCondition = {
  readonly section: FlowStep['conditions'][number]['section']
  readonly name: string
  readonly pattern: Pattern
}
type CompiledStep = {
  readonly policy: FlowPolicy
  readonly index: number
  readonly host: string | undefined
  readonly conditions: readonly CompiledCondition[]
}

const stepKey = (method: string, path: string): string => `${method} ${path}`

/** Steps by method and path, so that a request looks only at policies that it can advance. */
function indexSteps(policies: readonly FlowPolicy[]): ReadonlyMap<string, readonly CompiledStep[]> {
  const steps = new Map<string, CompiledStep[]>()
  for (const policy of policies) {
    policy.steps.forEach((step, index) => {
      const conditions = step.conditions.map(({ section, name, pattern }) => ({
        section,
        name,
        pattern: compilePattern(pattern, { ignoreCase: true }),
      }))
      const key = stepKey(step.method, step.uri)
      steps.set(key, [...(steps.get(key) ?? []), { policy, index, host: step.host, conditions }])
    })
  }
  return steps
}

function matches({ request }: Transaction, step: CompiledStep): boolean {
  if (step.host !== undefined && step.host !== (step.host.includes(':') ? request.authority : request.host))
    return false
  return step.conditions.every(({ section, name, pattern }) => {
    const value = request[section].get(name)?.value
    return value !== undefined && pattern.test(value)
  })
}

function inScope(t: Transaction, policy: FlowPolicy): boolean {
  if (policy.exclude.some((tag) => t.tags.has(tag))) return false
  return policy.include.length === 0 || policy.include.some((tag) => t.tags.has(tag))
}

/** The steps that the request matches, by policy; each policy's indexes ascending. */
function matchedSteps(
  t: Transaction,
  steps: readonly CompiledStep[],
): ReadonlyMap<FlowPolicy, readonly number[]> {
  const matched = new Map<FlowPolicy, number[]>()
  for (const step of steps) {
    if (!inScope(t, step.policy) || !matches(t, step)) continue
    const indexes = matched.get(step.policy)
    if (indexes === undefined) matched.set(step.policy, [step.index])
    else indexes.push(step.index)
  }
  return matched
}

function complete(t: Transaction, policy: FlowPolicy): void {
  const source = { stage: 3, kind: 'flow-control', id: policy.id, name: policy.name, locations: [] } as const
  t.tags.add(qualifiedTag('fc-id', policy.id), source)
  t.tags.add(qualifiedTag('fc-name', policy.name), source)
  t.tags.addAll(policy.tags, source)
}

function ask(t: Transaction, matched: ReadonlyMap<FlowPolicy, readonly number[]>): Question | undefined {
  const asked: FlowPolicy[] = []
  const operations: StateOperation[] = []
  for (const [policy, indexes] of matched) {
    const key = readKey(t, policy.key)
    if (key === undefined) continue
    asked.push(policy)
    operations.push({
      kind: 'sequence',
      key: `flow:${policy.id}:${key}`,
      matched: indexes,
      steps: policy.steps.length,
      windowMs: policy.timeframeMs,
    })
  }
  if (operations.length === 0) return undefined
  return {
    operations,
    conclude({ answers }) {
      asked.forEach((policy, i) => {
        if (answers[i] === 1) complete(t, policy)
      })
      return undefined
    },
  }
}

export const flowControl: Stage = {
  name: 'flow-control',
  number: 3,
  milestone: 'flow',
  io: 'state',
  compile({ policy }) {
    const steps = indexSteps(policy.flowPolicies)
    return (t) => {
      const candidates = steps.get(stepKey(t.request.method, t.request.uri.path))
      return candidates === undefined ? undefined : ask(t, matchedSteps(t, candidates))
    }
  },
}
