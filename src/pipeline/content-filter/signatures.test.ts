// What policies share: whoever publishes again and again must not make filters compile everything again and again.
import { expect, test } from '@jest/globals'
import type { ContentFilterRule } from '#config'
import { compileSignatures } from './signatures.ts'

const rule = (id: string, operand: string): ContentFilterRule => ({
  id,
  name: id,
  operand,
  risk: 4,
  category: 'sqli',
  subcategory: 'union',
  message: '',
  tags: [],
})
const rules = (operand = 'union\\s+select'): readonly ContentFilterRule[] => [
  rule('one', operand),
  rule('two', 'xp_cmdshell'),
]
const all = { active: ['cf-all'], report: [], ignore: [] }
const kept = compileSignatures(all, rules())

test('equal rules that are kept alike are the same, of whatever policy', () => {
  expect(compileSignatures({ ...all }, rules())).toBe(kept)
})

test.each([
  ['a changed rule', all, rules('union\\s+all')],
  ['one rule more', all, [...rules(), rule('three', 'sp_executesql')]],
  ['one rule less', { ...all, ignore: ['cf-rule-id:two'] }, rules()],
])('%s makes others', (_says, lists, changed) => {
  expect(compileSignatures(lists, changed).scan).not.toBe(kept.scan)
})

test('the same rules kept for another end are searched by the same automata', () => {
  const reported = compileSignatures({ active: [], report: ['cf-all'], ignore: [] }, rules())
  expect(reported).not.toBe(kept)
  expect(reported.scan).toBe(kept.scan)
})
