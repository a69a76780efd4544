// What several documents make together: references, roles, thresholds, trusted sources, built-in entries, revisions.
// What one wrong folder answers stands in test/validate.
import { describe, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chain } from './certificate/certificate.fixture.ts'
import { buildPolicy, loadFolder } from './load.ts'
import type { Policy } from './policy.ts'
import { formatProblem, totalOf } from './problem.ts'

type Entry = Readonly<Record<string, unknown>>
type Documents = Readonly<Record<string, readonly Entry[]>>

function policyOf(documents: Documents): Policy {
  const result = buildPolicy(documents)
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'))
  return result.policy
}

const lines = (
  found: readonly { readonly entry: string; readonly field: string; readonly reason: string }[],
) => found.map(({ entry, field, reason }) => `${entry} ${field}: ${reason}`)

const problemsOf = (documents: Readonly<Record<string, unknown>>) => {
  const result = buildPolicy(documents)
  return result.ok ? [] : lines(result.problems)
}

const warningsOf = (documents: Documents) => lines(buildPolicy(documents).warnings)

const app: Entry = { id: 'app', http11: true, least_conn: false, back_hosts: [{ host: 'app.internal' }] }
const fallback: Entry = { id: '__default_entry__', name: 'd', match: '__default__', backend_service: 'app' }
const site = (...map: readonly Entry[]): Documents => ({
  'backend-services': [app],
  'security-policies': [{ id: 'shop', map: [fallback, ...map] }],
  'server-groups': [{ id: 'www', server_names: ['www.example.com'], security_policy: 'shop' }],
})
const filter = (id: string, more: Entry): Entry => ({
  id,
  active: true,
  source: 'self-managed',
  mdate: '2026-01-02T03:04:05Z',
  ...more,
})
const limit = (id: string, more: Entry = {}): Entry => ({
  id,
  global: true,
  timeframe: 60,
  key: [{ attrs: 'ip' }],
  thresholds: [{ limit: 3, action: 'action-monitor' }],
  ...more,
})

describe('the role of a path map entry', () => {
  const entry = (id: string, name: string, match: string): Entry => ({
    id,
    name,
    match,
    backend_service: 'app',
  })
  test.each([
    ['by its id', entry('__default_entry__', 'x', '^/x'), 'default'],
    ['by the match __default__', entry('rest', 'rest', '__default__'), 'default'],
    ['by match / and id default', entry('default', 'rest', '/'), 'default'],
    ['by match / and name __default__', entry('rest', '__default__', '/'), 'default'],
  ])('default: %s', (...[, one, role]) => {
    const documents = { ...site(), 'security-policies': [{ id: 'shop', map: [one] }] }
    expect(policyOf(documents).serverGroups[0]?.policy.entries.map((each) => each.role)).toEqual([role])
  })

  test.each([
    ['root', entry('__root_entry__', 'root', '^/$'), 'root'],
    ['a path', entry('api', 'api', '^/api/'), 'path'],
    ['/ alone is a path', entry('all', 'all', '/'), 'path'],
    ['the site level', { id: '__site_level__', name: 's', match: '__site_level__' }, 'site-level'],
  ])('%s', (...[, one, role]) => {
    expect(policyOf(site(one)).serverGroups[0]?.policy.entries[1]?.role).toBe(role)
  })

  test('profiles and backend of the site level are told to be ignored', () => {
    const one = {
      id: '__site_level__',
      name: 's',
      match: 's',
      acl_profile: '__acldefault__',
      backend_service: 'app',
    }
    expect(warningsOf(site(one))).toEqual([
      'shop map[1].acl_profile: acl_profile of the site level is ignored',
      'shop map[1].backend_service: backend_service of the site level is ignored',
    ])
    expect(policyOf(site(one)).serverGroups[0]?.policy.entries[1]?.backend).toBeUndefined()
  })
})

