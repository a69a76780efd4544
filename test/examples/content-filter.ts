// Worked examples 85–105 of spec pipeline 9: the content filter.
import { describe, expect } from '@jest/globals'
import {
  type Documents,
  type Entry,
  actions,
  base,
  contentFilter,
  defaultEntry,
  policyWith,
  rootEntry,
} from '../support/base.ts'
import { type Door, type Row, rowsThrough } from '../support/door.ts'

const cf = (changes: Entry): Documents => ({ 'content-filter-profiles': [{ ...contentFilter, ...changes }] })
const section = (name: string, changes: Entry): Documents =>
  cf({
    [name]: {
      ...(contentFilter[name] as Entry | undefined),
      enable_max_count: true,
      enable_max_length: true,
      ...changes,
    },
  })
const active = contentFilter['active'] as readonly string[]
const report = contentFilter['report'] as readonly string[]
const entry = (key: string, changes: Entry): Entry => ({
  key,
  reg: '',
  restrict: false,
  mask: false,
  ignore_cf_rule_tags: [],
  ...changes,
})
const names = (...entries: readonly Entry[]): Documents => section('args', { names: entries })
const tagFilter = (tag: string): Documents => ({
  'global-filters': [
    {
      id: tag,
      name: tag,
      active: true,
      source: 'self-managed',
      mdate: '2026-01-02T03:04:05Z',
      tags: [tag],
      rule: ['path', '^/', ''],
    },
  ],
})
const json = { 'content-type': 'application/json' }
const attack = '/?a=xp_cmdshell'
const restricted = names(entry('id', { reg: '^\\d+$', restrict: true }))
const special: Entry = {
  id: '900110',
  name: '900110',
  category: 'generic',
  subcategory: 'generic',
  risk: 5,
  msg: 'many special characters',
  operand: '(?:[$@{}()\\[\\]][^$@{}()\\[\\]]*){8}',
}
const graphql = JSON.stringify({ query: `query { ${'item(id: 7) { name price } '.repeat(222)} }` })

