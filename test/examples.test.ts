// The worked examples of spec pipeline 9 in this process; examples.e2e.ts sends them through a real Envoy.
import { expect, test } from '@jest/globals'
import { lastExample, workedExamples } from './examples/index.ts'
import { processDoor } from './support/door.ts'

const door = processDoor()
workedExamples(door)

test('every example of the specification has a test', () => {
  const missing = Array.from({ length: lastExample }, (_, i) => i + 1).filter((n) => !door.numbers.has(n))
  expect(missing).toEqual([])
})
