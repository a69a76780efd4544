// The worked examples of spec pipeline 9 through a real Envoy, with the tables that examples.test.ts runs in process.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { lastExample, workedExamples } from './examples/index.ts'
import { numberOf, onlyInspect } from './support/door.ts'
import { envoyDoor } from './support/envoy-door.ts'

const door = envoyDoor()
beforeAll(() => door.start())
afterAll(() => door.stop())

workedExamples(door)

// After the examples: tests of a file run before its describe blocks.
describe('the worked examples', () => {
  test('at least 40 of them went through Envoy', () => {
    expect(door.numbersThrough.size).toBeGreaterThanOrEqual(40)
  })

  test('all did but those that wait for another room or say why they cannot', () => {
    const waiting = [47, 48, 49, 106, 107]
    const reasons = new Map(door.left.map(([says, why]) => [numberOf(says), why]))
    const missing = Array.from({ length: lastExample }, (_, i) => i + 1).filter(
      (number) => !door.numbersThrough.has(number) && !waiting.includes(number),
    )
    expect(missing.map((number) => [number, reasons.get(number)])).toEqual([
      [41, onlyInspect],
      [111, expect.any(String)],
    ])
  })
})
