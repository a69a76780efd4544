// Entries that no configuration needs and that would exhaust whoever walks them by recursion: nested without end, or
// grown out of a few lines of YAML by aliases of aliases. They are refused before anything else looks at them.
import { finding } from '../findings.ts'
import type { Finding } from '../problem.ts'

const deepest = 100
/** Values in one entry; the longest lists of addresses have some hundred thousand. */
const most = 5_000_000

/** Values in `value`, shared ones as often as they stand there; and how deep they stand. Each object is visited once. */
function sizeOf(value: unknown, depth: number, known: Map<object, Measure>): Measure {
  // Long texts count as several: aliases repeat them as well.
  if (typeof value === 'string') return { size: 1 + value.length / 64, height: 0 }
  if (typeof value !== 'object' || value === null) return { size: 1, height: 0 }
  const before = known.get(value)
  if (before !== undefined) return before
  let size = 1
  let height = 0
  for (const one of Object.values(value)) {
    const inner = depth < deepest ? sizeOf(one, depth + 1, known) : tooDeep
    size += inner.size
    height = Math.max(height, inner.height + 1)
    if (height > deepest) return tooDeep
  }
  known.set(value, { size, height })
  return { size, height }
}

type Measure = { readonly size: number; readonly height: number }
const tooDeep: Measure = { size: 0, height: Infinity }

/** Undefined for an entry of a sensible size. */
export function excessOf(entry: unknown): Finding | undefined {
  const { size, height } = sizeOf(entry, 0, new Map())
  if (height > deepest) return finding(`nested deeper than ${String(deepest)} levels`, 'Flatten the entry.')
  if (size > most)
    return finding(`more than ${String(most)} values`, 'Divide the entry, and use fewer aliases.')
  return undefined
}
