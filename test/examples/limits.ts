// Worked examples 58–76 of spec pipeline 9: rate limit rules, bans and the rate per address.
import { describe, expect } from '@jest/globals'
import { type Locator, noLocation } from '#request'
import {
  type Documents,
  type Entry,
  type Request,
  type Site,
  defaultEntry,
  policyWith,
  rootEntry,
  siteLevel,
} from '../support/base.ts'
import { type Door, onlyInspect } from '../support/door.ts'

const limit = (changes: Entry = {}): Entry => ({
  id: 'r',
  name: 'R',
  active: true,
  global: false,
  timeframe: 60,
  key: [{ attrs: 'ip' }],
  thresholds: [{ limit: 3, action: 'action-rate-limit-block' }],
  ...changes,
})
const at = (count: number, action = 'action-rate-limit-block'): Entry => ({ limit: count, action })

/** Non-global rules stand on the default entry, as the examples say. */
const limits = (rules: readonly Entry[], changes: Documents = {}, policy: Entry = {}): Documents => ({
  ...policyWith(
    [
      rootEntry,
      siteLevel,
      {
        ...defaultEntry,
        rate_limit_rules: rules.filter((rule) => rule['global'] === false).map((rule) => rule['id']),
      },
    ],
    policy,
  ),
  'rate-limit-rules': rules,
  ...changes,
})
const tagging = (...pairs: readonly (readonly [tag: string, header: string])[]): Documents => ({
  'global-filters': pairs.map(([tag, header]) => ({
    id: tag,
    name: tag,
    active: true,
    source: 'self-managed',
    mdate: '2026-01-02T03:04:05Z',
    tags: [tag],
    rule: ['headers', [header, '.'], ''],
  })),
})

/** The status of each answer; 0: sent on. */
async function statuses(s: Site, requests: readonly Request[]): Promise<readonly number[]> {
  const answers: number[] = []
  for (const request of requests)
    answers.push((await s.send({ path: '/login', ...request })).answer?.status ?? 0)
  return answers
}
const times = (n: number, request: Request = {}): readonly Request[] =>
  Array.from({ length: n }, () => request)

