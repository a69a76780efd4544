// What is costly to make from a text is made once, however many ask: parts of a policy recur in the next one and from site to
// site. Nothing is kept that nobody uses any more.

export type Shared<T extends object> = {
  /** What was made from this key and is still in use, or else what `make` makes. */
  get(key: string, make: () => T): T
  /** Things that may still be in use. */
  readonly size: number
}

export function createShared<T extends object>(): Shared<T> {
  const kept = new Map<string, WeakRef<T>>()
  const collected = new FinalizationRegistry<string>((key) => {
    // Meanwhile another may have been made from the same key.
    if (kept.get(key)?.deref() === undefined) kept.delete(key)
  })
  return {
    get(key, make) {
      const known = kept.get(key)?.deref()
      if (known !== undefined) return known
      const made = make()
      kept.set(key, new WeakRef(made))
      collected.register(made, key)
      return made
    },
    get size() {
      return kept.size
    },
  }
}
