// Signatures (spec pipeline 4.9, 7.8). `category`, `subcategory` and `risk` become tags that profiles choose by.
import { type Static, Type } from 'typebox'
import type { ContentFilterRule } from '../policy.ts'
import type { Report } from '../problem.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema, readPattern, readTags } from './common.ts'

const exampleList = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ maxLength: 8192, expected: 'a string of at most 8192 characters' }), {
      maxItems: 50,
      description: `${description} Default: none.`,
      expected: 'a list of at most 50 strings',
    }),
  )

const schema = entrySchema({
  operand: Type.String({
    minLength: 1,
    syntax: 're2',
    description: 'RE2 expression, searched without case; `^` and `$` at line ends, `.` matches line ends.',
  }),
  risk: Type.Integer({ minimum: 1, maximum: 5, description: 'From 1 (hint) to 5 (certain and grave).' }),
  category: Type.String({ description: 'Family, `sqli`; becomes `cf-rule-category:sqli`.' }),
  subcategory: Type.String({ description: 'Part of the family; becomes `cf-rule-subcategory:…`.' }),
  msg: Type.String({ description: 'For the log of the event.' }),
  examples: Type.Optional(
    partSchema(
      {
        matches: exampleList('Values that the rule must find.'),
        misses: exampleList('Harmless values that resemble them and that it must leave alone.'),
      },
      { description: 'Tested by `weir rules test`; no part of the policy.' },
    ),
  ),
})

const risks: readonly ContentFilterRule['risk'][] = [1, 2, 3, 4, 5]

function parse(entry: Static<typeof schema>, report: Report): ContentFilterRule {
  return {
    ...identityOf(entry),
    operand: readPattern(entry.operand, 'operand', report),
    // The schema bounds it; the table gives it its type.
    risk: risks[entry.risk - 1] ?? 1,
    category: entry.category,
    subcategory: entry.subcategory,
    message: entry.msg,
    tags: readTags(entry.tags, 'tags', report),
  }
}

export type RuleExamples = { readonly matches: readonly string[]; readonly misses: readonly string[] }
export type RuleWithExamples = ContentFilterRule & { readonly examples: RuleExamples }

const declaration = {
  namespace: 'content-filter-rules',
  noun: 'content filter rule',
  title: 'Content filter rules',
  description: 'Expressions that find attacks in headers, cookies, arguments and paths.',
  schema,
  examples: [
    {
      id: '100016',
      name: '100016',
      description: '',
      tags: ['rtc:injection'],
      operand: '\\bxp_cmdshell\\b',
      risk: 5,
      category: 'sqli',
      subcategory: 'built-in function invocation',
      msg: 'Command execution through a database procedure',
      examples: { matches: ["'; EXEC xp_cmdshell 'dir'"], misses: ['xp_cmdshell_disabled'] },
    },
  ],
} as const

/** As a policy has them: the examples, which judge no request, take no memory there. */
export const contentFilterRules = defineDocument({ ...declaration, parse })

/** As `weir rules test` has them. */
export const contentFilterRulesWithExamples = defineDocument({
  ...declaration,
  parse: (entry, report): RuleWithExamples => ({
    ...parse(entry, report),
    examples: { matches: entry.examples?.matches ?? [], misses: entry.examples?.misses ?? [] },
  }),
})