describe('thresholds', () => {
  const thresholds = (...list: readonly (readonly [number, string])[]) => {
    const rule = limit('r', { thresholds: list.map(([at, action]) => ({ limit: at, action })) })
    const documents = { 'rate-limit-rules': [rule] }
    return {
      kept: policyOf(documents).rateLimitRules[0]?.thresholds.map((one) => [one.limit, one.action.id]),
      warnings: warningsOf(documents),
    }
  }
  const block = 'action-rate-limit-block'

  test('stand in ascending order', () => {
    expect(thresholds([9, block], [3, 'action-monitor'])).toEqual({
      kept: [
        [3, 'action-monitor'],
        [9, block],
      ],
      warnings: [],
    })
  })
  test('a weaker action above a stronger one is dropped, with a warning at its place', () => {
    expect(thresholds([9, 'action-monitor'], [3, block], [20, block])).toEqual({
      kept: [
        [3, block],
        [20, block],
      ],
      warnings: [`r thresholds[0]: dropped: "action-monitor" ranks below "${block}" of the smaller limit 3`],
    })
  })
  test('skip ranks lowest, challenge above monitor', () => {
    expect(
      thresholds([1, 'action-skip'], [2, 'action-monitor'], [3, 'action-challenge'], [4, 'action-skip']).kept,
    ).toEqual([
      [1, 'action-skip'],
      [2, 'action-monitor'],
      [3, 'action-challenge'],
    ])
  })
})

describe('rate limit rules', () => {
  test('know the policies that name them; without any and not global they have no effect', () => {
    const documents = {
      ...site({
        id: 'api',
        name: 'api',
        match: '^/api',
        backend_service: 'app',
        rate_limit_rules: ['named'],
      }),
      'rate-limit-rules': [
        limit('named', { global: false }),
        limit('forgotten', { global: false }),
        limit('off', { active: false, global: false }),
      ],
    }
    const rules = policyOf(documents).rateLimitRules
    expect(rules.map(({ id, connectedTo }) => [id, ...connectedTo])).toEqual([
      ['named', 'shop'],
      ['forgotten'],
    ])
    expect(warningsOf(documents)).toEqual(['forgotten : has no effect'])
  })
  test('an inactive rule may be named, and does nothing', () => {
    const documents = {
      ...site({ id: 'api', name: 'api', match: '^/api', backend_service: 'app', rate_limit_rules: ['off'] }),
      'rate-limit-rules': [limit('off', { active: false })],
    }
    expect(policyOf(documents).serverGroups[0]?.policy.entries[1]?.rateLimitRules).toEqual([])
  })
})

describe('trusted sources', () => {
  const rule = {
    relation: 'AND',
    entries: [
      ['ip', '198.51.100.0/24', ''],
      ['path', '^/x', ''],
      {
        relation: 'OR',
        entries: [
          ['ip', '2001:db8::/32'],
          ['ip', '!10.0.0.0/8'],
        ],
      },
    ],
  }
  const template = {
    id: '__default__',
    trusted_nets: [
      { source: 'ip', address: '192.0.2.1' },
      { source: 'global_filter', gf_id: 'cdn' },
      { source: 'ip', address: '198.51.100.0/24' },
    ],
  }
  const documents = { 'global-filters': [filter('cdn', { rule })], 'proxy-templates': [template] }

  test('a filter gives every ip condition of all its sections, each network once', () => {
    expect(policyOf(documents).defaultTemplate.trustedSources).toEqual([
      '192.0.2.1',
      '198.51.100.0/24',
      '2001:db8::/32',
    ])
  })
  test('inverse ones are left out with a warning', () => {
    expect(warningsOf(documents)).toEqual([
      '__default__ trusted_nets[1].gf_id: inverse IP entries of global filter "cdn" are left out',
    ])
  })

  test('E34: whatever the relations, and nothing but ip', () => {
    const e34 = {
      relation: 'OR',
      entries: [
        ['ip', '192.0.2.0/25', 'a'],
        ['asn', '13335', 'b'],
        {
          relation: 'AND',
          entries: [
            ['ip', '198.51.100.7', 'c'],
            ['path', '^/x', 'd'],
          ],
        },
      ],
    }
    const { defaultTemplate } = policyOf({
      'global-filters': [filter('cf', { rule: e34, active: false })],
      'proxy-templates': [{ id: '__default__', trusted_nets: [{ source: 'global_filter', gf_id: 'cf' }] }],
    })
    expect(defaultTemplate.trustedSources).toEqual(['192.0.2.0/25', '198.51.100.7'])
  })

  const planet = (...nets: readonly Entry[]): Entry => ({ id: 'planet', value: { trusted_nets: nets } })
  const trusts = (trusted_nets: unknown): readonly string[] =>
    policyOf({
      'system-db': [planet({ address: '10.0.0.0/8' }, { source: 'global_filter', gf_id: 'lb' })],
      'global-filters': [filter('lb', { rule: ['ip', '192.0.2.9'] })],
      'proxy-templates': [{ id: '__default__', trusted_nets }],
    }).defaultTemplate.trustedSources
  test.each([
    ['null', null, ['10.0.0.0/8', '192.0.2.9']],
    ['left out', undefined, ['10.0.0.0/8', '192.0.2.9']],
    ['an own list', [{ source: 'ip', address: '198.51.100.1' }], ['198.51.100.1']],
    ['an empty one: nobody', [], []],
  ])('the list of the planet holds where a template has none: %s', (...[, own, expected]) => {
    expect(trusts(own)).toEqual(expected)
  })
  test('a filter that the planet names must be there', () => {
    expect(problemsOf({ 'system-db': [planet({ source: 'global_filter', gf_id: 'nobody' })] })).toEqual([
      'planet value.trusted_nets[0].gf_id: unknown global filter "nobody"',
    ])
  })
})

