import { describe, expect, test } from '@jest/globals'
import { compilePatternSet } from '#platform'
import { compileRuleSet } from './rule-set.ts'

const flags = { ignoreCase: true, lines: true }

describe('A rule set', () => {
  const sources = [
    'select',
    ...Array.from({ length: 30 }, (_, i) => `\\A[^'"]*'\\s*or\\s+${String(i)}\\b`),
    'union.*from',
    '^x$',
    'kkk|: k',
  ]
  const rules = compileRuleSet(sources, flags)
  const whole = compilePatternSet(sources, flags)

  for (const value of [
    "a' or 7 select",
    "' OR 29 union x from y",
    'a\nX\nb',
    'nothing',
    '',
    '\u017felect',
    'a kelvin: \u212a',
  ])
    test(`finds what one set finds, in the same order: ${JSON.stringify(value)}`, () => {
      expect(rules.match(value)).toEqual([...whole.match(value)].toSorted((a, b) => a - b))
    })

  test('finds the same among candidates, and nothing else', () => {
    const value = "a' or 7 select union x from y"
    const all = whole.match(value)
    const sorted = (list: readonly number[]): readonly number[] => list.toSorted((a, b) => a - b)
    expect(all.length).toBeGreaterThan(2)
    expect(sorted(rules.matchAmong(value, [...sources.keys()]))).toEqual(sorted(all))
    for (const one of sources.keys())
      expect(rules.matchAmong(value, [one])).toEqual(all.includes(one) ? [one] : [])
    expect(rules.matchAmong(value, [])).toEqual([])
  })

  test('has the size of all patterns, and none matches nothing', () => {
    expect(rules.size).toBe(sources.length)
    expect(compileRuleSet([], flags).match('x')).toEqual([])
  })

  test('refuses what one set refuses', () => {
    expect(() => compileRuleSet(['(?=a)'], flags)).toThrow()
  })
})
