// What single documents cannot show: rules that are each in order and together too much.
import { buildPolicy } from '#config'
import { compileProblems } from '#pipeline'
import { expect, test } from '@jest/globals'
import { base } from './support/base.ts'

const problemsWith = (rules: number): ReturnType<typeof compileProblems> => {
  const result = buildPolicy({
    ...base,
    'content-filter-rules': Array.from({ length: rules }, (_, n) => ({
      id: String(n),
      operand: `k${String(n)}[\\x{100}-\\x{ffff}]{1,1000}k`,
      risk: 5,
      category: 'c',
      subcategory: 's',
      msg: 'm',
    })),
  })
  if (!result.ok) throw new Error(result.problems[0]?.reason)
  return compileProblems(result.policy)
}

test('ten costly rules are fine', () => {
  expect(problemsWith(10)).toEqual([])
})

test('more than fit into memory together are told as such', () => {
  expect(problemsWith(1300)).toEqual([
    {
      document: 'content-filter-rules',
      reason: 'the rules are too costly: 1300 expressions need more than 256 MiB together',
      remedy: expect.stringContaining('Remove rules'),
    },
  ])
})
