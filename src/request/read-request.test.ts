import { describe, expect, test } from '@jest/globals'
import { addressSet } from '#platform'
import { post, read, request, shown } from './input.fixture.ts'
import type { ReadSettings, RequestInput } from './request.ts'

const json = 'application/json'

describe('arguments (spec pipeline 1.7, 1.8)', () => {
  const rows: readonly (readonly [
    says: string,
    input: RequestInput,
    args: Readonly<Record<string, string>>,
  ])[] = [
    ['8 a query', request({ target: '/abc/123/home.html?foo=true' }), { foo: 'true' }],
    ['9 repeated names are joined', request({ target: '/?a=1&b=2&a=3+4&&c' }), { a: '1 3 4', b: '2', c: '' }],
    ['9 an empty query', request({ target: '/?' }), {}],
    [
      'a name without a value, and a value without a name',
      request({ target: '/?a=&=b' }),
      { a: '', '': 'b' },
    ],
    ['names are decoded too', request({ target: '/?a%5B0%5D=%C3%A9&b=%zz%4' }), { 'a[0]': 'é', b: '%zz%4' }],
    ['bytes that are no UTF-8', request({ target: '/?a=%ff%C3' }), { a: '\ufffd\ufffd' }],
    [
      '10 JSON leaves',
      post('{"a":[true,null,{"z":0.2}],"c":{"d":12}}', json),
      { a_0: 'true', a_1: 'null', a_2_z: '0.2', c_d: '12' },
    ],
    ['10 a JSON scalar', post('"x"', json), { JSON_ROOT: 'x' }],
    ['10 duplicate keys', post('{"a":1,"a":2}', json), { a: '1 2' }],
    ['11 query before body', { ...post('{"a":"b"}', json), target: '/?a=q' }, { a: 'q b' }],
    ['a form', post('a=1+2&b=%26', 'application/x-www-form-urlencoded'), { a: '1 2', b: '&' }],
    [
      '19 a string that only looks like GraphQL',
      post('{"a":"query me maybe", "b":"xp_cmdshell"}', json),
      { a: 'query me maybe', b: 'xp_cmdshell' },
    ],
    ['21 a form without content type', post('a=1'), { a: '1' }],
    ['21 JSON without content type', post('{"a":1}'), { a: '1' }],
    ['JSON as text/plain', post('{"a":1}', 'text/plain;charset=UTF-8'), { a: '1' }],
    ['21 plain text is RAW_BODY', post('hello world', 'text/plain'), { RAW_BODY: 'hello world' }],
    ['text with = is no form where it has spaces', post('a = 1', 'text/plain'), { RAW_BODY: 'a = 1' }],
    ['21 a binary type', post('hello', 'image/png'), {}],
    [
      'serialised data is examined as it is',
      post('\u0001hello', 'application/msgpack'),
      { RAW_BODY: '\u0001hello' },
    ],
    [
      'media types are compared without case and parameters',
      post('{"a":1}', 'Application/VND.api+JSON; charset=utf-8'),
      { a: '1' },
    ],
    [
      'an unknown coding is opaque',
      post('{"a":1}', json, [['content-encoding', 'zstd']]),
      { RAW_BODY: '{"a":1}' },
    ],
    ['a body of length 0 is none', post('', json), {}],
    ['16 a malformed body has no arguments', post('{"a": "tea"', json), {}],
    [
      'a charset that is not UTF-8',
      post(Buffer.from('{"a":"é"}', 'utf16le'), 'application/json; charset=utf-16le'),
      { a: 'é' },
    ],
    ['UTF-16 by its byte order mark', post(Buffer.from('\ufeff{"a":"b"}', 'utf16le'), json), { a: 'b' }],
  ]
  test.each(rows)('%s', (_says, input, args) => {
    expect(shown(read(input).args)).toEqual(args)
  })

  test('a body that nothing reads stays closed', () => {
    const view = read(post('{"a":1}', json), { readBody: false })
    expect([view.args.size, view.body.present]).toEqual([0, false])
  })

  test('each value remembers where it came from; the first place names a joined one', () => {
    const view = read({ ...post('b=2&a=3', 'application/x-www-form-urlencoded'), target: '/?a=1' })
    expect([...view.args.values()].map(({ name, place, values }) => [name, place, values])).toEqual([
      ['a', 'arguments', ['1', '3']],
      ['b', 'body', ['2']],
    ])
  })

  test('the Referer under its prefix', () => {
    const referred = (referer: string): Readonly<Record<string, string>> =>
      shown(read(request({ headers: [['referer', referer]] }), { refererAsUri: true }).args)
    expect(referred('https://a.example/x/y%20z?q=1#f')).toEqual({
      'ref:path': '/x/y%20z',
      'ref:part1': 'x',
      'ref:part2': 'y z',
      'ref:q': '1',
    })
    expect(referred('https://a.example?q=1')).toEqual({ 'ref:path': '', 'ref:q': '1' })
    expect(referred('https://a.example')).toEqual({})
    expect(read(request({ headers: [['referer', 'https://a.example/x?q=1']] })).args.size).toBe(0)
  })
})