describe('what does not take effect yet', () => {
  const entry = { id: 'api', name: 'api', match: '^/api/', backend_service: 'app' }
  const fn = { id: 'f', phase: 'request_pre', code: 'ngx.exit(403)' }
  test('an edge function is looked up, and whoever lists one is told that it does not run', () => {
    expect(problemsOf(site({ ...entry, edge_functions: ['nobody'] }))).toEqual([
      'shop map[1].edge_functions[0]: unknown edge function "nobody"',
    ])
    expect(warningsOf({ ...site({ ...entry, cloud_functions: ['f'] }), 'edge-functions': [fn] })).toEqual([
      'f code: edge functions do not run yet: the code is kept, and neither compiled nor run',
      'shop map[1].edge_functions: edge functions do not run yet: requests pass here as if there were none',
    ])
  })

  const group = (mobile_application_group: string): Documents => ({
    ...site(),
    'server-groups': [
      {
        id: 'www',
        server_names: ['www.example.com'],
        security_policy: 'shop',
        mobile_application_group,
      },
    ],
    'mobile-application-groups': [
      { id: 'app', secret: 'env:S', signatures: [{ hash: 'a'.repeat(64), active: true }] },
      { id: 'later', signatures: [{ hash: 'a'.repeat(64) }] },
    ],
  })
  test('a mobile application group is looked up; one with signatures warns', () => {
    expect(problemsOf(group('nobody'))).toEqual([
      'www mobile_application_group: unknown mobile application group "nobody"',
    ])
    expect(warningsOf(group('app'))).toEqual([
      'www mobile_application_group: signatures of apps are not checked yet: their requests are treated like all others',
    ])
    for (const none of ['__default__', 'later']) expect(warningsOf(group(none))).toEqual([])
  })
})

describe('feature toggles', () => {
  const certificates = [{ id: 'ca', side: 'clientCA', cert_body: chain }]
  const toggles = (value: Entry): Documents => ({
    certificates,
    'system-db': [{ id: 'feature-toggle', value }],
  })
  const name = 'ssl-client-to-v5-client-ca-certificate'
  test('a side that is switched off is refused, naming the toggle', () => {
    expect(problemsOf(toggles({ [name]: false }))).toEqual([
      `ca side: certificates of side clientCA are switched off by the toggle ${name}`,
    ])
  })
  test('a folder that does not speak of the toggle may have such certificates', () => {
    for (const documents of [toggles({}), toggles({ [name]: true }), { certificates }])
      expect(problemsOf(documents)).toEqual([])
  })
})

describe('filters that wait for each other', () => {
  const rows: readonly (readonly [
    string,
    readonly (readonly [string, string, string])[],
    readonly string[],
  ])[] = [
    [
      'a chain is none',
      [
        ['a', 'one', 'none'],
        ['b', 'two', 'one'],
      ],
      [],
    ],
    [
      'two',
      [
        ['a', 'one', 'two'],
        ['b', 'two', 'one'],
      ],
      ['a', 'b'],
    ],
    ['one and itself', [['a', 'one', 'one']], ['a']],
    [
      'those behind a circle are not in it',
      [
        ['a', 'one', 'one'],
        ['b', 'two', 'one'],
      ],
      ['a'],
    ],
  ]
  test.each(rows)('%s', (...[, filters, warned]) => {
    const documents = {
      'global-filters': filters.map(([id, tag, looked]) =>
        filter(id, { tags: [tag], rule: ['tag', looked] }),
      ),
    }
    expect(warningsOf(documents)).toEqual(
      warned.map((id) => `${id} rule: its tags and those it looks at form a circle`),
    )
  })
})

