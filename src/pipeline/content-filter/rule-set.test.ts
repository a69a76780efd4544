import { describe, expect, test } from '@jest/globals'
import { compilePatternSet } from '#platform'
import { compileRuleGroups } from './rule-groups.ts'
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
  const groups = compileRuleGroups(sources, flags)
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
    expect(sorted(groups.matchAmong(value, [...sources.keys()]))).toEqual(sorted(all))
    for (const one of sources.keys())
      expect(groups.matchAmong(value, [one])).toEqual(all.includes(one) ? [one] : [])
    expect(groups.matchAmong(value, [])).toEqual([])
  })

  test('has the size of all patterns, and none matches nothing', () => {
    expect(rules.size).toBe(sources.length)
    expect(compileRuleSet([], flags).match('x')).toEqual([])
  })

  test('refuses what one set refuses', () => {
    expect(() => compileRuleSet(['(?=a)'], flags)).toThrow()
  })
})

describe('Random rules on random texts', () => {
  let state = 7
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.trunc((state / 2 ** 32) * below)
  }
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? ''
  const atoms = [
    'a',
    'b',
    'abc',
    'ks',
    '<',
    "'",
    '.',
    '\\s',
    '[ab]',
    '[^a]',
    '[<"]',
    '\\x61',
    '\\u003c',
    '\\cJ',
    '\\b',
    '\\n',
    'é',
  ]
  const quantifiers = ['', '', '', '?', '*', '+', '{2}', '{0,1}', '{1,}', '+?']
  const pattern = (depth: number): string => {
    const branches = Array.from({ length: 1 + random(2) }, () =>
      Array.from({ length: 1 + random(4) }, () => {
        const atom = depth > 0 && random(3) === 0 ? `(?:${pattern(depth - 1)})` : pick(atoms)
        return atom.length === 1 || /^[\\[(]/.test(atom) ? atom + pick(quantifiers) : atom
      }).join(''),
    )
    return branches.join('|')
  }
  const sources = Array.from({ length: 400 }, () => pattern(2)).filter((source) => {
    try {
      compilePatternSet([source], flags)
      return true
    } catch {
      return false
    }
  })
  const texts = Array.from({ length: 120 }, () =>
    Array.from({ length: random(14) }, () =>
      pick(['a', 'b', 'c', 'k', 's', 'S', '<', "'", '"', ' ', '\n', 'é', '\u017f', '\u212a']),
    ).join(''),
  )

  test('find what each of them finds alone', () => {
    const rules = compileRuleSet(sources, flags)
    const each = sources.map((source) => compilePatternSet([source], flags))
    let found = 0
    for (const text of texts) {
      const expected = each.flatMap((one, place) => (one.match(text).length > 0 ? [place] : []))
      expect(rules.match(text)).toEqual(expected)
      found += expected.length
    }
    expect(found).toBeGreaterThan(1000)
  })
})
