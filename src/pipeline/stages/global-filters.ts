// Global filters (spec pipeline 4.3): tag requests by any property, and act on them. All are evaluated, always; yet only
// filters that something in the request points to are looked at: every datum is matched once against one set or index
// of all conditions on it, and what it hits names the filters to evaluate.
import { type Condition, type GlobalFilter, type Policy, type Rule, filterOrder } from '#config'
import { addressIndex, compilePatternSet } from '#platform'
import type { Candidate } from '../actions.ts'
import type { Located } from '../decision.ts'
import type { Stage } from '../stage.ts'
import { qualifiedTag } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

/** A rule whose conditions are numbers: places in the list of all distinct conditions. */
type Tree = { readonly and: boolean; readonly entries: readonly (Tree | number)[] }

/** Finds the conditions that hold, apart from tags, which change while filters are evaluated. */
type Probe = (t: Transaction, hit: (condition: number) => void) => void

type TextCondition = Extract<Condition, { match: 'text' }>
type ParameterCondition = Extract<Condition, { match: 'parameter' }>

function textOf(t: Transaction, field: TextCondition['field']): string | undefined {
  const { request, location } = t
  switch (field) {
    case 'organization':
      return location.organization
    case 'region':
      return location.region
    case 'subregion':
      return location.subregion
    case 'method':
      return request.method
    case 'authority':
      return request.authority
    case 'path':
      return request.uri.path
    case 'query':
      return request.uri.query
    case 'uri':
      return request.uri.uri
    default:
      return field satisfies never
  }
}

/** One set for all patterns that are compared with the same datum; equality with the pattern's text counts too. */
function patternProbe(
  conditions: readonly { readonly id: number; readonly pattern: string; readonly inverse: boolean }[],
  ignoreCase: boolean,
  read: (t: Transaction) => string | undefined,
): Probe {
  const set = compilePatternSet(
    conditions.map(({ pattern }) => pattern),
    { ignoreCase },
  )
  const literal = new Map<string, number[]>()
  conditions.forEach(({ pattern }, i) => {
    literal.set(pattern, [...(literal.get(pattern) ?? []), i])
  })
  const inverse = conditions.flatMap((condition, i) => (condition.inverse ? [i] : []))
  const match = remember((value) => [...set.match(value), ...(literal.get(value) ?? [])])
  return (t, hit) => {
    const value = read(t)
    const found = value === undefined ? [] : match(value)
    for (const i of found) {
      const condition = conditions[i]
      if (condition !== undefined && !condition.inverse) hit(condition.id)
    }
    for (const i of inverse) {
      const condition = conditions[i]
      if (condition !== undefined && !found.includes(i)) hit(condition.id)
    }
  }
}

/** Headers, methods and hosts repeat from request to request; what matched them is worth remembering. */
const mostRemembered = 1024
const longestRemembered = 512

function remember(match: (value: string) => readonly number[]): (value: string) => readonly number[] {
  const known = new Map<string, readonly number[]>()
  return (value) => {
    const before = known.get(value)
    if (before !== undefined) return before
    const found = match(value)
    if (value.length > longestRemembered) return found
    if (known.size >= mostRemembered) known.clear()
    // A copy: the value may be a slice of a whole request.
    known.set(Buffer.from(value).toString(), found)
    return found
  }
}

/** Equality with one value, by hash. */
function equalityProbe(
  conditions: readonly { readonly id: number; readonly value: string; readonly inverse: boolean }[],
  read: (t: Transaction) => readonly (string | undefined)[],
): Probe {
  const positive = Map.groupBy(
    conditions.filter(({ inverse }) => !inverse),
    ({ value }) => value,
  )
  const inverse = conditions.filter((condition) => condition.inverse)
  return (t, hit) => {
    const values = read(t)
    for (const value of new Set(values)) {
      if (value !== undefined) for (const { id } of positive.get(value) ?? []) hit(id)
    }
    for (const { id, value } of inverse) if (!values.includes(value)) hit(id)
  }
}

type Numbered<C> = C & { readonly id: number }

function ipProbe(conditions: readonly Numbered<Extract<Condition, { match: 'ip' }>>[]): Probe {
  const index = addressIndex(conditions.map(({ cidr }) => cidr))
  const inverse = conditions.flatMap((condition, i) => (condition.inverse ? [i] : []))
  return (t, hit) => {
    const found = index.match(t.request.ip)
    for (const i of found) {
      const condition = conditions[i]
      if (condition !== undefined && !condition.inverse) hit(condition.id)
    }
    for (const i of inverse) {
      const condition = conditions[i]
      if (condition !== undefined && !found.includes(i)) hit(condition.id)
    }
  }
}