describe('built-in entries', () => {
  test('stand in where a configuration leaves them out', () => {
    const policy = policyOf(site())
    expect([...policy.actions.values()].map(({ id, type }) => `${id} ${type}`)).toEqual([
      'action-monitor monitor',
      'action-skip skip',
      'action-challenge challenge',
      'action-global-filter-block block',
      'action-rate-limit-block block',
      'action-acl-block block',
      'action-contentfilter-block block',
      'action-dynamic-rule-block block',
      'action-feed-block block',
      'action-reputation-block block',
      'action-interactive-challenge interactive_challenge',
      'action-https-redirect block',
    ])
    const entry = policy.serverGroups[0]?.policy.entries[0]
    expect([entry?.acl.id, entry?.contentFilter.id]).toEqual(['__acldefault__', '__defaultcontentfilter__'])
    expect(policy.serverGroups[0]?.template).toBe(policy.defaultTemplate)
  })
  test("the operator's own entry of the same id takes their place", () => {
    const own = { id: 'action-acl-block', type: 'block', params: { status: 418 } }
    const policy = policyOf({ ...site(), actions: [own] })
    expect(policy.serverGroups[0]?.policy.entries[0]?.acl.action).toMatchObject({ status: 418 })
  })
  test('an own entry that is wrong is a problem, not a reason to use the built-in one', () => {
    expect(problemsOf({ ...site(), actions: [{ id: 'action-acl-block', type: 'blok' }] })).toHaveLength(1)
  })
})

describe('a folder that is wrong in very many places', () => {
  const wrong = Array.from({ length: 50_000 }, (_, n) => ({ id: String(n), type: 'no such type' }))
  const result = buildPolicy({ ...site(), actions: wrong })
  const problems = result.ok ? [] : result.problems

  test('lists the first ones and the number of the others', () => {
    expect(problems).toHaveLength(201)
    expect(problems.slice(0, 200).map(({ entry }) => entry)).toEqual(
      Array.from({ length: 200 }, (_, n) => String(n)),
    )
    expect(problems.slice(200).map(formatProblem)).toEqual([
      'the folder: 49800 more problems. Correct those above first; then these are listed.',
    ])
  })
  test('and says how many there are', () => {
    expect(totalOf(problems)).toBe(50_000)
  })
  test('two hundred are listed all', () => {
    const few = buildPolicy({ ...site(), actions: wrong.slice(0, 200) })
    expect(few.ok ? [] : few.problems.map(({ entry }) => entry)).toEqual(
      wrong.slice(0, 200).map(({ id }) => id),
    )
  })
})

describe('the revision', () => {
  const revision = (documents: Documents) => policyOf(documents).revision

  test('is the same however keys and documents are ordered', () => {
    const { 'backend-services': services = [], ...rest } = site()
    const reversed = (entry: Entry): Entry => Object.fromEntries(Object.entries(entry).toReversed())
    const other = {
      ...Object.fromEntries(Object.entries(rest).toReversed()),
      'backend-services': services.map(reversed),
      actions: [],
    }
    expect(revision(other)).toBe(revision(site()))
    expect(revision(site())).toMatch(/^[0-9a-f]{16}$/)
  })
  test('an entry counts for the document that it stands in', () => {
    const alike = (namespace: string) => revision({ ...site(), [namespace]: [{ id: 'e' }] })
    expect(alike('acl-profiles')).not.toBe(alike('proxy-templates'))
  })
  test.each([
    ['a value', site({ id: 'a', name: 'a', match: '^/b', backend_service: 'app' })],
    [
      'the order of entries',
      {
        ...site(),
        actions: [
          { id: 'b', type: 'skip' },
          { id: 'a', type: 'skip' },
        ],
      },
    ],
    ['an entry more', { ...site(), actions: [{ id: 'a', type: 'skip' }] }],
  ])('changes with %s', (...[, changed]) => {
    const before = {
      ...site({ id: 'a', name: 'a', match: '^/a', backend_service: 'app' }),
      actions: [
        { id: 'a', type: 'skip' },
        { id: 'b', type: 'skip' },
      ],
    }
    expect(revision(changed)).not.toBe(revision(before))
  })
})

describe('references are followed to entries that are wrong without blaming them twice', () => {
  test('an ACL profile with an unknown action', () => {
    const documents = {
      ...site({ id: 'a', name: 'a', match: '^/a', backend_service: 'app', acl_profile: 'members' }),
      'acl-profiles': [{ id: 'members', action: 'nothing' }],
    }
    expect(problemsOf(documents)).toEqual(['members action: unknown action "nothing"'])
  })
})

