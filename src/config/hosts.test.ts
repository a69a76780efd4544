// Server names and hosts of backends, told apart as spec control-plane 1.1 and 1.3 say.
import { describe, expect, test } from '@jest/globals'
import { isHost, isThisMachine, readServerName } from './hosts.ts'

describe('an element of server_names is', () => {
  test.each([
    ['a name', 'www.example.com', { kind: 'literal', host: 'www.example.com' }],
    ['a name whatever its case', 'WWW.Example.COM', { kind: 'literal', host: 'www.example.com' }],
    ['a name with a port', 'www.example.com:8443', { kind: 'literal', host: 'www.example.com:8443' }],
    ['one label', 'intranet', { kind: 'literal', host: 'intranet' }],
    ['an address', '203.0.113.9', { kind: 'literal', host: '203.0.113.9' }],
    ['an IPv6 address in one spelling', '2001:DB8:0:0::1', { kind: 'literal', host: '[2001:db8::1]' }],
    [
      'the same in brackets, with port',
      '[2001:db8::1]:8443',
      { kind: 'literal', host: '[2001:db8::1]:8443' },
    ],
    ['every name below', '*.Shop.example', { kind: 'wildcard', suffix: '.shop.example' }],
    ['an expression', '^api[0-9]+\\.example$', { kind: 'regex', pattern: '^api[0-9]+\\.example$' }],
    ['an expression marked as one', '~www.example.com', { kind: 'regex', pattern: 'www.example.com' }],
    ['every other host', '__default__', { kind: 'everything' }],
  ])('%s: %s', (...[, text, name]) => {
    expect(readServerName(text)).toEqual({ ok: true, name })
  })

  test.each(['~(', 'a(?=b)', '*', '*.example.*'])('nothing, if RE2 refuses it: %s', (...[text]) => {
    expect(readServerName(text).ok).toBe(false)
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['0.0.0.0', true],
  ['::1', true],
  ['[::1]', true],
  ['::', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['LocalHost.', true],
  ['app.localhost', true],
  ['10.0.0.1', false],
  ['128.0.0.1', false],
  ['localhost.example', false],
  ['2001:db8::1', false],
])('%s is this machine: %j', (...[host, expected]) => {
  expect(isThisMachine(host)).toBe(expected)
})

test.each([
  ['app.internal', true],
  ['app_1.internal.', true],
  ['xn--bcher-kva.example', true],
  ['10.0.0.1', true],
  ['[2001:db8::1]', true],
  ['2001:db8::1', true],
  ['1password.example', true],
  ['', false],
  ['a..b', false],
  ['-a.example', false],
  ['a b', false],
  ['http://a.example', false],
  ['a.example/', false],
  ['127.1', false],
  ['0x7f000001', false],
  ['2130706433', false],
  ['256.1.1.1', false],
  [`${'a'.repeat(250)}.com`, false],
])('%j may be the host of a backend: %j', (...[text, expected]) => {
  expect(isHost(text)).toBe(expected)
})
