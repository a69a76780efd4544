// How often something may happen (spec pipeline 4.5, 7.4).
import { type Static, Type } from 'typebox'
import { duplicate, finding, required } from '../findings.ts'
import type { RateLimitRule, Selector, TagScope } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath, isList } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema, readTags, reference, tagList } from './common.ts'
import { readSelector, readSelectors, selector, selectorOrSelf } from './selector.ts'

const scope = (description: string) =>
  Type.Union(
    [
      partSchema({
        relation: Type.Optional(
          Type.Enum(['OR', 'AND'], { description: 'OR: any of the tags. Default: OR.' }),
        ),
        tags: Type.Optional(tagList('')),
      }),
      tagList('As relation OR.'),
    ],
    { description, expected: 'an object with relation and tags, or a list of tags' },
  )

/** Ten years: longer is a mistake, and stores count in milliseconds. */
const longest = 315_360_000

const seconds = (description: string) =>
  Type.Integer({ minimum: 1, maximum: longest, digits: true, description: `${description} Seconds.` })

const schema = entrySchema({
  active: Type.Optional(Type.Boolean({ description: 'Default: true.' })),
  global: Type.Boolean({ description: 'Evaluated for every request, not only where a path names the rule.' }),
  timeframe: seconds('Length of the window, which starts with the first event.'),
  key: Type.Optional(
    Type.Array(selector, {
      description: 'Count by: one counter for each combination of values. Default: one for all.',
    }),
  ),
  pairwith: Type.Optional({
    ...selectorOrSelf,
    description: 'Event: new values of this are counted. Default: each request.',
  }),
  thresholds: Type.Array(
    partSchema({
      limit: Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Events that are within the limit.',
      }),
      action: reference('actions', 'Action once the count is greater.'),
    }),
    { minItems: 1, description: 'What happens above which count.' },
  ),
  include: Type.Optional(scope('Only requests with these tags are counted. Default: all.')),
  exclude: Type.Optional(scope('Requests with these tags are not counted. Default: none.')),
  ban_mode: Type.Optional(
    Type.Boolean({ description: 'Ban the source above the highest limit. Default: false.' }),
  ),
  ban_duration: Type.Optional(seconds('Length of a ban.')),
})
type Entry = Static<typeof schema>

/** A rule whose actions are still ids and whose thresholds stand as written. */
export type RateLimitRuleEntry = Omit<RateLimitRule, 'thresholds' | 'connectedTo'> & {
  readonly active: boolean
  readonly thresholds: readonly { readonly limit: number; readonly actionId: string }[]
}

/** Attributes that say where a request comes from; the others say what it asks for. */
const sources = ['ip', 'network', 'asn', 'organization', 'country', 'region', 'subregion', 'session']

const namesSource = (one: Selector): boolean => one.in !== 'attrs' || sources.includes(one.attribute)

function readScope(given: Entry['include'], field: string, report: Report): TagScope {
  const { relation = 'OR', tags = [] } = isList(given) ? { tags: given } : (given ?? {})
  return { relation, tags: readTags(tags, field, report) }
}

function readBan(entry: Entry, key: readonly Selector[], report: Report): number | undefined {
  if (entry.ban_mode !== true) return undefined
  if (entry.ban_duration === undefined)
    report.problem('ban_duration', required('ban_duration', 'seconds that a ban lasts'))
  if (!key.some(namesSource)) {
    report.problem(
      'key',
      finding(
        'ban_mode needs a key that names a source',
        'Count by ip, session, a header, a cookie or the like: a ban by this key would hit everybody.',
      ),
    )
  }
  return entry.ban_duration === undefined ? undefined : entry.ban_duration * 1000
}

function readThresholds(entry: Entry, report: Report): RateLimitRuleEntry['thresholds'] {
  const seen = new Map<number, number>()
  return entry.thresholds.map(({ limit, action }, index) => {
    const first = seen.get(limit)
    if (first === undefined) seen.set(limit, index)
    else report.problem(`${fieldPath('thresholds', index)}.limit`, duplicate('limit', `thresholds[${first}]`))
    return { limit, actionId: action }
  })
}

function parse(entry: Entry, report: Report): RateLimitRuleEntry {
  const key = readSelectors(entry.key ?? [])
  return {
    ...identityOf(entry),
    tags: readTags(entry.tags, 'tags', report),
    active: entry.active ?? true,
    global: entry.global,
    timeframeMs: entry.timeframe * 1000,
    key,
    event: entry.pairwith === undefined ? undefined : readSelector(entry.pairwith),
    thresholds: readThresholds(entry, report),
    include: readScope(entry.include, 'include', report),
    exclude: readScope(entry.exclude, 'exclude', report),
    banMs: readBan(entry, key, report),
  }
}

export const rateLimitRules = defineDocument({
  namespace: 'rate-limit-rules',
  noun: 'rate limit rule',
  title: 'Rate limit rules',
  description: 'How many requests, or different values, a source may send in a time.',
  schema,
  examples: [
    {
      id: 'r',
      name: 'R',
      description: '',
      active: true,
      global: false,
      timeframe: 60,
      key: [{ attrs: 'ip' }],
      pairwith: { self: 'self' },
      thresholds: [{ limit: 3, action: 'action-rate-limit-block' }],
      include: { relation: 'OR', tags: [] },
      exclude: { relation: 'OR', tags: ['trusted'] },
      tags: [],
      ban_mode: true,
      ban_duration: 600,
    },
    {
      id: 'account-sharing',
      global: true,
      timeframe: '3600',
      key: [{ cookies: 'sid' }],
      pairwith: { attrs: 'country' },
      thresholds: [{ limit: 2, action: 'action-monitor' }],
      exclude: ['staff'],
    },
  ],
  parse,
})
