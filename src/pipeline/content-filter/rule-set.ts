// All rules of a profile as one set. One automaton for all of them would be so large that texts full of their beginnings
// build its states for seconds, and one for each would read a text a hundred times. So rules are tried in small groups, and
// a group only where the text has one of the strings that each of its matches contains (`factor-scan.ts`). Of the few rules
// without such strings, an automaton or few look for what each requires (`required.ts`) before those that reach far are tried.
import { type PatternFlags, type PatternSet, compilePatternSet, createShared } from '#platform'
import { type FactorScan, createFactorScan } from './factor-scan.ts'
import { analyse, factorsOfPattern } from './required.ts'

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

/** Characters of all factors together: the table of transitions has a row for each. */
const mostFactorText = 60_000

type Filtered = { readonly index: number; readonly factors: readonly string[] }

const isAscii = (text: string): boolean => !/[^\x00-\x7f]/.test(text)

/** Which patterns need not be tried on a text that has none of their factors. */
function divide(
  sources: readonly string[],
  { ignoreCase = false }: PatternFlags,
): { readonly filtered: readonly Filtered[]; readonly unfiltered: readonly number[] } {
  const filtered: Filtered[] = []
  const unfiltered: number[] = []
  let room = ignoreCase ? mostFactorText : 0
  for (const [index, source] of sources.entries()) {
    const factors = factorsOfPattern(source)
    const length = factors?.join('').length ?? Infinity
    if (factors?.every(isAscii) === true && length <= room) {
      room -= length
      filtered.push({ index, factors })
    } else unfiltered.push(index)
  }
  return { filtered, unfiltered }
}

/** Letters beyond ASCII that are the same as `s` and `k` where case is ignored, as UTF-8. */
const longS = Buffer.from('\u017f')
const kelvin = Buffer.from('\u212a')

/** The groups that may find something in the text, by their places. */
function needed(factors: FactorScan, text: Buffer, all: number): Iterable<number> {
  if (text.includes(longS) || text.includes(kelvin)) return Array.from({ length: all }, (_, i) => i)
  const found = new Set<number>()
  factors.scan(text, found)
  return found
}

const ruleSets = createShared<PatternSet>()

/**
 * A set of patterns that matches like `compilePatternSet` of all of them, ascending; throws on the same patterns. The same
 * patterns are the same set.
 */
export const compileRuleSet = (sources: readonly string[], flags: PatternFlags): PatternSet =>
  ruleSets.get(JSON.stringify([flags, sources]), () => compile(sources, flags))

function compile(sources: readonly string[], flags: PatternFlags): PatternSet {
  const sought: Sought[] = []
  const unknown: number[] = []
  const { filtered, unfiltered } = divide(sources, flags)
  for (const index of unfiltered) {
    const source = sources[index] ?? ''
    const analysis = analyse(source)
    if (analysis.kind === 'near') sought.push({ pattern: source, index, far: false })
    else if (analysis.kind === 'far') sought.push({ pattern: analysis.part, index, far: true })
    else unknown.push(index)
  }
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

  const rarely = chunks(filtered, groupSize).map((rules) => ({
    group: groupOf(rules.map(({ index }) => index)),
    factors: rules.flatMap((rule) => rule.factors),
  }))
  const factors = createFactorScan(rarely.map((one) => one.factors))

  const tryGroup = ({ indexes, set }: Group, text: Buffer, matched: number[]): void => {
    for (const i of set.match(text)) matched.push(indexes[i] ?? 0)
  }
  return {
    size: sources.length,
    match(value) {
      const text = typeof value === 'string' ? Buffer.from(value) : value
      const matched: number[] = []
      for (const group of always) tryGroup(group, text, matched)
      for (const place of needed(factors, text, rarely.length)) {
        const found = rarely[place]
        if (found !== undefined) tryGroup(found.group, text, matched)
      }
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