const only = <M extends Condition['match']>(
  conditions: readonly Condition[],
  match: M,
): readonly Numbered<Extract<Condition, { match: M }>>[] =>
  conditions.flatMap((condition, id) => {
    const wanted = (c: Condition): c is Extract<Condition, { match: M }> => c.match === match
    return wanted(condition) ? [{ ...condition, id }] : []
  })

/** Everything but tags, as few look-ups per request as there are distinct data to look at. */
function compileProbes(conditions: readonly Condition[]): readonly Probe[] {
  const probes: Probe[] = []
  for (const [field, group] of Map.groupBy(only(conditions, 'text'), ({ field }) => field)) {
    const ignoreCase = field === 'region' || field === 'subregion'
    probes.push(patternProbe(group, ignoreCase, (t) => textOf(t, field)))
  }
  const parameters: readonly Numbered<ParameterCondition>[] = only(conditions, 'parameter')
  for (const group of Map.groupBy(parameters, ({ section, name }) => `${section} ${name}`).values()) {
    const [first] = group
    if (first === undefined) continue
    const { section, name } = first
    probes.push(patternProbe(group, section === 'headers', (t) => t.request[section].get(name)?.value))
  }
  const ips = only(conditions, 'ip')
  if (ips.length > 0) probes.push(ipProbe(ips))
  const asns = only(conditions, 'asn').map(({ id, asn, inverse }) => ({ id, inverse, value: String(asn) }))
  if (asns.length > 0)
    probes.push(
      equalityProbe(asns, ({ location }) => [location.asn === undefined ? undefined : String(location.asn)]),
    )
  const countries = only(conditions, 'country').map(({ id, country, inverse }) => ({
    id,
    inverse,
    value: country,
  }))
  if (countries.length > 0) {
    const tagOf = (value: string | undefined): string | undefined =>
      value === undefined ? undefined : qualifiedTag('c', value).slice(2)
    probes.push(
      equalityProbe(countries, ({ location }) => [tagOf(location.country), tagOf(location.countryCode)]),
    )
  }
  const policies = only(conditions, 'policy')
  if (policies.length > 0)
    probes.push(equalityProbe(policies, ({ site }) => [site.policy.id, site.policy.name]))
  const entries = only(conditions, 'entry')
  if (entries.length > 0) probes.push(equalityProbe(entries, ({ site }) => [site.entry.id, site.entry.name]))
  return probes
}

function locate(t: Transaction, condition: Condition): Located {
  const { request, location } = t
  switch (condition.match) {
    case 'parameter': {
      const section = condition.section === 'args' ? 'arguments' : condition.section
      const parameter = request[condition.section].get(condition.name)
      return { section: parameter?.place ?? section, name: condition.name, value: parameter?.value ?? '' }
    }
    case 'text': {
      const value = textOf(t, condition.field) ?? ''
      const { field } = condition
      if (field === 'path' || field === 'query' || field === 'uri') return { section: field, name: '', value }
      return { section: 'attributes', name: field, value }
    }
    case 'ip':
      return { section: 'attributes', name: 'ip', value: request.ip }
    case 'asn':
      return { section: 'attributes', name: 'asn', value: String(location.asn ?? '') }
    case 'country':
      return { section: 'attributes', name: 'country', value: location.country ?? '' }
    case 'tag':
      return t.tags.sourcesOf(condition.tag)[0]?.locations[0] ?? { section: '', name: '', value: '' }
    case 'policy':
      return { section: 'attributes', name: 'securitypolicyid', value: t.site.policy.id }
    case 'entry':
      return { section: 'attributes', name: 'securitypolicyentryid', value: t.site.entry.id }
    default:
      return condition satisfies never
  }
}

type Compiled = { readonly filter: GlobalFilter; readonly tree: Tree }

