// What policies share: whoever publishes again and again must not make filters compile everything again and again.
import { expect, test } from '@jest/globals'
import type { ContentFilterRule } from '#config'
import { compileSignatures } from './signatures.ts'
import { candidatesIn, rulesIn } from './texts.ts'

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
  ['few of the rules', { ...all, ignore: ['cf-rule-id:two'] }, rules()],
])('%s makes others', (_says, lists, changed) => {
  expect(compileSignatures(lists, changed).automata.scan).not.toBe(kept.automata.scan)
})

/** Events say these of a rule. */
test.each([
  ['id', { id: 'other' }],
  ['name', { name: 'other' }],
  ['risk', { risk: 1 }],
  ['category', { category: 'other' }],
  ['subcategory', { subcategory: 'other' }],
  ['message', { message: 'other' }],
] as const)('rules of another %s are others', (_field, change) => {
  const [first, ...more] = rules()
  const changed = compileSignatures(all, [{ ...(first ?? rule('', '')), ...change }, ...more])
  expect(changed).not.toBe(kept)
  expect(changed.automata.scan).toBe(kept.automata.scan)
  expect(changed.rules).not.toEqual(kept.rules)
})

test('rules in another order are others', () => {
  expect(compileSignatures(all, rules().toReversed()).rules.map((found) => found?.id)).toEqual(['two', 'one'])
})

test('the same rules kept for another end are searched by the same automata', () => {
  const reported = compileSignatures({ active: [], report: ['cf-all'], ignore: [] }, rules())
  expect(reported).not.toBe(kept)
  expect(reported.automata.scan).toBe(kept.automata.scan)
})

test.each(['one', 'two', 'three'])(
  'a profile with an exception for rule %s shares the automata, and never finds it',
  (id) => {
    const three = [...rules(), rule('three', 'select')]
    const whole = compileSignatures(all, three)
    const excepting = compileSignatures({ ...all, ignore: [`cf-rule-id:${id}`] }, three)
    expect(excepting.automata.scan).toBe(whole.automata.scan)
    expect([whole.kept, excepting.kept]).toEqual([3, 2])
    const texts = ['union select', 'xp_cmdshell']
    const found = rulesIn(texts, excepting, candidatesIn(texts, excepting))
    expect(found.map((place) => excepting.rules[place]?.id)).toEqual(
      ['one', 'two', 'three'].filter((one) => one !== id),
    )
  },
)