describe('bodies (spec pipeline 1.8, 1.10)', () => {
  const nested = (levels: number): string => `${'['.repeat(levels)}1${']'.repeat(levels)}`

  test.each([
    ['16 kind and place, never the input', post('{"a": "tea"', json), 'malformed JSON body at byte 11'],
    ['bytes are counted, not characters', post('{"é": x', json), 'malformed JSON body at byte 7'],
    ['XML', post('<a><b></a>', 'text/xml'), 'malformed XML body at byte 10'],
    ['GraphQL', post('{ a(', 'application/graphql'), 'malformed GraphQL body at byte 4'],
    ['multipart without boundary', post('x', 'multipart/form-data'), 'malformed multipart body at byte 0'],
    [
      'data that is not what the coding says',
      post('x', json, [['content-encoding', 'gzip']]),
      'malformed gzip body at byte 0',
    ],
  ])('%s', (_says, input, message) => {
    const { body, args } = read(input)
    expect(body.malformed).toBe(message)
    expect(body.raw?.name).toBe('RAW_BODY')
    expect(args.size).toBe(0)
  })

  test('20 a value at the top has depth 1, each container adds 1', () => {
    expect(read(post(nested(99), json)).body.tooDeep).toBeUndefined()
    expect(read(post(nested(100), json)).body.tooDeep).toEqual({ actual: 101, limit: 100 })
    expect(read(post(nested(2), json), { maxBodyDepth: 2 }).body.tooDeep).toEqual({ actual: 3, limit: 2 })
  })

  test('10,000 arguments, query and body together', () => {
    const items = `[${'1,'.repeat(9_999)}1]`
    expect(read(post(items, json)).body.tooLarge).toBeUndefined()
    const more = read({ ...post(items, json), target: '/?a=1' })
    expect(more.body.tooLarge).toEqual({ what: 'arguments', actual: 10_001, limit: 10_000 })
    expect(more.args.size).toBe(10_000)
    const query = read(request({ target: `/?${'a&'.repeat(10_001)}` }))
    expect(query.body.tooLarge).toEqual({ what: 'arguments', actual: 10_001, limit: 10_000 })
  })

  test('one long key above many leaves is bounded by the names together', () => {
    const body = `{"${'k'.repeat(100_000)}":[${'1,'.repeat(5_000)}1]}`
    const { tooLarge } = read(post(body, json)).body
    expect(tooLarge?.what).toBe('body')
  })

  test('partial: Envoy says so, or the buffer is full and Content-Length does not say that this is all', () => {
    const partial = (body: string, changes: Partial<ReadSettings>, length?: string): boolean =>
      read(post(body, 'text/plain', length === undefined ? [] : [['content-length', length]]), changes).body
        .partial
    expect(partial('12345', { bodyLimit: 6 })).toBe(false)
    expect(partial('12345', { bodyLimit: 5 })).toBe(true)
    expect(partial('12345', { bodyLimit: 5 }, '5')).toBe(false)
    expect(partial('12345', { bodyLimit: 5 }, '6')).toBe(true)
    expect(partial('123456', { bodyLimit: 5 }, '6')).toBe(true)
    const flagged = { ...post('x', 'text/plain'), body: { bytes: Buffer.from('x'), partial: true } }
    expect(read(flagged).body.partial).toBe(true)
  })

  test('a partial body is read as far as it goes and is not malformed; what no parser took is examined as text', () => {
    const cut = '{"a":"one","b":"tw'
    const { args, body } = read({ ...post(cut, json), body: { bytes: Buffer.from(cut), partial: true } })
    expect(shown(args)).toEqual({ a: 'one' })
    expect([body.malformed, body.raw?.value]).toEqual([undefined, cut])
  })

  test('a file is exempt from Max length, and so is RAW_BODY', () => {
    const body = '--b\r\nContent-Disposition: form-data; name="up"; filename="a"\r\n\r\ntext\r\n--b--'
    expect(read(post(body, 'multipart/form-data; boundary=b')).args.get('up')?.lengthExempt).toBe(true)
    expect(read(post('some text', 'text/plain')).args.get('RAW_BODY')?.lengthExempt).toBe(true)
    expect(read(post('a=1')).args.get('a')?.lengthExempt).toBe(false)
  })
})