export function rateLimitExamples({ site, check, example, pending }: Door): void {
  const limited = (changes: Entry = {}, more: Documents = {}, policy: Entry = {}): Site =>
    site(limits([limit(changes)], more, policy))

  describe('worked examples: rate limits', () => {
    example('58 three a minute by address', async () => {
      const s = limited()
      expect(await statuses(s, times(3))).toEqual([0, 0, 0])
      check(await s.send('/login'), {
        is: 'block 471',
        stage: 5,
        tags: 'limit-name:r',
        reason: 'Rate limit: R (threshold 3)',
        event: { rl_triggers: [{ threshold: 3, counter: 4 }] },
      })
      expect(await statuses(s, [{ ip: '192.0.2.1' }])).toEqual([0])
      expect(await statuses(s, [{ after: 60 }])).toEqual([0])
    })

    example('59 by address and header', async () => {
      const s = limited({ key: [{ attrs: 'ip' }, { headers: 'user_id' }], thresholds: [at(1)] })
      expect(
        await statuses(s, [
          { headers: { user_id: 'a' } },
          { headers: { user_id: 'a' } },
          { headers: { user_id: 'b' } },
        ]),
      ).toEqual([0, 471, 0])
    })

    example('60 by session and host: a counter per host', async () => {
      const s = site(
        limits([limit({ key: [{ attrs: 'session' }, { headers: 'host' }], thresholds: [at(1)] })], {
          'server-groups': [
            {
              id: 'sg',
              name: 'sg',
              server_names: ['*.example.com'],
              security_policy: 'sp',
              proxy_template: '__default__',
            },
          ],
        }),
      )
      expect(
        await statuses(
          s,
          ['a', 'b', 'c', 'a'].map((name) => ({ host: `${name}.example.com` })),
        ),
      ).toEqual([0, 0, 0, 471])
    })

    example('61 by session: across addresses', async () => {
      const s = limited(
        { key: [{ attrs: 'session' }], thresholds: [at(1)] },
        {},
        { session: [{ cookies: 'sid' }] },
      )
      const requests = ['192.0.2.1', '192.0.2.2'].map((ip) => ({ ip, headers: { cookie: 'sid=1' } }))
      expect(await statuses(s, requests)).toEqual([0, 471])
    })

    example('62 distinct organizations of one user name', async () => {
      const organizations: Readonly<Record<string, string>> = {
        '192.0.2.1': '1',
        '192.0.2.2': '2',
        '192.0.2.3': '3',
      }
      const locator: Locator = {
        missing: [],
        locate: (ip) => ({
          ...noLocation,
          organization: organizations[ip],
        }),
      }
      const s = site(
        limits([
          limit({
            timeframe: 3600,
            key: [{ args: 'username' }],
            pairwith: { attrs: 'organization' },
            thresholds: [at(2)],
          }),
        ]),
        { locator },
      )
      const from = (ip: string, user: string): Request => ({ ip, path: `/login?username=${user}` })
      expect(
        await statuses(s, [
          from('192.0.2.1', 'u'),
          from('192.0.2.1', 'u'),
          from('192.0.2.2', 'u'),
          from('192.0.2.3', 'u'),
          from('192.0.2.1', 'u'),
          from('192.0.2.3', 'v'),
        ]),
      ).toEqual([0, 0, 0, 471, 471, 0])
    })

    example('63 requests without a genuine waap_id are not evaluated', async () => {
      const s = limited({
        global: true,
        timeframe: 3600,
        key: [{ cookies: 'waap_id' }],
        pairwith: { attrs: 'ip' },
        thresholds: [at(1)],
      })
      const forged = [1, 2, 3].map((n) => ({ ip: `192.0.2.${String(n)}`, headers: { cookie: 'waap_id=v' } }))
      expect(await statuses(s, forged)).toEqual([0, 0, 0])
    })
    pending('63 five addresses with one genuine waap_id: waits for the challenge room')

    const tiers = [at(3, 'action-monitor'), at(7, 'action-challenge'), at(10)]
    const asRules = limits(
      tiers.map((threshold, i) =>
        limit({ id: `r${String(i)}`, name: `R${String(i)}`, thresholds: [threshold] }),
      ),
    )
    const asOne = limits([limit({ thresholds: tiers })])
    for (const [says, documents] of [
      ['64 three rules: monitor, challenge, block', asRules],
      ['65 the same as one rule', asOne],
    ] as const) {
      example(
        says,
        async () => {
          const s = site(documents)
          const human: Request = { human: 'active' }
          expect(await statuses(s, [...times(8), ...times(3, human)])).toEqual([
            0, 0, 0, 0, 0, 0, 0, 247, 0, 0, 471,
          ])
          const { record } = await s.send({ path: '/login', ...human })
          expect(record.rl_triggers.map(({ threshold }) => threshold)).toEqual([3, 7, 10])
        },
        onlyInspect,
      )
    }
    for (const [number, documents] of [
      [64, asRules],
      [65, asOne],
    ] as const)
      example(`${String(number)} a bot is challenged until the limit blocks it`, async () => {
        expect(await statuses(site(documents), times(11))).toEqual([0, 0, 0, 0, 0, 0, 0, 247, 247, 247, 471])
      })

    example('66 a later threshold of lower rank is dropped with a warning', async () => {
      const s = limited({ thresholds: [at(1), at(2, 'action-monitor')] })
      expect(await statuses(s, times(3))).toEqual([0, 471, 471])
      expect(s.warnings.length).toBeGreaterThan(0)
    })

    example('67 four a minute', async () => {
      const s = limited({ thresholds: [at(4)] })
      const answers = await statuses(s, [{}, ...times(119, { after: 1 })])
      expect(answers.filter((status) => status === 0).length).toBe(8)
    })

    const banning = { thresholds: [at(4)], ban_mode: true, ban_duration: 600 }
    example('67 a ban refuses every request of the source until it ends', async () => {
      const s = limited(banning)
      expect(await statuses(s, times(5))).toEqual([0, 0, 0, 0, 471])
      check(await s.send({ path: '/anything', after: 599 }), {
        is: 'block 471',
        stage: 4,
        tags: 'limit-ban:r',
        reason: 'Rate limit ban: R',
        event: { rl_triggers: [{ extra: 'ban' }] },
      })
      check(await s.send({ path: '/login', after: 1 }), { is: 'ok' })
      expect(await statuses(s, times(3))).toEqual([0, 0, 0])
    })
    example('68 a ban of a monitor rule uses the default block', async () => {
      const s = limited({ ...banning, thresholds: [at(4, 'action-monitor')] })
      expect(await statuses(s, times(6))).toEqual([0, 0, 0, 0, 0, 471])
    })
    example('69 a ban honours exclude, not include', async () => {
      const tags = tagging(['vip', 'x-vip'], ['method-post', 'x-post'])
      const s = limited(
        {
          ...banning,
          include: { relation: 'OR', tags: ['method-post'] },
          exclude: { relation: 'OR', tags: ['vip'] },
        },
        tags,
      )
      expect(await statuses(s, times(5, { headers: { 'x-post': '1' } }))).toEqual([0, 0, 0, 0, 471])
      expect(await statuses(s, [{}, { headers: { 'x-vip': '1' } }])).toEqual([471, 0])
    })

    example('70 limit 0 refuses everything', async () => {
      const s = limited({ thresholds: [at(0)] })
      check(await s.send('/login'), { is: 'block 471', event: { rl_triggers: [{ threshold: 0 }] } })
    })
    example('71 without the header it is not counted', async () => {
      const s = limited({ key: [{ headers: 'h' }], thresholds: [at(0)] })
      expect(await statuses(s, [{}, { headers: { h: '1' } }])).toEqual([0, 471])
    })

    const scopes: readonly (readonly [string, Entry, readonly string[], boolean])[] = [
      ['72 include AND, one tag missing', { include: { relation: 'AND', tags: ['a', 'b'] } }, ['x-a'], false],
      ['72 include AND, both', { include: { relation: 'AND', tags: ['a', 'b'] } }, ['x-a', 'x-b'], true],
      ['72 exclude OR, one tag', { exclude: { relation: 'OR', tags: ['c', 'd'] } }, ['x-d'], false],
      [
        '72 exclude all',
        { include: { relation: 'OR', tags: ['foo'] }, exclude: { relation: 'OR', tags: ['all'] } },
        ['x-foo'],
        false,
      ],
    ]
    for (const [says, scope, headers, enforced] of scopes)
      example(says, async () => {
        const tags = tagging(['a', 'x-a'], ['b', 'x-b'], ['d', 'x-d'], ['foo', 'x-foo'])
        const s = limited({ thresholds: [at(0)], ...scope }, tags)
        expect(
          await statuses(s, [{ headers: Object.fromEntries(headers.map((name) => [name, '1'])) }]),
        ).toEqual([enforced ? 471 : 0])
      })

    const pairs: readonly (readonly [string, readonly [string, string], string])[] = [
      ['73 monitor and block', ['action-monitor', 'action-rate-limit-block'], 'block 471'],
      ['73 block and challenge', ['action-challenge', 'action-rate-limit-block'], 'block 471'],
      ['73 skip and block', ['action-rate-limit-block', 'action-skip'], 'skip'],
    ]
    for (const [says, [first, second], is] of pairs)
      example(says, async () => {
        const rules = [first, second].map((action, i) =>
          limit({ id: `r${String(i)}`, name: `R${String(i)}`, thresholds: [at(0, action)] }),
        )
        const decision = await site(limits(rules)).send('/login')
        expect(decision.record.rl_triggers.length).toBe(2)
        check(decision, {
          is: is as 'skip',
          ...(first === 'action-monitor' ? { tags: 'action:monitor' } : {}),
        })
      })

    example('74 a global limit keeps the path’s counter still', async () => {
      const rules = [
        limit({ id: 'g', name: 'G', global: true, thresholds: [at(1)] }),
        limit({ id: 'p', name: 'P', thresholds: [at(1)] }),
      ]
      const s = site(limits(rules))
      await s.send('/login')
      const { record } = await s.send('/login')
      expect([record.processing_stage, record.rl_triggers.map(({ trigger_id }) => trigger_id)]).toEqual([
        4,
        ['g'],
      ])
    })

    example('75 a global limit by session needs the connection', async () => {
      const rule = limit({ global: true, key: [{ attrs: 'session' }], thresholds: [at(1)] })
      const session = { session: [{ cookies: 'sid' }] }
      const sids = ['1', '2'].map((sid) => ({ headers: { cookie: `sid=${sid}` } }))
      expect(await statuses(site(limits([rule], {}, session)), sids)).toEqual([0, 471])
      const connected: Documents = {
        ...policyWith([rootEntry, siteLevel, { ...defaultEntry, rate_limit_rules: ['r'] }], session),
        'rate-limit-rules': [rule],
      }
      expect(await statuses(site(connected), sids)).toEqual([0, 0])
    })

    const template = (rate: string, burst: string): Documents => ({
      'proxy-templates': [
        { id: '__default__', name: 'default', limit_req_rate: rate, limit_req_burst: burst },
      ],
    })
    example('76 the rate per address with a burst', async () => {
      const s = site(template('100', '20'))
      const answers = await statuses(s, times(25))
      expect(answers.filter((status) => status === 0).length).toBe(21)
      expect(answers.filter((status) => status === 503).length).toBe(4)
      check(await s.send('/elsewhere'), {
        is: 'block 503',
        stage: 5,
        tags: 'general:ip-rate',
        reason: 'General: IP rate limit exceeded',
      })
    })
    example('76 without burst 10 ms lie between two requests', async () => {
      expect(await statuses(site(template('100', '0')), [{}, { after: 0.009 }])).toEqual([0, 503])
      expect(await statuses(site(template('100', '0')), [{}, { after: 0.01 }])).toEqual([0, 0])
    })
  })
}
