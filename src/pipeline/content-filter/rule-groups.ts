// Rules that a text is known to have something of, one text at a time: `rule-set.ts` has found them in all texts of a request
// together, and only the automata of these are tried.
import { type PatternFlags, compilePatternSet } from '#platform'

/** Rules of one automaton: larger ones grow with what they have read (`rule-set.ts`). */
const groupSize = 4

export type RuleGroups = {
  /** Those of `candidates`, places of rules, that match. */
  matchAmong(value: string, candidates: readonly number[]): readonly number[]
}

/** Throws on what `compilePatternSet` throws on. */
export function compileRuleGroups(sources: readonly string[], flags: PatternFlags): RuleGroups {
  const groups = Array.from({ length: Math.ceil(sources.length / groupSize) }, (_, i) =>
    compilePatternSet(sources.slice(i * groupSize, (i + 1) * groupSize), flags),
  )
  return {
    matchAmong(value, candidates) {
      const text = Buffer.from(value)
      const wanted = new Set(candidates)
      const matched: number[] = []
      for (const at of new Set(candidates.map((place) => Math.trunc(place / groupSize)))) {
        for (const i of groups[at]?.match(text) ?? []) {
          const place = at * groupSize + i
          if (wanted.has(place)) matched.push(place)
        }
      }
      return matched
    },
  }
}