describe('client address and scheme (spec pipeline 1.1, 1.3)', () => {
  const trusts = addressSet(['10.0.0.0/8', '2001:db8::/32'])
  const from = (peer: string, forwarded: string): RequestInput =>
    request({ peer, headers: [['x-forwarded-for', forwarded]] })

  test.each([
    [
      '26 the first untrusted one from the right',
      from('10.0.0.5', '6.6.6.6, 198.51.100.7, 10.0.0.9'),
      '198.51.100.7',
      false,
    ],
    [
      '26 an untrusted peer is the client',
      from('192.0.2.1', '6.6.6.6, 198.51.100.7, 10.0.0.9'),
      '192.0.2.1',
      false,
    ],
    ['26 junk ends the walk', from('10.0.0.5', '6.6.6.6, x, 10.0.0.9'), '10.0.0.9', true],
    ['junk on the right leaves the peer', from('10.0.0.5', '6.6.6.6, x'), '10.0.0.5', true],
    ['junk beyond the client does not matter', from('10.0.0.5', 'x, 198.51.100.7'), '198.51.100.7', false],
    ['all trusted: the leftmost', from('10.0.0.5', '10.0.0.1,10.0.0.2'), '10.0.0.1', false],
    ['an empty header', from('10.0.0.5', ''), '10.0.0.5', true],
    ['an empty piece', from('10.0.0.5', '198.51.100.7,,10.0.0.2'), '10.0.0.2', true],
    ['brackets and ports', from('10.0.0.5', '[2001:DB9::1]:443'), '2001:db9::1', false],
    ['IPv6 proxies', from('2001:db8::5', '198.51.100.7:1234, 2001:db8::9'), '198.51.100.7', false],
    ['IPv4-mapped', from('::ffff:10.0.0.5', '::ffff:198.51.100.7'), '198.51.100.7', false],
    ['no header', request({ peer: '10.0.0.5' }), '10.0.0.5', false],
    ['a client known already', { ...from('10.0.0.5', '6.6.6.6'), client: '192.0.2.77' }, '192.0.2.77', false],
  ])('%s', (_says, input, ip, invalid) => {
    const view = read(input, { trusts })
    expect([view.ip, view.ipInvalid]).toEqual([ip, invalid])
  })

  test('26 of several header names the first that is present', () => {
    const input = request({
      peer: '10.0.0.5',
      headers: [
        ['x-forwarded-for', '198.51.100.7'],
        ['true-client-ip', '192.0.2.44'],
      ],
    })
    const clientAddressHeaders = ['true-client-ip', 'x-forwarded-for']
    expect(read(input, { trusts, clientAddressHeaders }).ip).toBe('192.0.2.44')
    expect(read(input, { trusts, clientAddressHeaders: ['x-real-ip', 'x-forwarded-for'] }).ip).toBe(
      '198.51.100.7',
    )
  })

  test.each([
    ['a trusted peer says', '10.0.0.5', 'HTTP', 'http'],
    ['an untrusted one does not', '192.0.2.1', 'http', 'https'],
    ['of a list the first', '10.0.0.5', 'http, https', 'http'],
    ['nonsense', '10.0.0.5', 'gopher', 'https'],
  ])('the scheme: %s', (_says, peer, value, scheme) => {
    expect(read(request({ peer, headers: [['x-forwarded-proto', value]] }), { trusts }).scheme).toBe(scheme)
  })
})
