// All rules of a profile as one set. Rules that reach over any distance would make one automaton for all of them so large
// that texts full of their beginnings build its states for seconds. So an automaton or few look for what each rule
// requires (`required.ts`), and of the rules that reach far only the small groups whose part was found are tried.
import { type PatternFlags, type PatternSet, compilePatternSet } from '#platform'
import { analyse } from './required.ts'

/**
 * Rules of one automaton. The states of two rules multiply, so that small automata meet a text full of beginnings that they
 * have not seen before with a quarter of the cost of large ones, and an ordinary text with no more (docs/robustness.md).
 */
const groupSize = 4
const soughtAtOnce = 16
/** More automata would cost ordinary texts more than they save, however many rules there are. */
const mostSearches = 16
const mostUnknownGroups = 16

type Sought = { readonly pattern: string; readonly index: number; readonly far: boolean }
type Group = { readonly indexes: readonly number[]; readonly set: PatternSet }

const chunks = <T>(list: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))

/** A set of patterns that matches like `compilePatternSet` of all of them, ascending; throws on the same patterns. */
export function compileRuleSet(sources: readonly string[], flags: PatternFlags): PatternSet {
  const sought: Sought[] = []
  const unknown: number[] = []
  sources.forEach((source, index) => {
    const analysis = analyse(source)
    if (analysis.kind === 'near') sought.push({ pattern: source, index, far: false })
    else if (analysis.kind === 'far') sought.push({ pattern: analysis.part, index, far: true })
    else unknown.push(index)
  })
  const groupOf = (indexes: readonly number[]): Group => ({
    indexes,
    set: compilePatternSet(
      indexes.map((index) => sources[index] ?? ''),
      flags,
    ),
  })
  const always = chunks(unknown, Math.max(groupSize, Math.ceil(unknown.length / mostUnknownGroups))).map(
    groupOf,
  )
  const far = sought.filter((one) => one.far).map(({ index }) => index)
  const groups = new Map(
    chunks(far, groupSize)
      .map(groupOf)
      .flatMap((group) => group.indexes.map((index) => [index, group] as const)),
  )
  const searches = chunks(sought, Math.max(soughtAtOnce, Math.ceil(sought.length / mostSearches))).map(
    (part) => ({
      indexes: part.map(({ index }) => index),
      set: compilePatternSet(
        part.map(({ pattern }) => pattern),
        flags,
      ),
    }),
  )

  const tryGroup = ({ indexes, set }: Group, text: Buffer, matched: number[]): void => {
    for (const i of set.match(text)) matched.push(indexes[i] ?? 0)
  }
  return {
    size: sources.length,
    match(value) {
      const text = typeof value === 'string' ? Buffer.from(value) : value
      const matched: number[] = []
      for (const group of always) tryGroup(group, text, matched)
      let tried: Set<Group> | undefined
      for (const { indexes, set } of searches) {
        for (const i of set.match(text)) {
          const index = indexes[i] ?? 0
          const group = groups.get(index)
          if (group === undefined) matched.push(index)
          else if (!tried?.has(group)) {
            tried = (tried ?? new Set()).add(group)
            tryGroup(group, text, matched)
          }
        }
      }
      return matched.length > 1 ? matched.toSorted((a, b) => a - b) : matched
    },
  }
}
