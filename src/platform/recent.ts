// A bounded memory of what was asked for lately. Two generations instead of a list in order of use: what is asked for now and
// then stays, and ever new keys cost neither memory nor what others left here for long.

export type Recent<V> = {
  get(key: string): V | undefined
  /** The memory keeps this key: one that is a slice of a long text would keep the whole text. */
  set(key: string, value: V): void
}

/** With the key as it was set: whoever asks later may do so with a slice of something long. */
type Entry<V> = { readonly key: string; readonly value: V }

/** @param most keys of one generation. So many stay for sure, if all are asked for in turn; up to twice as many are kept. */
export function createRecent<V>(most: number): Recent<V> {
  let young = new Map<string, Entry<V>>()
  let old = new Map<string, Entry<V>>()
  const keep = (entry: Entry<V>): void => {
    if (young.size >= most && !young.has(entry.key)) {
      old = young
      young = new Map()
    }
    young.set(entry.key, entry)
  }
  return {
    get(key) {
      const found = young.get(key)
      if (found !== undefined) return found.value
      const earlier = old.get(key)
      if (earlier !== undefined) keep(earlier)
      return earlier?.value
    },
    set: (key, value) => keep({ key, value }),
  }
}
