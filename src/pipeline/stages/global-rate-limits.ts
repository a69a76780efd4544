// Global rate limits (spec pipeline 4.5): rules that count on every site, and the bans that any rule has imposed. Before
// the limits of the path, because a ban refuses whatever the path is.
import type { Policy, RateLimitRule } from '#config'
import type { StateOperation } from '#state'
import type { Stage, StageContext } from '../stage.ts'
import type { Transaction } from '../transaction.ts'
import { askLimits, concludeLimits, counterKey, indexRules, refuseBanned } from './limits.ts'

/** Rules that may have banned somebody and that this stage does not count anyway. */
function banRules(policy: Policy): readonly RateLimitRule[] {
  return policy.rateLimitRules.filter((rule) => rule.banMs !== undefined)
}

const excluded = (t: Transaction, { exclude: { relation, tags } }: RateLimitRule): boolean =>
  tags.length > 0 &&
  (relation === 'OR' ? tags.some((tag) => t.tags.has(tag)) : tags.every((tag) => t.tags.has(tag)))

function compile({ policy, actions }: StageContext): (t: Transaction) => ReturnType<typeof ask> {
  const index = indexRules(policy.rateLimitRules.filter((rule) => rule.global))
  const banning = banRules(policy)
  const fallback = policy.actions.get('action-rate-limit-block')

  function ask(t: Transaction): { operations: readonly StateOperation[]; conclude: Conclude } | undefined {
    const limits = askLimits(t, index.applicable(t))
    const counted = new Set(limits.asked.map(({ rule }) => rule))
    const bans = banning.flatMap((rule) => {
      const key = counted.has(rule) || excluded(t, rule) ? undefined : counterKey(t, rule)
      return key === undefined ? [] : [{ rule, operation: { kind: 'banned', key } as const }]
    })
    const operations = [...limits.operations, ...bans.map(({ operation }) => operation)]
    if (operations.length === 0 && limits.asked.length === 0) return undefined
    return {
      operations,
      conclude({ answers }) {
        const counts = concludeLimits(t, actions, limits, answers, fallback)
        const refused = bans.flatMap(({ rule }, i) => {
          const candidate =
            answers[limits.operations.length + i] === 1 ? refuseBanned(t, rule, fallback) : undefined
          return candidate === undefined ? [] : [candidate]
        })
        return actions.resolve(t, [...refused, ...counts])
      },
    }
  }
  return ask
}

type Conclude = (exchange: {
  readonly answers: readonly number[]
}) => ReturnType<StageContext['actions']['resolve']>

export const globalRateLimits: Stage = { name: 'global-rate-limits', number: 4, io: 'state', compile }
