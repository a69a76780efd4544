// The shipped rules are searched for in two steps (src/pipeline/content-filter/rule-set.ts). Over the corpus that finds
// exactly what one automaton of all rules finds.
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { compilePatternSet } from '#platform'
import { decodeQuery } from '#request'
import { compileRuleGroups } from '../../src/pipeline/content-filter/rule-groups.ts'
import { compileRuleSet } from '../../src/pipeline/content-filter/rule-set.ts'
import { corpus } from './corpus.ts'

const rules = JSON.parse(
  readFileSync(new URL('../../config/content-filter-rules.json', import.meta.url), 'utf8'),
) as readonly { readonly operand: string }[]

test('the shipped rules find in the corpus what one set of them finds', () => {
  const operands = rules.map(({ operand }) => operand)
  const flags = { ignoreCase: true, lines: true }
  const steps = compileRuleSet(operands, flags)
  const groups = compileRuleGroups(operands, flags)
  const whole = compilePatternSet(operands, flags)
  let found = 0
  for (const { path, body } of corpus()) {
    for (const text of [path, decodeQuery(path), body ?? '']) {
      const expected = [...whole.match(text)].toSorted((a, b) => a - b)
      expect(steps.match(text)).toEqual(expected)
      expect(groups.matchAmong(text, expected).toSorted((a, b) => a - b)).toEqual(expected)
      found += expected.length
    }
  }
  expect(found).toBeGreaterThan(2000)
})
