import { describe, expect, test } from '@jest/globals'
import { readHead } from './head.ts'
import { request, shown } from './input.fixture.ts'
import type { HeaderLine } from './request.ts'

const bytes = (...codes: number[]): Uint8Array => Uint8Array.from(codes)
const headOf = (headers: readonly HeaderLine[]): ReturnType<typeof readHead>['head'] =>
  readHead(request({ headers })).head

describe('the URI (spec pipeline 1.5)', () => {
  test('8 path parts and query', () => {
    const { uri } = readHead(request({ target: '/abc/123/home.html?foo=true' })).head
    expect(shown(uri.parts)).toEqual({
      path: '/abc/123/home.html',
      part1: 'abc',
      part2: '123',
      part3: 'home.html',
    })
    expect(uri.query).toBe('?foo=true')
  })

  test.each([
    ['5 percent-decoded once', '/%61pi/x', '/api/x'],
    ['5 slashes merged, dots resolved', '//api/./x', '/api/x'],
    ['only once', '/%2561', '/%61'],
    ['a plus is a plus', '/a+b', '/a+b'],
    ['an encoded slash separates', '/a%2fb%2f..%2fc', '/a/c'],
    ['encoded dots', '/a/%2e%2e/b', '/b'],
    ['nothing is above the root', '/../../a', '/a'],
    ['dot segments before slashes', '/a//../b', '/a/b'],
    ['a dot at the end leaves the slash', '/a/.', '/a/'],
    ['two dots at the end', '/a/..', '/'],
    ['a slash at the end stays', '/a/', '/a/'],
    ['names that begin with dots', '/.well-known/...', '/.well-known/...'],
    ['malformed sequences stay', '/%zz%4', '/%zz%4'],
    ['bytes that are no UTF-8', '/%ff', '/\ufffd'],
    ['an asterisk', '*', '*'],
    ['nothing', '', ''],
    ['only slashes', '////', '/'],
  ])('%s: %s', (_says, target, path) => {
    expect(readHead(request({ target })).head.uri.path).toBe(path)
  })

  test('raw and decoded forms of path and query', () => {
    const { uri } = readHead(request({ target: '/a%20b/?x=%20+y?z' })).head
    expect(uri).toMatchObject({
      rawPath: '/a%20b/',
      query: '?x=%20+y?z',
      path: '/a b/',
      uri: '/a b/?x=  y?z',
      rawUri: '/a%20b/?x=%20+y?z',
    })
    expect(readHead(request({ target: '/a' })).head.uri.query).toBeUndefined()
  })
})

describe('the host (spec pipeline 1.1, 3.1)', () => {
  test.each([
    ['3 lower-case, with port', 'WWW.Example.com:8443', 'www.example.com:8443', 'www.example.com', false],
    ['a trailing dot', 'www.example.com.', 'www.example.com.', 'www.example.com', false],
    ['an address', '192.0.2.1:80', '192.0.2.1:80', '192.0.2.1', false],
    ['IPv6 keeps its brackets', '[2001:DB8::1]:443', '[2001:db8::1]:443', '[2001:db8::1]', false],
    ['IPv6 in its shortest form', '[2001:db8:0:0::1]', '[2001:db8:0:0::1]', '[2001:db8::1]', false],
    ['none', '', 'unknown', 'unknown', false],
    ['two joined with a comma', 'a.example,b.example', 'a.example,b.example', 'a.example,b.example', true],
    ['a user', 'x@a.example', 'x@a.example', 'x@a.example', true],
    ['a port that is no number', 'a.example:8x', 'a.example:8x', 'a.example', true],
    ['too large a port', 'a.example:65536', 'a.example:65536', 'a.example', true],
    ['an empty label', 'a..example', 'a..example', 'a..example', true],
    ['white space within', 'a example', 'a example', 'a example', true],
    ['brackets around a name', '[a.example]', '[a.example]', '[a.example]', true],
    ['an open bracket', '[::1', '[::1', '[::1', true],
    ['IPv6 without brackets', '2001:db8::1', '2001:db8::1', '2001', true],
    ['a path', 'a.example/x', 'a.example/x', 'a.example/x', true],
  ])('%s', (_says, sent, authority, host, hostInvalid) => {
    expect(readHead(request({ authority: sent })).head).toMatchObject({ authority, host, hostInvalid })
  })

  test('the Host header stands in for :authority', () => {
    const { head } = readHead(request({ authority: '', headers: [['Host', 'A.example']] }))
    expect([head.host, head.headers.get('host')?.value]).toEqual(['a.example', 'a.example'])
  })
})

