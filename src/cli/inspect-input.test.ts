// What `weir inspect` takes for a request and an expectation, and how it says what is wrong with the others.
import { describe, expect, test } from '@jest/globals'
import { parseInspectLine } from './inspect-input.ts'

const request = { ip: '203.0.113.9', method: 'GET', authority: 'localhost', path: '/' }
const parse = (fields: object) => parseInspectLine(JSON.stringify({ ...request, ...fields }))

describe('is accepted', () => {
  test.each([
    [{}],
    [{ ip: '2001:db8::9' }],
    [{ ip: undefined, peer: '10.0.0.5:4711' }],
    [{ ip: '[2001:db8::9]:4711', peer: '::ffff:10.0.0.5' }],
    [{ expect: {} }],
    [{ name: 'n', expect: { name: 'n', action: 'block', status: 473, body: '', reason: null } }],
    [{ expect: { tags: ['all', '-human'], headers: { 'x-any': '1' }, request_headers: { 'x-any': '1' } } }],
    [{ expect: { triggers: { cf: [{ ruleid: '100002', name: 'q' }], acl: [{ acl_action: 'deny' }] } } }],
    [
      {
        expect: { triggers: { rl: [{ counter: 4 }], dr: [{ target: 't' }], cf_restrict: [{ actual: '1' }] } },
      },
    ],
    [
      {
        expect: { event: { arguments: { any: '1' }, security_config: { cf_active: true }, rl_triggers: [] } },
      },
    ],
    // The comparison says that the value is another one.
    [{ expect: { triggers: 5 } }],
  ])('%j', (fields) => {
    expect(parse(fields)).toEqual({ ok: true, value: JSON.parse(JSON.stringify({ ...request, ...fields })) })
  })
})

describe('is refused, with the name of the line and of the field', () => {
  const address = 'must be an IPv4 or IPv6 address such as 203.0.113.9 or 2001:db8::9, is'
  test.each([
    [{ ip: '999.2.3.4' }, `ip: ${address} "999.2.3.4"`],
    [{ ip: '' }, `ip: ${address} ""`],
    [{ ip: '10.0.0.0/8' }, `ip: ${address} "10.0.0.0/8"`],
    [{ peer: 'localhost' }, `peer: ${address} "localhost"`],
    [{ ip: undefined }, 'ip: required (the client address; or peer, to derive it from the headers)'],
    [{ body: '', body_base64: '' }, 'body and body_base64 exclude each other: give one of them'],
    [{ metod: 'GET' }, 'metod: unknown field; did you mean method?'],
    [{ method: undefined }, 'must have required properties method'],
    [{ expect: { statu: 472 } }, 'expect.statu: unknown field; did you mean status?'],
    [
      { expect: { constructor: 1 } },
      expect.stringMatching(/^expect\.constructor: unknown field; known are name, action, status, /),
    ],
    [{ expect: { trace: [] } }, expect.stringMatching(/^expect\.trace: unknown field; /)],
    [{ expect: { triggers: { cff: [] } } }, 'expect.triggers.cff: unknown field; did you mean cf?'],
    [
      { expect: { triggers: { cf: [{}, { rulid: '100002' }] } } },
      'expect.triggers.cf[1].rulid: unknown field; did you mean ruleid?',
    ],
    [
      { expect: { event: { security_config: { cf_activ: true } } } },
      'expect.event.security_config.cf_activ: unknown field; did you mean cf_active?',
    ],
  ])('%j', (fields, problem) => {
    expect(parse({ name: 'n', ...fields })).toEqual({ ok: false, name: 'n', problem })
  })

  test('a line that is no object has no name', () => {
    expect(parseInspectLine('[]')).toEqual({ ok: false, name: undefined, problem: 'must be object' })
    expect(parseInspectLine('{')).toMatchObject({ ok: false, problem: expect.stringMatching(/^not JSON: /) })
  })
})
