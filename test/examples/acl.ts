// Worked examples 77–84 of spec pipeline 9: ACL profiles.
import { describe } from '@jest/globals'
import {
  type Documents,
  type Entry,
  type Request,
  defaultEntry,
  policyWith,
  rootEntry,
} from '../support/base.ts'
import { type Door, onlyInspect } from '../support/door.ts'
import type { Expected } from '../support/expect.ts'

const tagging = (...tags: readonly string[]): readonly Entry[] =>
  tags.map((tag) => ({
    id: tag,
    name: tag,
    active: true,
    source: 'self-managed',
    mdate: '2026-01-02T03:04:05Z',
    tags: [tag],
    rule: ['headers', [`x-${tag}`, '.'], ''],
  }))

const acl = (changes: Entry, entry: Entry = {}): Documents => ({
  'acl-profiles': [
    { id: '__acldefault__', name: 'acl default', action: 'action-acl-block' },
    { id: 'p', name: 'P', action: 'action-acl-block', tags: ['of-profile'], ...changes },
  ],
  'global-filters': tagging('x', 'ok', 'search-engine', 'let-s-encrypt'),
  ...policyWith([
    rootEntry,
    { id: 'other', name: 'other', match: '^/other', backend_service: '__default__' },
    { ...defaultEntry, acl_profile: 'p', ...entry },
  ]),
})

type Row = readonly [
  says: string,
  changes: Entry,
  request: Request,
  expected: Expected,
  entry?: Entry,
  onlyInProcess?: string,
]
const tagged = { 'x-x': '1' }
const botOrDeny = { deny_bot: ['all'], deny: ['all'] }
const crawler = { deny_bot: ['all'], allow_bot: ['search-engine'] }

const rows: readonly Row[] = [
  [
    '77 enforce deny comes before bypass',
    { force_deny: ['x'], passthrough: ['x'] },
    { path: '/a', headers: tagged },
    {
      is: 'block 472',
      stage: 6,
      tags: 'of-profile',
      reason: 'ACL: P: enforce deny [x]',
      event: { acl_triggers: [{ acl_action: 'enforce_deny', action: 'block', tags: ['x'] }] },
    },
  ],
  [
    '78 bypass keeps the content filter from running',
    { passthrough: ['x'] },
    { path: '/a?a=xp_cmdshell', headers: tagged },
    {
      is: 'skip',
      stage: 6,
      tags: '-cf-rule-id:100016',
      event: { acl_triggers: [{ acl_action: 'bypass', action: 'skip' }] },
    },
  ],
  [
    '79 a bot is challenged',
    { deny_bot: ['all'] },
    { path: '/a' },
    {
      is: 'challenge 247',
      tags: 'challenge',
      stage: 6,
      reason: 'ACL: P: deny bot [all]',
      event: { acl_triggers: [{ acl_action: 'deny_bot', action: 'challenge' }] },
    },
  ],
  [
    '79 a human goes on',
    { deny_bot: ['all'] },
    { path: '/a', human: 'active' },
    { is: 'ok', event: { acl_triggers: [] } },
    {},
    onlyInspect,
  ],
  [
    '79 a CORS preflight goes on',
    { deny_bot: ['all'] },
    {
      path: '/a',
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'PUT' },
    },
    { is: 'ok' },
  ],
  [
    '79 so does ACME',
    { deny_bot: ['all'] },
    { path: '/a', headers: { 'x-let-s-encrypt': '1' } },
    { is: 'ok' },
  ],
  ['80 a bot is challenged before it is denied', botOrDeny, { path: '/a' }, { is: 'challenge 247' }],
  [
    '80 a human is denied',
    botOrDeny,
    { path: '/a', human: 'active' },
    { is: 'block 472', event: { acl_triggers: [{ acl_action: 'deny' }] } },
    {},
    onlyInspect,
  ],
  [
    '81 a spared crawler passes',
    crawler,
    { path: '/a?a=1', headers: { 'x-search-engine': '1' } },
    { is: 'ok', event: { acl_triggers: [{ acl_action: 'allow_bot', action: 'monitor' }], monitor: false } },
  ],
  [
    '81 and is examined',
    crawler,
    { path: '/a?a=xp_cmdshell', headers: { 'x-search-engine': '1' } },
    { is: 'block 473' },
  ],
  [
    '82 the positive model allows what is listed',
    { allow: ['ok'], deny: ['all'] },
    { path: '/a?a=xp_cmdshell', headers: { 'x-ok': '1' } },
    { is: 'block 473' },
  ],
  ['82 and denies the rest', { allow: ['ok'], deny: ['all'] }, { path: '/a' }, { is: 'block 472' }],
  [
    '83 an address is denied where the profile stands',
    { force_deny: ['ip:82-64-131-193'] },
    { path: '/a', ip: '82.64.131.193' },
    { is: 'block 472' },
  ],
  [
    '83 and passes elsewhere',
    { force_deny: ['ip:82-64-131-193'] },
    { path: '/other', ip: '82.64.131.193' },
    { is: 'ok' },
  ],
  [
    '84 an inactive profile does nothing',
    { force_deny: ['all'] },
    { path: '/a' },
    {
      is: 'ok',
      tags: 'aclname:p -of-profile',
      event: { acl_triggers: [], security_config: { acl_active: false } },
    },
    { acl_profile_active: false },
  ],
]

export function aclExamples({ site, check, example, pending }: Door): void {
  describe('worked examples: ACL', () => {
    for (const [says, changes, request, expected, entry, onlyInProcess] of rows)
      example(says, async () => check(await site(acl(changes, entry)).send(request), expected), onlyInProcess)

    example('a skip action in an ACL profile ends filtering', async () => {
      check(
        await site(acl({ force_deny: ['x'], action: 'action-skip' })).send({
          path: '/a?a=xp_cmdshell',
          headers: tagged,
        }),
        { is: 'skip' },
      )
    })

    pending('79 a source on hold after failed challenges is blocked: waits for the challenge room')
  })
}
