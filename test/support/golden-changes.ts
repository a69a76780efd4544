// What is different between two values, written so that a reader sees only that. Elements of lists that have names are
// compared by name, because a list that got one element more is not another list; one that is new is told by what it is
// like, because its neighbours are often nearly the same.
export type Value = string | number | boolean | null | readonly Value[] | Fields
export type Fields = { readonly [field: string]: Value }
type Named = ReadonlyMap<string, Value>

const isFields = (value: Value | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value)

/** Elements by name; undefined when some have none, or the same. */
function byName(value: Value | undefined): Named | undefined {
  if (!isList(value) || value.length === 0) return undefined
  const named = new Map<string, Value>()
  for (const item of value) {
    const name = isFields(item) ? item['name'] : undefined
    if (typeof name === 'string') named.set(name, item)
  }
  return named.size === value.length ? named : undefined
}

const textOf = (value: Value | undefined): string | undefined => JSON.stringify(value)
const same = (a: Value | undefined, b: Value | undefined): boolean => textOf(a) === textOf(b)
const sizeOf = (value: Value | undefined): number => textOf(value)?.length ?? 0

/** The element, or what sets it apart from the one that it is most like. */
function added(name: string, element: Value, others: Named): Value {
  if (!isFields(element)) return element
  const unnamed = (value: Fields): Fields => ({ ...value, name: name })
  const told = [...others].flatMap(([other, value]): readonly Fields[] => {
    if (other === name || !isFields(value)) return []
    const change = changes(unnamed(value), unnamed(element)) ?? {}
    return isFields(change) ? [{ '(like)': other, ...change }] : []
  })
  const [shortest] = told.toSorted((a, b) => sizeOf(a) - sizeOf(b))
  return shortest !== undefined && sizeOf(shortest) < sizeOf(element) / 2 ? shortest : element
}

/** Undefined: nothing. */
export function changesByName(before: Named, after: Named): Fields | undefined {
  const found = [...new Set([...after.keys(), ...before.keys()])].flatMap(
    (name): readonly (readonly [string, Value])[] => {
      const [was, is] = [before.get(name), after.get(name)]
      if (is === undefined) return [[name, null]]
      // Those of the base first, then those that stand before it here.
      const known = [...after].slice(0, [...after.keys()].indexOf(name))
      const change = was === undefined ? added(name, is, new Map([...before, ...known])) : changes(was, is)
      return change === undefined ? [] : [[name, change]]
    },
  )
  return found.length === 0 ? undefined : Object.fromEntries(found)
}

/** Undefined: nothing. */
export function changes(before: Value | undefined, after: Value | undefined): Value | undefined {
  if (same(before, after)) return undefined
  if (after === undefined) return null
  const [is, was] = [byName(after), byName(before)]
  if (is && was) {
    const inner = changesByName(was, is)
    const order = same([...was.keys()], [...is.keys()]) ? {} : { '(order)': [...is.keys()] }
    return { ...order, ...inner }
  }
  if (isList(before) && isList(after) && before.length === after.length && after.every(isFields)) {
    const places = after.map((item, at) => [`[${at}]`, changes(before[at], item)] as const)
    return Object.fromEntries(places.flatMap(([at, change]) => (change === undefined ? [] : [[at, change]])))
  }
  if (!isFields(before) || !isFields(after)) return after
  const found = [...new Set([...Object.keys(after), ...Object.keys(before)])].flatMap(
    (key): readonly (readonly [string, Value])[] => {
      const change = changes(before[key], after[key])
      return change === undefined ? [] : [[key, change]]
    },
  )
  return found.length === 0 ? undefined : Object.fromEntries(found)
}
