// The shipped content filter rules and the examples they carry: every rule finds what it is for and leaves its near-misses
// alone. A near-miss is judged by that rule only; other rules may know more about it.
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { readRuleFolder } from '#config'
import { createRuleSearch } from '#pipeline'

const folder = readRuleFolder(fileURLToPath(new URL('../config', import.meta.url)))
if (!folder.ok) throw new Error('the shipped rules cannot be read')
const { rules, reading } = folder
const search = createRuleSearch(rules, reading)

describe('The shipped content filter rules', () => {
  test('each has a name equal to its id and a number of its own', () => {
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length)
    for (const { id, name } of rules) {
      expect(id).toMatch(/^[1-9]\d{5}$/)
      expect(name).toBe(id)
    }
  })

  for (const { id, category, subcategory, message, examples } of rules) {
    test(`${id} ${category}, ${subcategory}: ${message}`, () => {
      const isFound = (value: string): boolean => search.find(value).some((rule) => rule.id === id)
      const { matches, misses } = examples
      expect(matches.filter((value) => !isFound(value))).toEqual([])
      expect(misses.filter(isFound)).toEqual([])
      expect(matches.length).toBeGreaterThanOrEqual(2)
      expect(misses.length).toBeGreaterThanOrEqual(2)
    })
  }
})
