// Worked examples 106–112 of spec pipeline 9: actions, the record and validation. What needs edge functions is pending.
import { describe, expect } from '@jest/globals'
import { buildPolicy } from '#config'
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
import type { Door } from '../support/door.ts'

const filter = (action: string): Documents => ({
  'global-filters': [
    {
      id: 'f',
      name: 'F',
      active: true,
      source: 'self-managed',
      mdate: '2026-01-02T03:04:05Z',
      tags: [],
      action,
      rule: ['path', '^/', ''],
    },
  ],
})
const withAction = (action: Entry): Documents => ({
  actions: [...actions, action],
  ...filter(String(action['id'])),
})

export function recordExamples({ site, check, example, pending }: Door): void {
  describe('worked examples: actions and record', () => {
    pending('106 post-processing edge functions: waits for the edge room')
    pending('107 pre-processing edge functions: waits for the edge room')

    example('108 tokens in the content', async () => {
      const decision = await site(
        withAction({
          id: 'c',
          name: 'c',
          type: 'block',
          tags: [],
          params: { status: 403, content: 'from %Client_IP% to %Host_Domain%: %Status_Code% %Nope%' },
        }),
      ).send('/')
      check(decision, { is: 'block 403' })
      expect(decision.answer?.body).toBe('from 203.0.113.9 to www.example.com: 403 %Nope%')
    })

    example('108 the default page names request and session', async () => {
      const { answer, record } = await site(
        withAction({ id: 'c', name: 'c', type: 'block', tags: [], params: { status: 403 } }),
      ).send('/')
      expect(answer?.body).toContain(record.request_id)
      expect(answer?.body).toContain(record.session)
      expect(Object.fromEntries(answer?.headers ?? [])).toEqual({
        'cache-control': 'no-store',
        'content-type': 'text/html; charset=utf-8',
      })
      expect(Buffer.byteLength(answer?.body ?? '')).toBeLessThan(8192)
    })

    for (const [says, template, rendered] of [
      ['109 placeholders', '${ip} - ${args.dd} - ${args.ee}', '203.0.113.9 - nil - 12'],
      ['109 an escaped placeholder', '\\${ip}', '${ip}'],
      ['109 line breaks cannot be smuggled in', '${args.crlf}', 'ab'],
    ] as const)
      example(says, async () => {
        const documents = withAction({
          id: 'c',
          name: 'c',
          type: 'block',
          tags: [],
          params: { status: 403, headers: { h1: template } },
        })
        const { answer } = await site(documents).send('/?ee=12&crlf=a%0d%0ab')
        expect(answer?.headers).toContainEqual(['h1', rendered])
      })

    example('110 an oversized record keeps what explains the decision', async () => {
      const others = Array.from({ length: 199 }, (_, i) => `a${String(i)}=${'-x'.repeat(500)}`)
      const { record } = await site({
        'content-filter-profiles': [
          { ...contentFilter, args: { ...(contentFilter['args'] as Entry), max_count: 1000 } },
        ],
      }).send({
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        // As a query it would be more than Envoy takes.
        body: `${others.join('&')}&evil=xp_cmdshell${'-'.repeat(989)}`,
      })
      expect(Buffer.byteLength(JSON.stringify(record))).toBeLessThanOrEqual(131_072)
      expect(record.arguments['evil']).toContain('xp_cmdshell')
      expect(Object.keys(record.arguments).length).toBeLessThan(200)
      expect(record.headers['user-agent']).toBe('t')
      expect(record.truncated).toBe(true)
      expect(record.omitted).toContain('parameters:examined')
      expect(record.messages.join()).toContain('parameters:examined')
    })

    const rule = (changes: Entry): Documents => ({
      'rate-limit-rules': [
        {
          id: 'r',
          name: 'R',
          active: true,
          global: true,
          timeframe: 60,
          key: [{ attrs: 'ip' }],
          thresholds: [{ limit: 3, action: 'action-monitor' }],
          ...changes,
        },
      ],
    })
    const refused: readonly (readonly [string, Documents, string])[] = [
      [
        'ACL action action-monitor',
        { 'acl-profiles': [{ id: '__acldefault__', name: 'n', action: 'action-monitor' }] },
        'action',
      ],
      ['unknown action id', filter('nope'), 'action'],
      [
        'look-ahead in a path',
        policyWith([
          rootEntry,
          { id: 'e', name: 'e', match: '(?=a)', backend_service: '__default__' },
          defaultEntry,
        ]),
        'map[1].match',
      ],
      [
        'equal match',
        policyWith([
          rootEntry,
          ...['a', 'b'].map((id) => ({ id, name: id, match: '^/x', backend_service: '__default__' })),
          defaultEntry,
        ]),
        'map[2].match',
      ],
      [
        'risk 6',
        {
          'content-filter-rules': [
            { id: '1', name: '1', category: 'c', subcategory: 's', risk: 6, msg: 'm', operand: 'x' },
          ],
        },
        'risk',
      ],
      [
        'max_count 0',
        {
          'content-filter-profiles': [
            { ...contentFilter, args: { ...(contentFilter['args'] as Entry), max_count: 0 } },
          ],
        },
        'args.max_count',
      ],
      ['ban without duration', rule({ ban_mode: true }), 'ban_duration'],
      [
        'a tag that no rule produces',
        {
          'content-filter-profiles': [
            {
              ...contentFilter,
              args: {
                ...(contentFilter['args'] as Entry),
                names: [{ key: 'a', restrict: false, ignore_cf_rule_tags: ['geo-country:france'] }],
              },
            },
          ],
        },
        'args.names[0].ignore_cf_rule_tags[0]',
      ],
      [
        'equal limits',
        rule({
          thresholds: [
            { limit: 3, action: 'action-monitor' },
            { limit: 3, action: 'action-challenge' },
          ],
        }),
        'thresholds[1].limit',
      ],
      [
        'a condition of two parts',
        {
          'global-filters': [
            {
              id: 'f',
              name: 'F',
              active: true,
              source: 'self-managed',
              mdate: '2026-01-02T03:04:05Z',
              rule: ['asn', 'x'],
            },
          ],
        },
        'rule',
      ],
    ]
    for (const [says, documents, field] of refused)
      example(
        `111 refused: ${says}`,
        () => {
          const built = buildPolicy({ ...base, ...documents }, {})
          expect(built.ok ? [] : built.problems.map((problem) => problem.field)).toEqual(
            expect.arrayContaining([expect.stringContaining(field)]),
          )
        },
        'a policy that is refused has no site to send anything to',
      )

    example('112 each policy has its revision in the record', async () => {
      const [one, other] = [
        await site(filter('action-monitor')).send('/'),
        await site(filter('action-challenge')).send('/'),
      ]
      expect(one.record.security_config.revision).not.toBe(other.record.security_config.revision)
      expect([one.action, other.action]).toEqual(['monitor', 'challenge'])
    })
  })
}
