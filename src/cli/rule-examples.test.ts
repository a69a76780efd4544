// Examples are judged as the content filter would judge a value: same flags, same decodings, same exemptions.
import { describe, expect, test } from '@jest/globals'
import type { RuleExamples, RuleWithExamples, ValueReading } from '#config'
import { testExamples } from './rule-examples.ts'

const reading: ValueReading = {
  decoding: { base64: true, dual: true, html: false, unicode: false },
  ignoreAlphanum: true,
}

const rule = (operand: string, examples: Partial<RuleExamples>, id = 'r'): RuleWithExamples => ({
  id,
  name: id,
  operand,
  risk: 5,
  category: 'c',
  subcategory: 's',
  message: 'm',
  tags: [],
  examples: { matches: [], misses: [], ...examples },
})

describe('an example of matches', () => {
  const rows: readonly (readonly [
    says: string,
    operand: string,
    example: string,
    failure: string | undefined,
  ])[] = [
    ['is found whatever its case', 'a-b', 'x A-B', undefined],
    ['is found at a line end', '^a-b$', 'x\na-b\ny', undefined],
    ['is found across a line end', 'a.-b', 'a\n-b', undefined],
    ['is found when encoded twice', '<a>', '%3Ca%3E', undefined],
    ['is found in base64', '<script>', 'PHNjcmlwdD4=', undefined],
    [
      'is not found in entities, which the profile leaves alone',
      '<a>',
      '&lt;a&gt;',
      'should match, but does not',
    ],
    ['is anchored to the whole value by \\A', '\\Aa-b', 'x\na-b', 'should match, but does not'],
    [
      'of letters and digits alone is exempt',
      'abc',
      'abc1',
      'should match, but is not examined: "ignore_alphanum" of the default profile exempts letters and digits alone',
    ],
    ['that is empty is never examined', 'a*', '', 'should match, but is not examined: empty values are not'],
  ]
  test.each(rows)('%s', (_says, operand, example, failure) => {
    const { failures } = testExamples([rule(operand, { matches: [example] })], reading)
    expect(failures.map(({ reason }) => reason)).toEqual(failure === undefined ? [] : [failure])
  })

  test('of letters and digits alone is found where the profile examines it', () => {
    const rules = [rule('abc', { matches: ['abc1'] })]
    expect(testExamples(rules, { ...reading, ignoreAlphanum: false }).failed).toBe(0)
  })
})

describe('an example of misses', () => {
  const rows: readonly (readonly [says: string, example: string, failure: string | undefined])[] = [
    ['holds when nothing is found', 'a b', undefined],
    ['fails with the part that is found', 'xA-By', 'should not match, but "A-B" does'],
    [
      'fails with the decoded text in which it is found',
      'x%61-by',
      'should not match, but "a-b" does, in what it is decoded to: "xa-by"',
    ],
  ]
  test.each(rows)('%s', (_says, example, failure) => {
    const { failures } = testExamples([rule('a-b', { misses: [example] })], reading)
    expect(failures.map(({ reason }) => reason)).toEqual(failure === undefined ? [] : [failure])
  })

  test('is judged by its own rule only', () => {
    const rules = [rule('a-b', { matches: ['a-b'] }, 'one'), rule('x-y', { misses: ['a-b'] }, 'two')]
    expect(testExamples(rules, reading)).toMatchObject({ examples: 2, passed: 2, failed: 0 })
  })
})

test('the report counts, names list and place, and lists rules without examples', () => {
  const rules = [
    rule('a-b', { matches: ['a-b', 'a.b'], misses: ['ab', 'a-b-c'] }, 'one'),
    rule('x', {}, 'two'),
  ]
  const report = testExamples(rules, reading)
  expect(report).toMatchObject({ rules: 2, examples: 4, passed: 2, failed: 2, untested: ['two'] })
  expect(report.failures).toEqual([
    expect.objectContaining({ rule: 'one', list: 'matches', index: 1, example: 'a.b' }),
    expect.objectContaining({ rule: 'one', list: 'misses', index: 1, example: 'a-b-c' }),
  ])
})