/** Conditions that occur in several filters are one condition. */
function numberConditions(filters: readonly GlobalFilter[]): {
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

function leaves(tree: Tree): readonly number[] {
  return tree.entries.flatMap((entry) => (typeof entry === 'number' ? [entry] : leaves(entry)))
}

/**
 * Conditions of which at least one holds whenever the rule does: the filter needs a look only then. Of an AND one
 * branch is enough; the one with the fewest conditions that are usually true (inverse ones) is chosen.
 */
function witnesses(tree: Tree, conditions: readonly Condition[]): readonly number[] {
  const branches = tree.entries.map((entry) =>
    typeof entry === 'number' ? [entry] : witnesses(entry, conditions),
  )
  if (!tree.and) return branches.flat()
  const cost = (branch: readonly number[]): number =>
    branch.reduce((sum, id) => sum + (conditions[id]?.inverse === true ? 1000 : 1), 0)
  return branches.toSorted((x, y) => cost(x) - cost(y))[0] ?? []
}

function holds(tree: Tree, isHit: (condition: number) => boolean): boolean {
  if (tree.entries.length === 0) return false
  const test = (entry: Tree | number): boolean =>
    typeof entry === 'number' ? isHit(entry) : holds(entry, isHit)
  return tree.and ? tree.entries.every(test) : tree.entries.some(test)
}

function compileFilters(
  policy: Policy,
): (t: Transaction) => readonly { readonly filter: GlobalFilter; readonly at: Located }[] {
  const { conditions, compiled } = numberConditions(filterOrder(policy.globalFilters).order)
  const probes = compileProbes(conditions)
  const filtersOf = conditions.map((): number[] => [])
  compiled.forEach(({ tree }, i) => {
    for (const condition of new Set(witnesses(tree, conditions))) filtersOf[condition]?.push(i)
  })
  const tagConditions = only(conditions, 'tag')
  const byTag: ReadonlyMap<string, readonly { readonly id: number }[]> = Map.groupBy(
    tagConditions.filter(({ inverse }) => !inverse),
    ({ tag }) => tag,
  )
  const inverseTags = tagConditions.filter(({ inverse }) => inverse)

  return (t) => {
    const hits = new Set<number>()
    const queue = createQueue()
    const consider = (condition: number): void => {
      for (const i of filtersOf[condition] ?? []) queue.add(i)
    }
    for (const probe of probes) {
      probe(t, (condition) => {
        hits.add(condition)
        consider(condition)
      })
    }
    if (byTag.size > 0)
      for (const tag of t.tags.names()) for (const { id } of byTag.get(tag) ?? []) consider(id)
    for (const { id } of inverseTags) consider(id)

    const isHit = (id: number): boolean => {
      const condition = conditions[id]
      return condition?.match === 'tag' ? t.tags.has(condition.tag) !== condition.inverse : hits.has(id)
    }
    const matched: { filter: GlobalFilter; at: Located }[] = []
    for (let i = queue.next(); i !== undefined; i = queue.next()) {
      const entry = compiled[i]
      if (entry === undefined || !holds(entry.tree, isHit)) continue
      const { filter, tree } = entry
      const first = conditions[leaves(tree).find(isHit) ?? -1]
      const at = first === undefined ? { section: '', name: '', value: '' } : locate(t, first)
      t.tags.addAll(filter.tags, {
        stage: 2,
        kind: 'global-filter',
        id: filter.id,
        name: filter.name,
        locations: [at],
      })
      for (const tag of filter.tags) for (const { id } of byTag.get(tag) ?? []) consider(id)
      matched.push({ filter, at })
    }
    return matched
  }
}

/** Numbers in ascending order, each once; a filter that attaches a tag adds later filters while the queue is read. */
function createQueue(): { add(n: number): void; next(): number | undefined } {
  const seen = new Set<number>()
  const waiting: number[] = []
  let sorted = true
  return {
    add(n) {
      if (seen.has(n)) return
      seen.add(n)
      waiting.push(n)
      sorted = false
    },
    next() {
      if (!sorted) waiting.sort((x, y) => y - x)
      sorted = true
      return waiting.pop()
    },
  }
}

export const globalFilters: Stage = {
  name: 'global-filters',
  number: 2,
  io: 'none',
  compile({ policy, actions }) {
    const evaluate = compileFilters(policy)
    return (t) => {
      const candidates: Candidate[] = []
      for (const { filter, at } of evaluate(t)) {
        const effect = filter.action === undefined ? undefined : actions.effectOf(t, filter.action)
        t.triggers.gf.push({
          trigger_id: filter.id,
          trigger_name: filter.name,
          action: effect?.type ?? '',
          extra: effect?.extra ?? '',
          ...at,
        })
        if (filter.action !== undefined)
          candidates.push({ action: filter.action, reason: `Global filter: ${filter.name}` })
      }
      return actions.resolve(t, candidates)
    }
  },
}
