// The shipped content filter rules and their examples (test/rules/<category>.json): every rule finds what it is for
// and leaves its near-misses alone. A near-miss is judged by that rule only; other rules may know more about it.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { compilePattern, compilePatternSet } from '#platform'

type Rule = {
  readonly id: string
  readonly name: string
  readonly category: string
  readonly subcategory: string
  readonly risk: number
  readonly msg: string
  readonly operand: string
}
type Examples = { readonly matches: readonly string[]; readonly misses: readonly string[] }

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
const rules = read('../config/content-filter-rules.json') as readonly Rule[]
const examples = new Map(
  readdirSync(new URL('rules/', import.meta.url)).flatMap((file) =>
    Object.entries(read(`rules/${file}`) as Record<string, Examples>),
  ),
)
const flags = { ignoreCase: true, lines: true }

describe('The shipped content filter rules', () => {
  test('each has a name equal to its id, a number of its own and examples', () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
    for (const { id, name } of rules) {
      expect(id).toMatch(/^[1-9]\d{5}$/)
      expect(name).toBe(id)
    }
    expect([...examples.keys()].toSorted()).toEqual(rules.map(({ id }) => id).toSorted())
  })

  test('all compile into one set that finds what each finds alone', () => {
    const set = compilePatternSet(
      rules.map(({ operand }) => operand),
      flags,
    )
    rules.forEach(({ id }, index) => {
      for (const value of examples.get(id)?.matches ?? []) expect(set.match(value)).toContain(index)
    })
  })

  for (const { id, operand, category, subcategory, msg } of rules) {
    test(`${id} ${category}, ${subcategory}: ${msg}`, () => {
      const { matches, misses } = examples.get(id) ?? { matches: [], misses: [] }
      const pattern = compilePattern(operand, flags)
      expect(matches.filter((value) => !pattern.test(value))).toEqual([])
      expect(misses.filter((value) => pattern.test(value))).toEqual([])
      expect(matches.length).toBeGreaterThanOrEqual(2)
      expect(misses.length).toBeGreaterThanOrEqual(2)
    })
  }
})
