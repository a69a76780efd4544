// Whether a long run keeps what it should let go of: the heap after a collection, at even distances. The first quarter
// warms up (caches fill, code is compiled); what is left over in the last quarter must not exceed the second.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

// Not a flag of the command line, so that a fuzz target needs none.
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** MB after a collection: JavaScript's heap with its buffers, and the whole process with what libraries hold. */
export type MemorySample = { readonly heap: number; readonly process: number }

export function sampleMemory(): MemorySample {
  collect()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: (heapUsed + external) / 1e6, process: rss / 1e6 }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.trunc(values.length / 2)] ?? 0

/** MB that the heap, or the process, may have more at the end than after warming up. */
export const tolerated: MemorySample = { heap: 8, process: 64 }

/** Fewer samples say nothing. */
const fewest = 12

/** MB from the second quarter of the samples to the last, by the median; undefined where there are too few. */
export function growth(samples: readonly MemorySample[]): MemorySample | undefined {
  if (samples.length < fewest) return undefined
  const quarter = samples.length / 4
  const second = samples.slice(quarter, 2 * quarter)
  const last = samples.slice(-quarter)
  const of = (read: (sample: MemorySample) => number): number =>
    median(last.map(read)) - median(second.map(read))
  return { heap: of(({ heap }) => heap), process: of((sample) => sample.process) }
}

/** MB by which the line through these values, at even distances, rises from the first to the last (least squares). */
function riseOf(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let products = 0
  let squares = 0
  for (const [i, value] of values.entries()) {
    products += (i - middle) * (value - mean)
    squares += (i - middle) ** 2
  }
  return squares === 0 ? 0 : (products / squares) * (values.length - 1)
}

/** MB of growth over the second half of the samples, by its slope. */
export function rise(samples: readonly MemorySample[]): MemorySample {
  const half = samples.slice(Math.trunc(samples.length / 2))
  return {
    heap: riseOf(half.map(({ heap }) => heap)),
    process: riseOf(half.map((sample) => sample.process)),
  }
}
