// Envoy holds a body back exactly where something reads it (spec control-plane 2.4).
import { describe, expect, test } from '@jest/globals'
import type { GlobalFilter, MapEntry, Policy, RateLimitRule, Selector, ServerGroup } from '#config'
import * as site from './sites.fixture.ts'
import { readsBody } from '#pipeline'

const argument: Selector = { in: 'args', name: 'user' }
const header: Selector = { in: 'headers', name: 'user' }

const limit = (with_: Partial<RateLimitRule>): RateLimitRule => ({
  id: 'rl',
  name: 'rl',
  tags: [],
  global: false,
  timeframeMs: 1000,
  key: [header],
  event: undefined,
  thresholds: [],
  include: { relation: 'OR', tags: [] },
  exclude: { relation: 'OR', tags: [] },
  banMs: undefined,
  connectedTo: new Set(),
  ...with_,
})

const filter = (section: 'args' | 'headers'): GlobalFilter => ({
  id: 'gf',
  name: 'gf',
  tags: [],
  action: undefined,
  rule: {
    relation: 'AND',
    entries: [
      { relation: 'OR', entries: [{ match: 'parameter', section, name: 'a', pattern: 'b', inverse: false }] },
    ],
  },
})

const flow = (host: string | undefined, key: Selector): Policy['flowPolicies'][number] => ({
  id: 'fc',
  name: 'fc',
  tags: [],
  timeframeMs: 1000,
  key: [key],
  steps: [{ method: 'POST', uri: '/login', host, conditions: [] }],
  include: [],
  exclude: [],
})

type Case = {
  readonly entry?: Partial<MapEntry>
  readonly others?: readonly MapEntry[]
  readonly group?: Partial<ServerGroup>
  readonly session?: readonly Selector[]
  readonly policy?: Partial<Policy>
}

const off = { contentFilterActive: false } as const

describe('the body is held back', () => {
  const rows: readonly (readonly [says: string, given: Case, reads: boolean])[] = [
    ['for an active content filter', {}, true],
    ['not for an inactive one', { entry: off }, false],
    [
      'not for one that ignores bodies',
      { entry: { contentFilter: site.contentFilter({ ignoreBody: true }) } },
      false,
    ],
    [
      'for a limit that counts by an argument',
      { entry: { ...off, rateLimitRules: [limit({ key: [argument] })] } },
      true,
    ],
    [
      'for a limit on values of an argument',
      { entry: { ...off, rateLimitRules: [limit({ event: argument })] } },
      true,
    ],
    ['not for a limit that counts by a header', { entry: { ...off, rateLimitRules: [limit({})] } }, false],
    [
      'for a limit of the site level',
      {
        entry: off,
        others: [site.entry({ id: 'sl', role: 'site-level', rateLimitRules: [limit({ key: [argument] })] })],
      },
      true,
    ],
    [
      'not for a limit of another entry',
      {
        entry: off,
        others: [
          site.entry({ id: 'x', role: 'path', match: '/x', rateLimitRules: [limit({ key: [argument] })] }),
        ],
      },
      false,
    ],
    [
      'for a global limit',
      { entry: off, policy: { rateLimitRules: [limit({ global: true, key: [argument] })] } },
      true,
    ],
    [
      'not for a limit that nobody names',
      { entry: off, policy: { rateLimitRules: [limit({ key: [argument] })] } },
      false,
    ],
    ['for a session that an argument identifies', { entry: off, session: [argument] }, true],
    [
      'for a global filter on arguments, however deep',
      { entry: off, policy: { globalFilters: [filter('args')] } },
      true,
    ],
    [
      'not for a global filter on headers',
      { entry: off, policy: { globalFilters: [filter('headers')] } },
      false,
    ],
    [
      'for a flow by an argument on any host',
      { entry: off, policy: { flowPolicies: [flow(undefined, argument)] } },
      true,
    ],
    [
      'for a flow by an argument on this host',
      { entry: off, policy: { flowPolicies: [flow('www.example.com', argument)] } },
      true,
    ],
    [
      'not for a flow by an argument on another host',
      { entry: off, policy: { flowPolicies: [flow('other.example', argument)] } },
      false,
    ],
    [
      'for a flow on a host that an expression may match',
      {
        entry: off,
        group: { serverNames: [{ kind: 'regex', pattern: 'x' }] },
        policy: { flowPolicies: [flow('other.example', argument)] },
      },
      true,
    ],
    [
      'not for a flow by a header',
      { entry: off, policy: { flowPolicies: [flow(undefined, header)] } },
      false,
    ],
  ]
  for (const [says, given, reads] of rows)
    test(says, () => {
      const entry = site.entry(given.entry)
      const securityPolicy = site.securityPolicy({
        entries: [...(given.others ?? []), entry],
        session: given.session ?? [],
      })
      const group = site.group({ policy: securityPolicy, ...given.group })
      expect(readsBody(site.policy({ serverGroups: [group], ...given.policy }), group, entry)).toBe(reads)
    })
})
