// Rules can be tested wherever they stand: alone in a folder, or beside documents that are wrong.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { buildPolicy } from './load.ts'
import { formatProblem } from './problem.ts'
import { readRuleFolder } from './rule-folder.ts'

const rule = { id: 'r', operand: 'a-b', risk: 3, category: 'c', subcategory: 's', msg: 'm' }
const examples = { matches: ['a-b'], misses: ['ab'] }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-rules-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (document: string, entries: unknown): void =>
  writeFileSync(join(folder, `${document}.json`), JSON.stringify(entries))

describe('readRuleFolder', () => {
  test('reads rules with their examples, and what the built-in profile decodes', () => {
    write('content-filter-rules', [
      { ...rule, examples },
      { ...rule, id: 'bare' },
    ])
    expect(readRuleFolder(folder)).toMatchObject({
      ok: true,
      rules: [
        { id: 'r', examples },
        { id: 'bare', examples: { matches: [], misses: [] } },
      ],
      reading: { decoding: { base64: true, dual: true, html: false, unicode: false }, ignoreAlphanum: true },
    })
  })

  test("decodes as the folder's own default profile says", () => {
    write('content-filter-rules', [rule])
    const section = {}
    write('content-filter-profiles', [
      {
        id: '__defaultcontentfilter__',
        ignore_alphanum: false,
        decoding: { html: true },
        masking_seed: 's',
        ...{ headers: section, cookies: section, args: section, path: section },
      },
    ])
    expect(readRuleFolder(folder)).toMatchObject({
      reading: { decoding: { html: true, dual: false }, ignoreAlphanum: false },
    })
  })

  test('does not care about other documents', () => {
    write('content-filter-rules', [rule])
    write('actions', 'nonsense')
    write('shopping', [])
    expect(readRuleFolder(folder).ok).toBe(true)
  })

  const problems: readonly (readonly [says: string, entries: unknown, problem: string])[] = [
    ['no rules', undefined, 'the folder has no content filter rules'],
    ['no list', {}, 'must be a list of entries'],
    ['a bad operand', [{ ...rule, operand: '(' }], 'operand: invalid regex'],
    [
      'an example that is none',
      [{ ...rule, examples: { matches: [3] } }],
      'examples.matches[0]: must be a string',
    ],
    [
      'too many examples',
      [{ ...rule, examples: { misses: Array.from({ length: 51 }, String) } }],
      'examples.misses: must be a list of at most 50 strings',
    ],
    [
      'an example that is too long',
      [{ ...rule, examples: { matches: ['x'.repeat(8193)] } }],
      'examples.matches[0]: must be a string of at most 8192 characters',
    ],
  ]
  test.each(problems)('%s: a problem', (_says, entries, problem) => {
    if (entries !== undefined) write('content-filter-rules', entries)
    const read = readRuleFolder(folder)
    expect(read.ok ? [] : read.problems.map(formatProblem)).toEqual([expect.stringContaining(problem)])
  })
})

test('a policy has no examples in it', () => {
  const policy = buildPolicy({ 'content-filter-rules': [{ ...rule, examples }] })
  expect(policy.ok ? policy.policy.contentFilterRules : policy.problems).toEqual([
    { id: 'r', name: 'r', operand: 'a-b', risk: 3, category: 'c', subcategory: 's', message: 'm', tags: [] },
  ])
})
