// Filters that every request meets first: they tag, and may act (spec pipeline 4.3, 7.2).
import { type Static, Type } from 'typebox'
import { finding } from '../findings.ts'
import type { Rule } from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Tag } from '../policy.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, optionalReference, readTags } from './common.ts'
import { readRule } from './rule.ts'

/** Lists are as they stand in the document; nothing fetches them. */
const waitsFor = 'feeds that are fetched'

const schema = entrySchema({
  active: Type.Boolean({ description: 'Inactive filters do nothing.' }),
  source: Type.String({
    aliases: { self: 'self-managed', '': 'self-managed' },
    description: '`self-managed` (also: `self`, empty) or the http(s) URL of a feed.',
    waitsFor,
  }),
  mdate: Type.String({ description: 'Last change of the rule list, RFC 3339.' }),
  action: Type.Optional(
    optionalReference('actions', 'Action on a match. Default: none, the filter only tags.'),
  ),
  rule: Type.Optional(
    Type.Unknown({
      description:
        'Section {"relation": "AND"|"OR", "entries": […]} or entry [category, value, annotation]. Default: {}, matches nothing.',
    }),
  ),
  system_managed: Type.Optional(
    Type.Boolean({
      description: 'The rule list is not editable in the console. Default: false.',
      waitsFor: 'a console',
    }),
  ),
  refresh: Type.Optional(
    Type.String({ description: 'How often a feed is fetched, `24h`. Default: by hand.', waitsFor }),
  ),
})

export type GlobalFilterEntry = {
  readonly id: string
  readonly name: string
  readonly active: boolean
  readonly tags: readonly Tag[]
  readonly actionId: string | undefined
  readonly rule: Rule
}

const dateTime = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

const isFeed = (source: string): boolean => /^https?:\/\//.test(source) && URL.canParse(source)

function parse(entry: Static<typeof schema>, report: Report): GlobalFilterEntry {
  if (entry.source !== 'self-managed' && !isFeed(entry.source)) {
    report.problem(
      'source',
      finding('must be self-managed or an http(s) URL', 'Write "self-managed" for a list of your own.'),
    )
  }
  if (!dateTime.test(entry.mdate) || Number.isNaN(Date.parse(entry.mdate))) {
    report.problem('mdate', finding('must be an RFC 3339 date and time', 'Write it as 2026-01-02T03:04:05Z.'))
  }
  return {
    ...identityOf(entry),
    active: entry.active,
    tags: readTags(entry.tags, 'tags', report),
    actionId: entry.action || undefined,
    rule: readRule(entry.rule ?? {}, report),
  }
}

export const globalFilters = defineDocument({
  namespace: 'global-filters',
  noun: 'global filter',
  title: 'Global filters',
  description: 'Conditions on every request that attach tags and may execute an action.',
  schema,
  examples: [
    {
      id: 'gf1',
      name: 'Partners',
      description: '',
      active: true,
      source: 'self-managed',
      mdate: '2026-01-02T03:04:05Z',
      tags: ['partner'],
      action: 'action-monitor',
      rule: {
        relation: 'AND',
        entries: [
          ['path', '^/api', ''],
          {
            relation: 'OR',
            entries: [
              ['ip', '198.51.100.0/24', 'A'],
              ['headers', ['x-key', '^k1$'], 'B'],
            ],
          },
        ],
      },
    },
    {
      id: 'plain-http',
      active: true,
      source: '',
      mdate: '2026-01-02T03:04:05Z',
      rule: ['tag', 'protocol:http'],
    },
  ],
  parse,
})
