// Global filters (spec pipeline 4.3): tag requests by any property, and act on them. All are evaluated, always; yet only
// filters that something in the request points to are looked at: every datum is matched once against one set or index
// of all conditions on it, and what it hits names the filters to evaluate.
import { type Condition, type GlobalFilter, type Policy, filterOrder } from '#config'
import type { Candidate } from '../actions.ts'
import type { Located } from '../decision.ts'
import { compileProbes, only } from '../global-filters/probes.ts'
import { holds, leaves, numberConditions, witnesses } from '../global-filters/rules.ts'
import { readAttribute } from '../selectors.ts'
import type { Stage } from '../stage.ts'
import type { Transaction } from '../transaction.ts'

function locate(t: Transaction, condition: Condition): Located {
  const { request, location } = t
  switch (condition.match) {
    case 'parameter': {
      const section = condition.section === 'args' ? 'arguments' : condition.section
      const parameter = request[condition.section].get(condition.name)
      return { section: parameter?.place ?? section, name: condition.name, value: parameter?.value ?? '' }
    }
    case 'text': {
      const value = readAttribute(t, condition.field) ?? ''
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
