// Whether a policy can be put in force. Every expression was checked alone when it was read; together they may still need
// more memory than there is, and that is better said by `weir validate` than by a filter that starts.
import { createChallenges } from '#challenge'
import type { Policy } from '#config'
import { compilePatternSet } from '#platform'
import { noLocation } from '#request'
import { ruleFlags } from './content-filter/signatures.ts'
import { createPipeline } from './pipeline.ts'

/** What cannot be compiled, and the document that it is about; empty: not known. */
export type CompileProblem = { readonly document: string; readonly reason: string; readonly remedy: string }

const messageOf = (error: unknown): string => String(error).replace(/^\w*Error: /, '')

/** All rules in one automaton, which is the measure; a filter divides them, and takes about the same memory. */
function tooManyRules({ contentFilterRules }: Policy): CompileProblem | undefined {
  try {
    compilePatternSet(
      contentFilterRules.map(({ operand }) => operand),
      ruleFlags,
    )
    return undefined
  } catch (error) {
    return {
      document: 'content-filter-rules',
      reason: `the rules are too costly: ${messageOf(error)}`,
      remedy: 'Remove rules, or shorten repetitions such as {1,200} and long lists of alternatives in them.',
    }
  }
}

/** Compiles everything and throws it away. Costs as much time and memory as a filter that starts. */
export function compileProblems(policy: Policy): readonly CompileProblem[] {
  const rules = tooManyRules(policy)
  if (rules !== undefined) return [rules]
  try {
    createPipeline(policy, {
      state: { exchange: () => ({ answers: [], local: false }), close: () => Promise.resolve() },
      locator: { missing: [], locate: () => noLocation },
      challenges: createChallenges(),
      onDefect: () => undefined,
    })
    return []
  } catch (error) {
    return [
      {
        document: '',
        reason: `it cannot be put in force: ${messageOf(error)}`,
        remedy: 'If this is not about the number of expressions it is a defect of Weir: please report it.',
      },
    ]
  }
}