const rows: readonly Row[] = [
  [
    '85 a rule blocks, tags and explains',
    attack,
    {
      is: 'block 473',
      tags: 'cf-all cf-rule-id:100016 cf-rule-name:100016 cf-rule-category:sqli cf-rule-subcategory:built-in-function-invocation cf-rule-risk:5 action:content-filter-block',
      reason: 'Content filter: default contentfilter: rule 100016 (risk 5) in arguments "a"',
      event: {
        cf_triggers: [
          {
            action: 'block',
            extra: '',
            name: 'a',
            risk_level: 5,
            ruleid: '100016',
            section: 'arguments',
            trigger_id: '__defaultcontentfilter__',
            trigger_name: 'default contentfilter',
            value: 'xp_cmdshell',
          },
        ],
      },
    },
  ],
  [
    '86 a reported risk monitors',
    '/?a=debugme%21',
    {
      is: 'monitor',
      tags: 'cf-rule-risk:2',
      event: { monitor_reasons: [expect.stringContaining('rule 900')], blocked: false },
    },
  ],
  [
    '87 a specific report beats a general active',
    attack,
    { is: 'monitor' },
    cf({ report: [...report, 'cf-rule-id:100016'] }),
  ],
  [
    '87 another rule still blocks',
    `${attack}&b=javascript:`,
    { is: 'block 473', reason: /rule 200040/, event: { trigger_counters: { cf: 2 } } },
    cf({ report: [...report, 'cf-rule-id:100016'] }),
  ],
  [
    '88 a specific active beats a general report',
    '/?b=javascript:',
    { is: 'block 473' },
    cf({ active: ['cf-rule-id:200040'], report: ['cf-rule-risk:3'] }),
  ],
  [
    '88 nothing active, nothing evaluated',
    '/?b=javascript:',
    { is: 'ok', tags: '-cf-all' },
    cf({ active: [], report: [] }),
  ],
  [
    '89 an ignored rule is not evaluated',
    attack,
    { is: 'ok', tags: '-cf-all' },
    cf({ ignore: ['cf-rule-id:100016'] }),
  ],
  [
    '89 an ignored tag exempts the request',
    attack,
    { is: 'ok' },
    { ...cf({ ignore: ['trusted'] }), ...tagFilter('trusted') },
  ],
  [
    '90 a tag of the request can act',
    '/?x=1',
    {
      is: 'block 473',
      reason: 'Content filter: default contentfilter: tag tor',
      event: { cf_triggers: [{ ruleid: '', name: 'tor' }] },
    },
    { ...cf({ active: [...active, 'tor'] }), ...tagFilter('tor') },
  ],
  [
    '91 an exception for one rule and one argument',
    attack,
    { is: 'ok' },
    names(entry('a', { ignore_cf_rule_tags: ['cf-rule-id:100016'] })),
  ],
  [
    '91 not for another argument',
    '/?b=xp_cmdshell',
    { is: 'block 473' },
    names(entry('a', { ignore_cf_rule_tags: ['cf-rule-id:100016'] })),
  ],
  [
    '91 cf-all exempts from libinjection too',
    '/?a=1%27+or+%271%27%3D%271',
    { is: 'ok' },
    names(entry('a', { ignore_cf_rule_tags: ['cf-all'] })),
  ],
  [
    '92 the exception holds for the expected form',
    '/?a=ok+xp_cmdshell',
    { is: 'ok' },
    names(entry('a', { reg: '^ok', ignore_cf_rule_tags: ['cf-all'] })),
  ],
  [
    '92 and not for another',
    '/?a=no+xp_cmdshell',
    { is: 'block 473' },
    names(entry('a', { reg: '^ok', ignore_cf_rule_tags: ['cf-all'] })),
  ],
  [
    '93 a restricted value',
    '/?id=1-',
    {
      is: 'block 473',
      tags: 'cf-restrict:restricted -cf-all',
      reason:
        'Content filter restriction: default contentfilter: restricted arguments "id" (1-, expected ^\\d+$)',
      event: { cf_restrict_triggers: [{ type: 'restricted', actual: '1-', expected: '^\\d+$' }] },
    },
    restricted,
  ],
  ['93 letters are exempt with ignore_alphanum', '/?id=abc', { is: 'ok' }, restricted],
  [
    '93 and are not without',
    '/?id=abc',
    { is: 'block 473' },
    cf({
      ignore_alphanum: false,
      args: { ...(contentFilter['args'] as Entry), names: [entry('id', { reg: '^\\d+$', restrict: true })] },
    }),
  ],
  [
    '94 only the restriction is reported',
    '/?id=1-&z=xp_cmdshell',
    { is: 'block 473', tags: '-cf-all', event: { cf_triggers: [] } },
    restricted,
  ],
  [
    '95 the exact name is closer than a pattern',
    '/?a=1-',
    { is: 'ok' },
    section('args', { names: [entry('a', {})], regex: [entry('.*', { reg: '^[A-Z]+$', restrict: true })] }),
  ],
  [
    '95 the pattern takes the others',
    '/?b=1-',
    { is: 'block 473' },
    section('args', { names: [entry('a', {})], regex: [entry('.*', { reg: '^[A-Z]+$', restrict: true })] }),
  ],
  ['95 the section is closer than all sections', '/?a=1-', { is: 'ok' }, allSections()],
  ['95 all sections take other sections', { headers: { a: '1-' } }, { is: 'block 473' }, allSections()],
  [
    '96 too many arguments',
    '/?a&b&c&d',
    {
      is: 'block 473',
      reason: 'Content filter restriction: default contentfilter: too many arguments (4 > 3)',
    },
    section('args', { max_count: 3 }),
  ],
  [
    '96 too long an argument',
    '/?a=123456',
    { is: 'block 473', tags: 'cf-restrict:too-large' },
    section('args', { max_length: 5 }),
  ],
  [
    '96 limits that are switched off',
    '/?a&b&c&d=123456',
    { is: 'ok' },
    section('args', { max_count: 3, max_length: 5, enable_max_count: false, enable_max_length: false }),
  ],
  [
    '97 a content type that is not listed',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
    {
      is: 'block 473',
      event: {
        cf_restrict_triggers: [
          { type: 'malformed body', actual: 'content type is application/x-www-form-urlencoded' },
        ],
      },
    },
    cf({ content_type: ['json'] }),
  ],
  [
    '97 none at all',
    { body: '{"a":1}' },
    { is: 'block 473', event: { cf_restrict_triggers: [{ actual: 'no content type specified' }] } },
    cf({ content_type: ['json'] }),
  ],
  ['97 broken JSON', { headers: json, body: '{"a":' }, { is: 'block 473' }, cf({ content_type: ['json'] })],
  ['97 without body it passes', '/', { is: 'ok' }, cf({ content_type: ['json'] })],
  [
    '98 the body is not examined',
    { headers: json, body: '{"a":"xp_cmdshell"}' },
    { is: 'ok' },
    cf({ ignore_body: true }),
  ],
  [
    '98 also where a limit reads it',
    { headers: json, body: '{"a":"xp_cmdshell"}' },
    { is: 'ok' },
    { ...cf({ ignore_body: true }), ...countingByA() },
  ],
  ['98 the query still is', attack, { is: 'block 473' }, cf({ ignore_body: true })],
  [
    '99 libinjection finds SQL injection',
    '/?a=1%27+or+%271%27%3D%271',
    {
      is: 'block 473',
      tags: 'cf-all cf-rule-id:libinjection-sqli cf-rule-risk:libinjection',
      reason: 'Content filter: default contentfilter: libinjection-sqli in arguments "a"',
      event: {
        cf_triggers: [
          { ruleid: 'libinjection-sqli', risk_level: 5, extra: expect.stringMatching(/^\S{2,}$/) },
        ],
      },
    },
  ],
  [
    '99 not without its tags',
    '/?a=1%27+or+%271%27%3D%271',
    { is: 'ok' },
    cf({ active: active.filter((tag) => !tag.includes('libinjection')) }),
  ],
  ['100 a name is examined too', '/?%3Cscript%3Ealert(1)%3C/script%3E', { is: 'block 473' }],
  ['101 a long GraphQL query passes', { headers: json, body: graphql }, { is: 'ok' }],
  [
    '101 a length limit refuses it',
    { headers: json, body: graphql },
    { is: 'block 473', tags: 'cf-restrict:too-large' },
    section('args', { max_length: 4096 }),
  ],
  [
    '101 so does a rule that counts characters',
    { headers: json, body: graphql },
    { is: 'block 473' },
    counting(),
  ],
  [
    '101 unless it is exempted',
    { headers: json, body: graphql },
    { is: 'ok' },
    {
      ...counting(),
      ...section('args', { regex: [entry('.*', { ignore_cf_rule_tags: ['cf-rule-name:900110'] })] }),
    },
  ],
  [
    '102 an inactive profile',
    '/x?a=xp_cmdshell',
    { is: 'ok', stage: 7, event: { security_config: { cf_active: false } } },
    policyWith([rootEntry, { ...defaultEntry, content_filter_profile_active: false }]),
  ],
  [
    '103 a monitor action',
    attack,
    { is: 'monitor', tags: 'action:monitor' },
    cf({ action: 'action-monitor' }),
  ],
  [
    '104 two attacks: the higher risk is the reason',
    '/?b=javascript:&a=xp_cmdshell',
    { is: 'block 473', reason: /rule 100016/, event: { trigger_counters: { cf: 2 } } },
  ],
]

