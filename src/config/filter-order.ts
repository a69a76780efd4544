// The order in which global filters are evaluated (spec pipeline 4.3): document order, but a filter that looks at a tag
// comes after every filter that attaches it; filters that wait for each other stand in document order.
// Strongly connected components of the graph filter → tags it looks at → filters that attach them (Tarjan), because
// they come out with what is waited for first. Linear in filters and tags, and without recursion: a configuration may
// hold ten thousand filters in one chain.
import type { Rule, Tag } from './policy.ts'

type Filter = { readonly tags: readonly Tag[]; readonly rule: Rule }

function tagsLookedAt(rule: Rule): readonly Tag[] {
  return rule.entries.flatMap((entry) => {
    if (!('match' in entry)) return tagsLookedAt(entry)
    return entry.match === 'tag' ? [entry.tag] : []
  })
}

/** Filters are the nodes 0 to n-1, tags those behind; for each node the nodes that come before it. */
function graphOf(filters: readonly Filter[]): readonly (readonly number[])[] {
  const before: number[][] = filters.map(() => [])
  const nodes = new Map<Tag, number>()
  const nodeOf = (tag: Tag): number => {
    const node = nodes.get(tag) ?? before.push([]) - 1
    nodes.set(tag, node)
    return node
  }
  filters.forEach(({ tags, rule }, filter) => {
    for (const tag of tags) before[nodeOf(tag)]?.push(filter)
    for (const tag of tagsLookedAt(rule)) before[filter]?.push(nodeOf(tag))
  })
  return before
}

/** Groups of nodes that reach each other, what comes before first. */
function components(before: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const found: number[][] = []
  const index = new Map<number, number>()
  const low = new Map<number, number>()
  const open: number[] = []
  const isOpen = new Set<number>()
  const path: { readonly node: number; next: number }[] = []
  const lower = (node: number, to: number): void => {
    low.set(node, Math.min(low.get(node) ?? to, to))
  }
  const enter = (node: number): void => {
    index.set(node, index.size)
    lower(node, index.size - 1)
    open.push(node)
    isOpen.add(node)
    path.push({ node, next: 0 })
  }
  const leave = (node: number): void => {
    path.pop()
    const parent = path.at(-1)
    if (parent !== undefined) lower(parent.node, low.get(node) ?? 0)
    if (low.get(node) !== index.get(node)) return
    const members = open.splice(open.lastIndexOf(node))
    for (const member of members) isOpen.delete(member)
    found.push(members)
  }
  for (let root = 0; root < before.length; root++) {
    if (!index.has(root)) enter(root)
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const target = before[top.node]?.[top.next++]
      if (target === undefined) leave(top.node)
      else if (!index.has(target)) enter(target)
      else if (isOpen.has(target)) lower(top.node, index.get(target) ?? 0)
    }
  }
  return found
}

export type FilterOrder<F> = {
  readonly order: readonly F[]
  /** Those that wait for each other, or for themselves. */
  readonly circular: readonly F[]
}

/** `filters` in document order. */
export function filterOrder<F extends Filter>(filters: readonly F[]): FilterOrder<F> {
  const order: F[] = []
  const circular: F[] = []
  for (const nodes of components(graphOf(filters))) {
    const members = nodes.toSorted((a, b) => a - b).flatMap((node) => filters[node] ?? [])
    // A circle always passes through a tag: a node alone waits for nobody.
    for (const filter of members) {
      order.push(filter)
      if (nodes.length > 1) circular.push(filter)
    }
  }
  return { order, circular }
}
