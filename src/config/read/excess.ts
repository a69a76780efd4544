// Entries that no configuration needs and that would exhaust whoever walks them by recursion: nested without end, or
// grown out of a few lines of YAML by aliases of aliases. They are refused before anything else looks at them.
import { type Finding } from '../problem.ts'
import { finding } from '../findings.ts'

const deepest = 100
/** Values in one entry; the longest lists of addresses have some hundred thousand. */
const most = 5_000_000

/** Undefined for an entry of a sensible size. */
export function excessOf(entry: unknown): Finding | undefined {
  let level: readonly unknown[] = [entry]
  let values = 0
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) return finding(`nested deeper than ${String(deepest)} levels`, 'Flatten the entry.')
    const inner: unknown[] = []
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue
      for (const one of Object.values(value)) inner.push(one)
      if (values + inner.length > most) {
        return finding(`more than ${String(most)} values`, 'Divide the entry, and use fewer aliases.')
      }
    }
    values += inner.length
    level = inner
  }
  return undefined
}