describe('documents in memory', () => {
  test.each([
    ['a namespace that is none', { 'rate-limit-rule': [] }, [' : not a document of the configuration']],
    ['no list', { actions: { id: 'a' } }, [' : must be a list of entries']],
    ['nothing', { actions: null }, [' : must be a list of entries']],
  ])('%s', (...[, documents, expected]) => {
    expect(problemsOf(documents)).toEqual(expected)
  })
})

describe('nothing that a document holds makes loading throw, or changes what objects are', () => {
  const nested = (levels: number): unknown => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
  const laughs = (): unknown => {
    let value: unknown = ['ha']
    for (let i = 0; i < 40; i++) value = [value, value]
    return value
  }
  const circle = (): unknown => {
    const value: unknown[] = []
    value.push(value)
    return value
  }
  const polluting: unknown = JSON.parse(
    '{"id":"__proto__","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}',
  )
  const junk: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a number', 7],
    ['a text', 'x'],
    ['a text of 1 MB', 'x'.repeat(1_000_000)],
    ['brackets of 1 MB', '['.repeat(1_000_000)],
    ['true', true],
    ['an empty list', []],
    ['an empty object', {}],
    ['lists in lists', [[[[]]]]],
    ['100,000 levels', nested(100_000)],
    ['aliases of aliases', laughs()],
    ['a circle', circle()],
    ['names of Object', polluting],
    ['names of Object, nested', [polluting, { map: polluting }]],
  ]
  const wellFormed: Documents = {
    actions: [{ id: 'a', type: 'block', params: { headers: {} }, tags: [] }],
    'global-filters': [filter('a', { action: 'a', rule: {}, tags: [] })],
    'flow-control-policies': [
      {
        id: 'a',
        active: true,
        timeframe: 1,
        key: [{ attrs: 'ip' }],
        steps: [
          { method: 'GET', uri: '/', headers: {} },
          { method: 'GET', uri: '/b' },
        ],
      },
    ],
    'rate-limit-rules': [
      limit('a', { pairwith: { self: 'self' }, include: {}, exclude: [], ban_duration: 1 }),
    ],
    'acl-profiles': [{ id: 'a', action: 'action-skip', deny: [] }],
    'content-filter-rules': [{ id: 'a', operand: 'x', risk: 1, category: '', subcategory: '', msg: '' }],
    'content-filter-profiles': [
      {
        id: 'a',
        ignore_alphanum: true,
        decoding: {},
        masking_seed: 's',
        headers: { names: [] },
        cookies: {},
        args: {},
        path: {},
        graphql_path: '$',
      },
    ],
    'backend-services': [app],
    'proxy-templates': [{ id: 'a', trusted_nets: [], limit_req_rate: '1', advanced_configuration: [] }],
    'security-policies': [{ id: 'shop', session: [], map: [fallback] }],
    'server-groups': [
      { id: 'www', server_names: ['a.example'], security_policy: 'shop', ssl_protocols: null },
    ],
  }
  /** The entry with one field replaced, for each of its fields. */
  const replaced = (entry: Entry, by: unknown): readonly unknown[] =>
    Object.keys(entry).map((field) => ({ ...entry, [field]: by }))

  test.each(junk)('%s, as an entry and as any field', (...[, value]) => {
    let refused = 0
    let ran = 0
    for (const [namespace, [entry = {}]] of Object.entries(wellFormed)) {
      for (const changed of [value, ...replaced(entry, value)]) {
        const result = buildPolicy({ ...wellFormed, [namespace]: [changed] })
        ran++
        if (result.ok) continue
        refused++
        for (const problem of result.problems) expect(formatProblem(problem).length).toBeLessThan(5000)
      }
    }
    expect(ran).toBe(11 + Object.values(wellFormed).flatMap(([entry = {}]) => Object.keys(entry)).length)
    expect(refused).toBeGreaterThan(ran / 2)
    expect(Object.keys(Object.prototype)).toEqual([])
    expect('polluted' in {}).toBe(false)
  })

  test('names of Object are ids like all others', () => {
    const names = ['__proto__', 'constructor', 'toString']
    const policy = policyOf({ actions: names.map((id) => ({ id, type: 'skip' })) })
    expect(names.map((id) => policy.actions.get(id)?.type)).toEqual(['skip', 'skip', 'skip'])
    expect(
      problemsOf({ 'rate-limit-rules': [limit('a', { thresholds: [{ limit: 1, action: 'constructor' }] })] }),
    ).toEqual(['a thresholds[0].action: unknown action "constructor"'])
  })
})

