// The fuzz targets and the soak in small: the same inputs every time, so that a mistake that they find at once is found
// before a long run (docs/robustness.md).
import { expect, test } from '@jest/globals'
import { tryInputs } from './fuzz/harness.ts'
import { rise } from './fuzz/memory.ts'
import { parserTarget } from './fuzz/parser-inputs.ts'
import { pipelineTarget } from './fuzz/pipeline-inputs.ts'
import { soakPolicy } from './fuzz/policies.ts'
import { soak } from './soak.ts'

const quiet = { seed: 11, from: 0, folder: undefined }

test('parsers: nothing throws', async () => {
  const { kinds } = parserTarget
  const { inputs, findings } = await tryInputs(parserTarget, { ...quiet, count: 3000, kinds })
  expect([inputs, [...findings.keys()]]).toEqual([3000, []])
})

test('pipeline: nothing throws, every decision is what doors and journal can carry', async () => {
  const target = pipelineTarget()
  const kinds = target.kinds.filter((kind) => kind !== 'hostile')
  const { inputs, findings } = await tryInputs(target, { ...quiet, count: 150, kinds })
  expect([inputs, [...findings.keys()]]).toEqual([150, []])
})

test('mixed load is decided in every way, and counters of clients that left are forgotten', async () => {
  const { requests, actions, mostKept } = await soak(soakPolicy(), {
    seed: 1,
    samples: 4,
    due: (count, done) => count === (done + 1) * 200,
    told: () => undefined,
  })
  expect(requests).toBe(800)
  expect([...actions.keys()].toSorted()).toEqual(['block', 'monitor', 'pass'])
  expect(mostKept).toBeLessThan(10_000)
})

test('the rise of memory is told by its second half', () => {
  const samples = (heap: (i: number) => number) =>
    Array.from({ length: 40 }, (_, i) => ({ heap: heap(i), process: 100 }))
  expect(rise(samples((i) => (i < 20 ? i : 20)))).toEqual({ heap: 0, process: 0 })
  expect(rise(samples((i) => i)).heap).toBeCloseTo(19)
  // One sample out of line is no growth.
  expect(Math.abs(rise(samples((i) => (i === 30 ? 12 : 10))).heap)).toBeLessThan(0.5)
})
