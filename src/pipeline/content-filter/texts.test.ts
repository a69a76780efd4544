import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { readRuleFolder } from '#config'
import { compileSignatures } from './signatures.ts'
import { candidatesIn, rulesIn } from './texts.ts'

const folder = readRuleFolder(fileURLToPath(new URL('../../../config', import.meta.url)))
if (!folder.ok) throw new Error('the shipped rules cannot be read')
const [model] = folder.rules
if (model === undefined) throw new Error('there are no shipped rules')

test.each([
  ['^abc$', 'lines are texts'],
  [String.raw`\Aabc\z`, 'so are whole texts'],
  ['(?-m:^abc)', 'a rule that knows no lines'],
  [String.raw`(?-m)\Aabc`, 'and one for all that follows'],
  [String.raw`(?s-m:abc\z)`, 'among other flags'],
  [String.raw`\Qabc\E`, 'quoted text'],
])('%s is found in a text, whatever stands before it (%s)', (operand) => {
  const signatures = compileSignatures({ active: ['cf-all'], report: [], ignore: [] }, [
    { ...model, operand },
  ])
  const texts = ['x', 'abc', 'y']
  const candidates = candidatesIn(texts, signatures)
  expect(candidates).toEqual([0])
  expect(rulesIn(['abc'], signatures, candidates)).toEqual([0])
  expect(rulesIn(['x'], signatures, candidates)).toEqual([])
})
