// A bounded memory of what was asked for lately. Two generations instead of a list in order of use: what is asked for now and
// then stays, and ever new keys cost neither memory nor what others left here for long.

export type Recent<V> = {
  get(key: string): V | undefined
  set(key: string, value: V): void
}

/** @param most keys of one generation; up to twice as many are kept. */
export function createRecent<V extends object | true>(most: number): Recent<V> {
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  const set = (key: string, value: V): void => {
    if (young.size >= most && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }
  return {
    get(key) {
      const found = young.get(key)
      if (found !== undefined) return found
      const earlier = old.get(key)
      if (earlier !== undefined) set(key, earlier)
      return earlier
    },
    set,
  }
}
