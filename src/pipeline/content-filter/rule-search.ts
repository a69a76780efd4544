// Rules on texts that come from no request: the examples that rules carry, a value that somebody wonders about. Texts are
// read, decoded and searched as the content filter does with the value of a parameter; libinjection has no part in it.
import type { ContentFilterRule, ValueReading } from '#config'
import { compilePattern } from '#platform'
import { compileSignatures, ruleFlags } from './signatures.ts'
import { addVariants, candidatesIn, rulesIn } from './texts.ts'

export type FoundPart = {
  /** What the value was decoded to; undefined: the rule is found in the value as it is. */
  readonly decoded: string | undefined
  readonly part: string
}

export type RuleSearch = {
  /** Whether rules see the value at all, or something it is decoded to. */
  examines(value: string): boolean
  /** The rules that are found in the value, in their order. */
  find(value: string): readonly ContentFilterRule[]
  /** The first part of the value that a rule found by `find` matches. */
  partOf(rule: ContentFilterRule, value: string): FoundPart
}

/** Throws SyntaxError for a rule whose operand was not checked. */
export function createRuleSearch(rules: readonly ContentFilterRule[], reading: ValueReading): RuleSearch {
  const signatures = compileSignatures({ active: ['cf-all'], report: [], ignore: [] }, rules)
  const textsOf = (value: string): readonly string[] => {
    const texts = new Set<string>()
    addVariants(texts, value, reading)
    return [...texts]
  }
  return {
    examines: (value) => textsOf(value).length > 0,
    find(value) {
      const texts = textsOf(value)
      const candidates = candidatesIn(texts, signatures)
      if (candidates.length === 0) return []
      return rulesIn(texts, signatures, candidates).flatMap((i) => rules[i] ?? [])
    },
    partOf(rule, value) {
      const pattern = compilePattern(rule.operand, ruleFlags)
      for (const text of textsOf(value)) {
        const part = pattern.find(text)
        if (part !== undefined) return { decoded: text === value ? undefined : text, part }
      }
      return { decoded: undefined, part: '' }
    },
  }
}
