// Worked examples 1–30 of spec pipeline 9: mapping and the request model. Rows carry the numbers of the specification.
import { describe, expect } from '@jest/globals'
import {
  type Documents,
  type Request,
  contentFilter,
  defaultEntry,
  policyWith,
  rootEntry,
  siteLevel,
} from '../support/base.ts'
import { type Door, type Row, rowsThrough } from '../support/door.ts'
import type { Expected } from '../support/expect.ts'

const json = { 'content-type': 'application/json' }
const filter = (changes: Readonly<Record<string, unknown>>): Documents => ({
  'content-filter-profiles': [{ ...contentFilter, ...changes }],
})
const api = policyWith([
  rootEntry,
  { id: 'api', name: 'api', match: '^/api', backend_service: '__default__' },
  { id: 'v1', name: 'v1', match: '^/api/v1/', backend_service: '__default__' },
  defaultEntry,
])
const greedy = policyWith([
  rootEntry,
  { id: 'any', name: 'any', match: '^/.*$', backend_service: '__default__' },
  defaultEntry,
])
const limited: Documents = {
  ...policyWith([rootEntry, { ...siteLevel, rate_limit_rules: ['r'] }, defaultEntry]),
  'rate-limit-rules': [
    {
      id: 'r',
      name: 'R',
      active: true,
      global: false,
      timeframe: 60,
      key: [],
      thresholds: [{ limit: 0, action: 'action-rate-limit-block' }],
    },
  ],
}
const deep = `${'['.repeat(100)}1${']'.repeat(100)}`
const broken = { is: 'block 473', tags: 'cf-restrict:malformed-body malformed-body args:0' } as const
const initialTags =
  'all bot ip:203-0-113-9 host:www-example-com headers:2 cookies:0 args:0 protocol:https securitypolicy:example-policy securitypolicy-entry:default aclid:--acldefault-- aclname:acl-default contentfilterid:--defaultcontentfilter-- contentfiltername:default-contentfilter'

