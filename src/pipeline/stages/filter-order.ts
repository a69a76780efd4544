// The order in which global filters are evaluated (spec pipeline 4.3): document order, but a filter that looks at a tag
// comes after every filter that attaches it. Where that goes in circles, document order holds.
import type { GlobalFilter, Rule, Tag } from '#config'

function tagsLookedAt(rule: Rule): readonly Tag[] {
  return rule.entries.flatMap((entry) => {
    if (!('match' in entry)) return tagsLookedAt(entry)
    return entry.match === 'tag' ? [entry.tag] : []
  })
}

/** Depth-first from each filter in document order; a filter that is being visited already closes a circle and is not waited for. */
export function evaluationOrder(filters: readonly GlobalFilter[]): readonly GlobalFilter[] {
  const attachedBy = new Map<Tag, GlobalFilter[]>()
  for (const filter of filters) {
    for (const tag of filter.tags) attachedBy.set(tag, [...(attachedBy.get(tag) ?? []), filter])
  }
  const visited = new Set<GlobalFilter>()
  const order: GlobalFilter[] = []
  const visit = (filter: GlobalFilter): void => {
    if (visited.has(filter)) return
    visited.add(filter)
    for (const tag of tagsLookedAt(filter.rule)) for (const source of attachedBy.get(tag) ?? []) visit(source)
    order.push(filter)
  }
  for (const filter of filters) visit(filter)
  return order
}