function allSections(): Documents {
  return cf({
    allsections: { names: [entry('a', { reg: '^x', restrict: true })], regex: [] },
    args: { ...(contentFilter['args'] as Entry), names: [entry('a', {})] },
  })
}
function counting(): Documents {
  return { 'content-filter-rules': [...(base['content-filter-rules'] ?? []), special] }
}
function countingByA(): Documents {
  return {
    ...policyWith([{ ...rootEntry, rate_limit_rules: ['r'] }, defaultEntry]),
    'rate-limit-rules': [
      {
        id: 'r',
        name: 'R',
        active: true,
        global: false,
        timeframe: 60,
        key: [{ args: 'a' }],
        thresholds: [{ limit: 100, action: 'action-rate-limit-block' }],
      },
    ],
  }
}

export function contentFilterExamples(door: Door): void {
  const { site, check, example } = door

  describe('worked examples: content filter', () => {
    rowsThrough(door, rows)

    example('98 the limit sees what the content filter does not', async () => {
      const documents = { ...cf({ ignore_body: true }), ...countingByA() }
      const zero = (documents['rate-limit-rules'] ?? []).map((rule) => ({
        ...rule,
        thresholds: [{ limit: 0, action: 'action-rate-limit-block' }],
      }))
      check(
        await site({ ...documents, 'rate-limit-rules': zero }).send({ headers: json, body: '{"a":"1"}' }),
        {
          is: 'block 471',
        },
      )
    })

    const masking: Documents = {
      ...names(entry('pw', { mask: true })),
      actions,
      'acl-profiles': [
        { id: '__acldefault__', name: 'acl default', action: 'action-acl-block' },
        { id: 'deny', name: 'deny', action: 'action-acl-block', deny: ['all'] },
      ],
      ...policyWith([
        rootEntry,
        {
          id: 'denied',
          name: 'denied',
          match: '^/denied',
          acl_profile: 'deny',
          backend_service: '__default__',
        },
        defaultEntry,
      ]),
    }
    example('105 a masked value is nowhere in the record', async () => {
      const { record } = await site(masking).send('/?pw=hunter2')
      expect(record.arguments['pw']).toBe('MASKED{602be929}')
      expect(record.query).toBe('?pw=MASKED{602be929}')
      expect(JSON.stringify(record)).not.toContain('hunter2')
    })
    for (const [says, path, secret, status] of [
      ['105 not in a trigger', '/?pw=xp_cmdshell!', 'xp_cmdshell', 473],
      ['105 nor when another stage decided', '/denied?pw=hunter2', 'hunter2', 472],
    ] as const)
      example(says, async () => {
        const { record, answer } = await site(masking).send(path)
        expect(answer?.status).toBe(status)
        expect(JSON.stringify(record)).not.toContain(secret)
      })
    for (const [says, query, secret] of [
      ['as a browser encodes it', '?pw=hunter2%21', 'hunter2'],
      ['encoded where nobody need to', '?pw=%68unter2', 'unter2'],
      ['encoded in lower case', '?pw=Ab%2fcdE', 'cdE'],
      ['a space as + and as %20', '?pw=top%20se+cret', 'cret'],
      ['under an encoded name', '?p%77=hunter2', 'hunter2'],
    ] as const)
      example(`6.5 a masked value is nowhere in the record: ${says}`, async () => {
        const headers = { referer: `https://www.example.com/login${query}`, 'x-copy': query }
        const { record } = await site(masking).send({ path: `/login${query}`, headers })
        expect(record.query).toMatch(/^\?p(w|%77)=MASKED\{[\da-f]{8}\}$/)
        expect(JSON.stringify(record)).not.toContain(secret)
      })
    example('6.5 nor is one that is no UTF-8 in a target', async () => {
      const { record } = await site(masking).send('/login?pw=hunter%ffseven')
      expect(record.query).toMatch(/^\?pw=MASKED\{[\da-f]{8}\}$/)
      expect(JSON.stringify(record)).not.toMatch(/hunter|seven/)
    })
    example('6.5 a masked part of the path is in no spelling of the path', async () => {
      const maskPart = section('path', { names: [entry('part2', { mask: true })] })
      const { record } = await site({ ...masking, ...maskPart }).send('/reset/%74oken-1?next=/reset/token-1')
      expect(record.path_parts['part2']).toMatch(/^MASKED/)
      expect(record.path).toBe(`/reset/${record.path_parts['part2'] ?? ''}`)
      expect(JSON.stringify(record)).not.toContain('oken-1')
    })
    example(
      '6.5 masking ten thousand values takes no second',
      async () => {
        const query = Array.from({ length: 9000 }, (_, i) => `pw=secret${String(i)}`).join('&')
        const began = process.cpuUsage()
        const { record } = await site(masking).send({
          path: `/?${query}`,
          headers: { 'x-long': 'a'.repeat(16_000) },
        })
        expect(process.cpuUsage(began).user).toBeLessThan(1e6)
        expect(JSON.stringify(record)).not.toContain('secret')
      },
      'a target of 130 KB, which Envoy refuses with 431',
    )
  })
}