const rows: readonly Row[] = [
  [
    '1 a plain request gets the initial tags',
    '/a',
    { is: 'ok', tags: initialTags, stage: 7, event: { security_config: { acl_active: true } } },
  ],
  [
    '2 an unknown host is refused',
    { host: 'evil.test' },
    {
      is: 'block 421',
      tags: 'all unrecognized-host-header status:421 status-class:4xx',
      stage: 1,
      reason: 'General: unrecognized host header',
    },
  ],
  [
    '3 a host is compared without case and port',
    { host: 'WWW.Example.com:8443' },
    { is: 'ok', tags: 'host:www-example-com:8443', event: { server_group_id: 'sg' } },
  ],
  [
    '4 the longest matching expression decides',
    '/api/v1/x',
    { is: 'ok', tags: 'securitypolicy-entry:v1' },
    api,
  ],
  ['4 a shorter one takes the rest', '/api/x', { is: 'ok', tags: 'securitypolicy-entry:api' }, api],
  ['4 the default entry catches what is left', '/x', { is: 'ok', tags: 'securitypolicy-entry:default' }, api],
  ['4 paths are case-sensitive', '/API/x', { is: 'ok', tags: 'securitypolicy-entry:default' }, api],
  [
    '5 the decoded path is mapped, the received one shown',
    '/%61pi/x',
    {
      is: 'ok',
      tags: 'securitypolicy-entry:api',
      event: { path: '/%61pi/x' },
      eventBehindEnvoy: { path: '/api/x' },
    },
    api,
  ],
  [
    '5 merged slashes and dot segments',
    '//api/./x',
    {
      is: 'ok',
      tags: 'securitypolicy-entry:api',
      event: { path: '//api/./x' },
      eventBehindEnvoy: { path: '/api/x' },
    },
    api,
  ],
  ['6 the root entry takes / whatever matches', '/', { is: 'ok', tags: 'securitypolicy-entry:root' }, greedy],
  ['6 also with a query', '/?a=1', { is: 'ok', tags: 'securitypolicy-entry:root' }, greedy],
  ['6 and nothing else', '/a', { is: 'ok', tags: 'securitypolicy-entry:any' }, greedy],
  [
    '7 the site level is added to every entry',
    '/x',
    { is: 'block 471', tags: 'limit-id:r', stage: 5 },
    limited,
  ],
  ['7 also to the root', '/', { is: 'block 471', tags: 'limit-id:r', stage: 5 }, limited],
  [
    '8 path parts, query and arguments',
    '/abc/123/home.html?foo=true',
    {
      is: 'ok',
      event: {
        path_parts: { path: '/abc/123/home.html', part1: 'abc', part2: '123', part3: 'home.html' },
        query: '?foo=true',
        arguments: { foo: 'true' },
      },
    },
  ],
  [
    '9 repeated arguments are joined',
    '/?a=1&b=2&a=3+4&&c',
    { is: 'ok', tags: 'args:3', event: { arguments: { a: '1 3 4', b: '2', c: '' } } },
  ],
  ['9 an empty query has none', '/?', { is: 'ok', tags: 'args:0' }],
  [
    '10 JSON leaves',
    { headers: json, body: '{"a":[true,null,{"z":0.2}],"c":{"d":12}}' },
    { is: 'ok', event: { arguments: { a_0: 'true', a_1: 'null', a_2_z: '0.2', c_d: '12' } } },
  ],
  [
    '10 a JSON scalar',
    { headers: json, body: '"x"' },
    { is: 'ok', event: { arguments: { JSON_ROOT: 'x' } } },
  ],
  [
    '10 duplicate JSON keys',
    { headers: json, body: '{"a":1,"a":2}' },
    { is: 'ok', event: { arguments: { a: '1 2' } } },
  ],
  [
    '11 query and body share one name space',
    { path: '/?a=q', headers: json, body: '{"a":"b"}' },
    { is: 'ok', tags: 'args:1', event: { arguments: { a: 'q b' } } },
  ],
  [
    '12 XML elements and attributes',
    { headers: { 'content-type': 'text/xml' }, body: '<a>a<b foo="bar">xxx</b>z</a>' },
    { is: 'ok', event: { arguments: { a1: 'a', a2bfoo: 'bar', a2b1: 'xxx', a3: 'z' } } },
  ],
  [
    '12 an empty XML element',
    { headers: { 'content-type': 'text/xml' }, body: '<a><b><c></c></b></a>' },
    { is: 'ok', event: { arguments: { a1b1c1: '' } } },
  ],
  [
    '13 an external entity is shown, not fetched',
    {
      headers: { 'content-type': 'text/xml' },
      body: '<!DOCTYPE a [<!ENTITY e SYSTEM "http://h/x">]><a>1</a>',
    },
    { is: 'block 473', event: { arguments: { 'entity/e': 'SYSTEM http://h/x' } } },
  ],
  [
    '14 multipart fields and files',
    {
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body: `--b\r\nContent-Disposition: form-data; name="foo"\r\n\r\nbar\r\n--b\r\nContent-Disposition: form-data; name="up"; filename="../s.php"\r\n\r\n${'text '.repeat(4096)}\r\n--b--\r\n`,
    },
    {
      is: 'ok',
      tags: '-cf-restrict:too-large',
      event: { arguments: { foo: 'bar', 'up:filename': '../s.php' } },
    },
    filter({ args: { ...(contentFilter['args'] as object), max_length: 4096 } }),
  ],
  [
    '15 a GraphQL selection',
    { headers: { 'content-type': 'application/graphql' }, body: '{ hero { name } }' },
    { is: 'ok', event: { arguments: { 'gdir-s0-hero-s0': 'name' } } },
  ],
  [
    '15 GraphQL variables and arguments',
    { headers: { 'content-type': 'application/graphql' }, body: 'query Q($f:Int=3){h(first:$f){n}}' },
    {
      is: 'ok',
      event: { arguments: { 'gdir-Q-f-defvalue': '3', 'gdir-Q-s0-h-first': '$f', 'gdir-Q-s0-h-s0': 'n' } },
    },
  ],
  [
    '16 a malformed body is tagged and goes on',
    { headers: json, body: '{"a": "tea"' },
    {
      is: 'ok',
      tags: 'args:0 malformed-body',
      event: {
        messages: [expect.stringMatching(/JSON.*\d/)],
        body: expect.stringContaining('{"a": "tea"'),
        arguments: {},
      },
    },
  ],
  [
    '16 but is examined',
    { headers: json, body: '{"a": "xp_cmdshell"' },
    {
      is: 'block 473',
      tags: 'cf-rule-id:100016',
      reason: 'Content filter: default contentfilter: rule 100016 (risk 5) in body',
    },
  ],
  [
    '16 a good body does not hide the query',
    { path: '/?q=xp_cmdshell', headers: json, body: '{"a": 1}' },
    { is: 'block 473' },
  ],
  [
    '17 without malformed-body in the ignore list it is refused',
    { headers: json, body: '{"a": "tea"' },
    { ...broken, event: { cf_restrict_triggers: [{ type: 'malformed body' }] } },
    filter({ ignore: [] }),
  ],
  [
    '18 an excerpt of 500 characters is kept',
    { headers: json, body: `{"a": "${'x'.repeat(1993)}` },
    {
      is: 'ok',
      event: {
        body: expect.stringMatching(/^Malformed body, first 500 of 2000 characters:\n.{500}$/),
        arguments: {},
      },
    },
  ],
  [
    '19 a string that only looks like GraphQL is no error',
    { headers: json, body: '{"a":"query me maybe", "b":"xp_cmdshell"}' },
    { is: 'block 473', tags: '-malformed-body' },
  ],
  [
    '20 too deep a body is a restriction',
    { headers: json, body: deep },
    {
      is: 'block 473',
      tags: 'body-too-deep cf-restrict:too-deep',
      event: { cf_restrict_triggers: [{ type: 'too deep' }] },
    },
  ],
  [
    '20 where nothing reads the body it does not matter',
    { headers: json, body: deep },
    { is: 'ok' },
    policyWith(
      [rootEntry, { ...defaultEntry, content_filter_profile_active: false }].map((e) => ({
        ...e,
        content_filter_profile_active: false,
      })),
    ),
  ],
  ['21 a form without content type', { body: 'a=1' }, { is: 'ok', event: { arguments: { a: '1' } } }],
  [
    '21 plain text is RAW_BODY',
    { headers: { 'content-type': 'text/plain' }, body: 'hello world' },
    { is: 'ok', tags: '-malformed-body', event: { arguments: { RAW_BODY: 'hello world' } } },
  ],
  [
    '21 a binary type has no arguments',
    { headers: { 'content-type': 'image/png' }, body: 'hello world' },
    { is: 'ok', tags: 'body-binary args:0', event: { arguments: {} } },
  ],
  [
    '22 base64 is undone',
    '/?a=eHBfY21kc2hlbGw%3D',
    { is: 'block 473', event: { arguments: { a: 'eHBfY21kc2hlbGw=', 'a:decoded': 'xp_cmdshell' } } },
  ],
  ['22 also where the value is alphanumeric', '/?a=eHBfY21kc2hlbGw', { is: 'block 473' }],
  [
    '22 not where the profile says no',
    '/?a=eHBfY21kc2hlbGw%3D',
    { is: 'ok' },
    filter({ decoding: { base64: false, dual: true, html: false, unicode: false } }),
  ],
  ['23 dual decoding', '/?a=%2578p_cmdshell', { is: 'block 473' }],
  [
    '23 one level only without it',
    '/?a=%2578p_cmdshell',
    { is: 'ok' },
    filter({ decoding: { base64: true, dual: false, html: false, unicode: false } }),
  ],
  [
    '24 HTML entities',
    '/?a=%26%23120%3Bp_cmdshell',
    { is: 'block 473' },
    filter({ decoding: { base64: true, dual: false, html: true, unicode: false } }),
  ],
  ['24 not without html', '/?a=%26%23120%3Bp_cmdshell', { is: 'ok' }],
  [
    '25 invalid UTF-8 in a header',
    { headers: [['x-a', Buffer.from([0xff])]] },
    {
      is: 'block 400',
      stage: 0,
      tags: 'general:invalid-characters',
      reason: 'General: invalid characters in header x-a',
    },
  ],
]