describe('ten thousand of them', () => {
  const many = 10_000
  const each = (make: (i: number) => Entry): readonly Entry[] =>
    Array.from({ length: many }, (_, i) => make(i))
  const rows: readonly (readonly [string, Documents, number])[] = [
    [
      'filters in one chain',
      { 'global-filters': each((i) => filter(`f${i}`, { tags: [`t${i + 1}`], rule: ['tag', `t${i}`] })) },
      0,
    ],
    [
      'filters in one circle',
      {
        'global-filters': each((i) =>
          filter(`f${i}`, { tags: [`t${(i + 1) % many}`], rule: ['tag', `t${i}`] }),
        ),
      },
      many,
    ],
    [
      'filters that all wait for each other',
      { 'global-filters': each((i) => filter(`f${i}`, { tags: ['t'], rule: ['tag', 't'] })) },
      many,
    ],
    [
      'wrong references',
      {
        'acl-profiles': each((i) => ({ id: `a${i}`, action: `act-${many + i}` })),
        actions: each((i) => ({ id: `act-${i}`, type: 'skip' })),
      },
      many,
    ],
    [
      'sites',
      {
        ...site(),
        'server-groups': each((i) => ({
          id: `g${i}`,
          server_names: [`h${i}.example.com`],
          security_policy: 'shop',
        })),
      },
      0,
    ],
  ]
  test.each(rows)('%s take seconds, not minutes', (...[, documents, found]) => {
    const start = process.cpuUsage()
    const result = buildPolicy(documents)
    expect(process.cpuUsage(start).user).toBeLessThan(20e6)
    expect(totalOf(result.ok ? [] : result.problems) + totalOf(result.warnings)).toBe(found)
  })
})

describe('a folder', () => {
  const inFolder = (use: (folder: string) => void): void => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-load-'))
    try {
      use(folder)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const found = (folder: string) => {
    const result = loadFolder(folder)
    return (result.ok ? [] : result.problems).map(({ file, reason }) => `${file}: ${reason}`)
  }

  test('what people keep beside documents is not read', () => {
    inFolder((folder) => {
      writeFileSync(join(folder, 'actions.yaml'), '\ufeff- id: a\n  type: skip\n')
      for (const name of ['README.md', '.gitkeep', 'actions.json~']) writeFileSync(join(folder, name), '?')
      mkdirSync(join(folder, 'examples'))
      symlinkSync('nowhere', join(folder, '.#actions.json'))
      expect(found(folder)).toEqual([])
      expect(loadFolder(folder).warnings.map(({ reason }) => reason)).toEqual([
        'there is no site, so that every host is answered 421',
      ])
    })
  })
  test('a folder in the place of a document is a problem, any other folder none', () => {
    inFolder((folder) => {
      mkdirSync(join(folder, 'notes'))
      mkdirSync(join(folder, 'server-groups.json'))
      mkdirSync(join(folder, 'actions'))
      expect(found(folder)).toEqual([expect.stringContaining('cannot be read: not a regular file')])
    })
  })
  test('a link to nowhere and aliases of aliases are problems of their files', () => {
    inFolder((folder) => {
      symlinkSync('nowhere', join(folder, 'actions.json'))
      const laughs = Array.from({ length: 40 }, (_, i) => `  k${i + 1}: &k${i + 1} [*k${i}, *k${i}]`)
      writeFileSync(join(folder, 'acl-profiles.yaml'), ['- id: a', '  k0: &k0 [ha]', ...laughs].join('\n'))
      const problems = found(folder)
      expect(problems).toEqual([
        expect.stringMatching(
          /^actions\.json: cannot be read: it does not exist, or is a link to what does not$/,
        ),
        'acl-profiles.yaml: more than 5000000 values',
      ])
    })
  })
  test('that is not there is a problem', () => {
    inFolder((folder) => {
      expect(found(join(folder, 'none'))[0]).toMatch(/the folder cannot be read: it does not exist/)
    })
  })
  test('the one that ships has no problems', () => {
    const result = loadFolder(join(import.meta.dirname, '../../config'), { allowLoopbackBackends: true })
    expect(result.ok ? [] : result.problems).toEqual([])
    expect(lines(result.warnings)).toEqual([
      '__acldenyall__ force_deny: "all" in force_deny: every request is refused',
      '__defaultcontentfilter__ masking_seed: masking_seed is CHANGEME',
    ])
    expect(result.ok && result.policy.serverGroups.length).toBeGreaterThan(0)
  })
})
