// What is costly to make from a text is made once, however many ask: parts of a policy recur in the next one and from site to
// site. Nothing is kept that nobody uses any more.
//
// Such memories belong to the process and not to a part that hands them around: what they hold follows from the key alone, has
// nothing of a policy or a request, and is never changed.
import { createHash } from 'node:crypto'

export type Shared<T extends object> = {
  /** What was made from this key and is still in use, or else what `make` makes. */
  get(key: string, make: () => T): T
  /** Things that may still be in use. */
  readonly size: number
}

/** Keys are as long as what is made from them. */
const shorten = (key: string): string => createHash('sha256').update(key).digest('base64')

export function createShared<T extends object>(): Shared<T> {
  const kept = new Map<string, WeakRef<T>>()
  const collected = new FinalizationRegistry<string>((hash) => {
    // Meanwhile another may have been made from the same key.
    if (kept.get(hash)?.deref() === undefined) kept.delete(hash)
  })
  return {
    get(key, make) {
      const hash = shorten(key)
      const known = kept.get(hash)?.deref()
      if (known !== undefined) return known
      const made = make()
      kept.set(hash, new WeakRef(made))
      collected.register(made, hash)
      return made
    },
    get size() {
      return kept.size
    },
  }
}