describe('more than one host', () => {
  test.each<readonly [says: string, authority: string, headers: readonly HeaderLine[], invalid: boolean]>([
    ['Host repeats :authority', 'a.example', [['host', 'A.example']], false],
    ['Host says something else', 'a.example', [['host', 'b.example']], true],
    [
      'two Host lines',
      '',
      [
        ['host', 'a.example'],
        ['host', 'b.example'],
      ],
      true,
    ],
    [
      'twice the same',
      '',
      [
        ['host', 'a.example'],
        ['Host', 'a.example'],
      ],
      false,
    ],
  ])('%s', (_says, authority, headers, hostInvalid) => {
    expect(readHead(request({ authority, headers })).head).toMatchObject({ host: 'a.example', hostInvalid })
  })
})

describe('headers and cookies (spec pipeline 1.6)', () => {
  test('1 host and user-agent are two headers', () => {
    expect(headOf([['user-agent', 't']]).headers.size).toBe(2)
  })

  test('names in lower-case, repeated ones joined, Envoy’s own left out', () => {
    const { headers } = headOf([
      ['X-A', '1'],
      ['x-a', '2'],
      [':path', '/'],
      ['cookie', 'a=1'],
      ['x-envoy-internal', 'true'],
      ['x-envoy-retry-on', '5xx'],
    ])
    expect(shown(headers)).toEqual({ host: 'www.example.com', 'x-a': '1, 2', 'x-envoy-retry-on': '5xx' })
    expect(headers.get('x-a')?.values).toEqual(['1', '2'])
  })

  test('bytes are read as UTF-8', () => {
    expect(headOf([['x-a', Buffer.from('é')]]).headers.get('x-a')?.value).toBe('é')
  })

  test('cookies at semicolons, over all lines, names with case', () => {
    const { cookies } = headOf([
      ['cookie', 'a=1; b = 2 ;;c;\ta=x=y; A=%41'],
      ['Cookie', 'a=3'],
    ])
    expect(shown(cookies)).toEqual({ a: '1 x=y 3', 'b ': ' 2', c: '', A: '%41' })
  })

  test('no cookies', () => {
    expect(headOf([]).cookies.size).toBe(0)
  })
})

describe('refused before filtering (spec pipeline 1.2)', () => {
  test.each([
    ['25 a value that is no UTF-8', [['x-a', bytes(0xff)]], { kind: 'invalid-characters', header: 'x-a' }],
    [
      'a name that is no UTF-8',
      [[bytes(0x61, 0xff), 'x']],
      { kind: 'invalid-characters', header: 'a\ufffd' },
    ],
    ['a cookie', [['cookie', bytes(0x61, 0x3d, 0xc3)]], { kind: 'invalid-characters', header: 'cookie' }],
    [
      'two media types',
      [
        ['content-type', 'application/json'],
        ['Content-Type', 'text/xml'],
      ],
      { kind: 'conflicting-content-type' },
    ],
    [
      'in one line',
      [['content-type', 'application/json, text/xml; a="b,c"']],
      { kind: 'conflicting-content-type' },
    ],
    [
      'two boundaries',
      [
        ['content-type', 'multipart/form-data; boundary=a'],
        ['content-type', 'multipart/form-data; boundary=b'],
      ],
      { kind: 'conflicting-content-type' },
    ],
  ] as const)('%s', (_says, headers, refusal) => {
    const head = readHead(request({ headers: headers.map(([name, value]): HeaderLine => [name, value]) }))
    expect(head).toMatchObject({ ok: false, refusal, head: { host: 'www.example.com' } })
  })

  test.each([
    [
      'the same media type twice',
      [
        ['content-type', 'application/json'],
        ['content-type', 'Application/JSON; charset=utf-8'],
      ],
    ],
    ['a comma in a quoted boundary', [['content-type', 'multipart/form-data; boundary="a,b"']]],
    ['a comma in a bare one', [['content-type', 'multipart/form-data; boundary=a,b']]],
  ] as const)('not refused: %s', (_says, headers) => {
    expect(readHead(request({ headers: headers.map(([name, value]): HeaderLine => [name, value]) })).ok).toBe(
      true,
    )
  })
})
