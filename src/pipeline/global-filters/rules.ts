// Rules as trees of numbered conditions: what must hold for a rule to be looked at, and whether it holds.
import type { Condition, GlobalFilter, Rule } from '#config'

/** A rule whose conditions are numbers: places in the list of all distinct conditions. */
export type Tree = { readonly and: boolean; readonly entries: readonly (Tree | number)[] }

export type Compiled = { readonly filter: GlobalFilter; readonly tree: Tree }

/** Conditions that occur in several filters are one condition. */
export function numberConditions(filters: readonly GlobalFilter[]): {
  readonly conditions: readonly Condition[]
  readonly compiled: readonly Compiled[]
} {
  const numbers = new Map<string, number>()
  const conditions: Condition[] = []
  const numberOf = (condition: Condition): number => {
    const key = JSON.stringify(condition)
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, conditions.length)
    return conditions.push(condition) - 1
  }
  const compile = (rule: Rule): Tree => ({
    and: rule.relation === 'AND',
    entries: rule.entries.map((entry) => ('match' in entry ? numberOf(entry) : compile(entry))),
  })
  return { compiled: filters.map((filter) => ({ filter, tree: compile(filter.rule) })), conditions }
}

export function leaves(tree: Tree): readonly number[] {
  return tree.entries.flatMap((entry) => (typeof entry === 'number' ? [entry] : leaves(entry)))
}

/**
 * Conditions of which at least one holds whenever the rule does: the filter needs a look only then. Of an AND one
 * branch is enough; the one with the fewest conditions that are usually true (inverse ones) is chosen.
 */
export function witnesses(tree: Tree, conditions: readonly Condition[]): readonly number[] {
  const branches = tree.entries.map((entry) =>
    typeof entry === 'number' ? [entry] : witnesses(entry, conditions),
  )
  if (!tree.and) return branches.flat()
  const cost = (branch: readonly number[]): number =>
    branch.reduce((sum, id) => sum + (conditions[id]?.inverse === true ? 1000 : 1), 0)
  return branches.toSorted((x, y) => cost(x) - cost(y))[0] ?? []
}

export function holds(tree: Tree, isHit: (condition: number) => boolean): boolean {
  if (tree.entries.length === 0) return false
  const test = (entry: Tree | number): boolean =>
    typeof entry === 'number' ? isHit(entry) : holds(entry, isHit)
  return tree.and ? tree.entries.every(test) : tree.entries.some(test)
}