export function mappingExamples(door: Door): void {
  const { site, check, example } = door

  describe('worked examples: mapping and request model', () => {
    rowsThrough(door, rows)

    example('1.6 headers are what the client sent, whoever adds more on the way', async () => {
      const { record } = await site().send({ headers: { 'x-forwarded-for': '6.6.6.6', cookie: 'a=1' } })
      expect(record.headers).toEqual({
        host: 'www.example.com',
        'user-agent': 't',
        'x-forwarded-for': '6.6.6.6',
      })
      expect(record.tags).toContain('headers:3')
    })

    const sizes = (unsized: string): Documents => ({
      'proxy-templates': [
        {
          id: '__default__',
          name: 'default',
          limit_req_rate: '0',
          client_max_body_size: '1',
          unsized_body: unsized,
        },
      ],
    })
    const declared = (bytes: number): Request => ({
      body: 'a',
      headers: { 'content-length': String(bytes) },
    })
    const tooLarge: Expected = { is: 'block 413', reason: 'General: request body too large' }
    const noLength: Expected = { is: 'block 411', reason: 'General: length required' }
    const unsent = 'the body that it declares is not sent'
    const lengths: readonly Row[] = [
      ['a declared size at the limit passes', declared(1_048_576), { is: 'ok' }, sizes('stream'), unsent],
      ['one above it is refused', declared(1_048_577), tooLarge, sizes('stream'), unsent],
      ['an undeclared one streams', { body: 'a' }, { is: 'ok' }, sizes('stream')],
      ['unless a length is required', { body: 'a' }, noLength, sizes('length_required')],
      ['which a request without body needs not', '/', { is: 'ok' }, sizes('length_required')],
    ]
    rowsThrough(
      door,
      lengths.map(([says, ...row]) => [`control-plane 2.6: ${says}`, ...row]),
    )

    const proxies = (headers = 'X-Forwarded-For'): Documents => ({
      'proxy-templates': [
        {
          id: '__default__',
          name: 'default',
          limit_req_rate: '0',
          xff_header_name: headers,
          trusted_nets: [{ source: 'ip', address: '10.0.0.0/8' }],
        },
      ],
    })
    const addresses: readonly (readonly [
      says: string,
      request: Request,
      ip: string,
      documents?: Documents,
    ])[] = [
      [
        '26 the first untrusted address from the right',
        { peer: '10.0.0.5', headers: { 'x-forwarded-for': '6.6.6.6, 198.51.100.7, 10.0.0.9' } },
        '198.51.100.7',
      ],
      [
        '26 an untrusted peer is the client',
        { peer: '192.0.2.1', headers: { 'x-forwarded-for': '6.6.6.6, 198.51.100.7, 10.0.0.9' } },
        '192.0.2.1',
      ],
      [
        '26 junk ends the walk',
        { peer: '10.0.0.5', headers: { 'x-forwarded-for': 'x, 10.0.0.9' } },
        '10.0.0.9',
      ],
      [
        '26 the first header in the list',
        { peer: '10.0.0.5', headers: { 'x-forwarded-for': '1.1.1.1', 'true-client-ip': '2.2.2.2' } },
        '2.2.2.2',
        proxies('true-client-ip, x-forwarded-for'),
      ],
      [
        '1.3 one that is not sent gives way to the next',
        { peer: '10.0.0.5', headers: { 'true-client-ip': '2.2.2.2' } },
        '2.2.2.2',
        proxies('x-forwarded-for, true-client-ip'),
      ],
    ]
    for (const [says, request, ip, documents = proxies()] of addresses)
      example(says, async () => {
        const { record } = await site(documents).send(request)
        expect(record.ip).toBe(ip)
        expect(record.tags.includes('invalid-client-ip')).toBe(ip === '10.0.0.9')
      })

    example('27 an unknown address', async () => {
      check(await site().send({ ip: '192.0.2.200' }), { is: 'ok', tags: 'geo-country:nil geo-asn:nil' })
    })

    const sessions = (changes: Documents['security-policies'][number]): Documents =>
      policyWith([rootEntry, defaultEntry], changes)
    example('28 others add to the session', async () => {
      const s = site(
        sessions({ session: [{ headers: 'user_id' }], session_ids: [{ headers: 'auth_token' }] }),
      )
      const of = async (headers: Readonly<Record<string, string>>): Promise<string> =>
        (await s.send({ headers })).record.session
      const [first, both, again] = [
        await of({ user_id: 'u1' }),
        await of({ user_id: 'u1', auth_token: 't' }),
        await of({ auth_token: 't', user_id: 'u1' }),
      ]
      expect(both).not.toBe(first)
      expect(again).toBe(both)
    })

    example('29 the hash of main and others', async () => {
      const s = site(sessions({ session: [{ headers: 'user_id' }], session_ids: [{ headers: 'device_id' }] }))
      const alone = await s.send({ headers: { user_id: 'u1' } })
      const both = await s.send({ headers: { user_id: 'u1', device_id: 'd1' } })
      expect(alone.record.session).toBe('e4a236a5b892d501555b059a0d86cfbe1571888b36bb22d3a798989b')
      expect(both.record.session).toBe('8792d36dadac9aef5431d9a01550e68fedfe9fce6536d3f600ad9fc6')
    })

    example('30 a stolen token shares one counter, unless the session has the address in it', async () => {
      const rule = {
        id: 'r',
        name: 'R',
        active: true,
        global: false,
        timeframe: 60,
        key: [{ attrs: 'session' }],
        thresholds: [{ limit: 3, action: 'action-rate-limit-block' }],
      }
      const documents = (changes: Readonly<Record<string, unknown>>): Documents => ({
        ...policyWith([rootEntry, { ...defaultEntry, rate_limit_rules: ['r'] }], changes),
        'rate-limit-rules': [rule],
      })
      const statuses = async (
        changes: Readonly<Record<string, unknown>>,
      ): Promise<readonly (number | undefined)[]> => {
        const s = site(documents(changes))
        const answers: (number | undefined)[] = []
        for (let i = 1; i <= 5; i++)
          answers.push(
            (await s.send({ path: '/x', ip: `192.0.2.${String(i)}`, headers: { cookie: 'token=stolen' } }))
              .answer?.status,
          )
        return answers
      }
      expect(await statuses({ session: [{ cookies: 'token' }] })).toEqual([
        undefined,
        undefined,
        undefined,
        471,
        471,
      ])
      expect(await statuses({ session: [{ cookies: 'token' }], session_ids: [{ attrs: 'ip' }] })).toEqual([
        undefined,
        undefined,
        undefined,
        undefined,
        undefined,
      ])
    })
  })
}
