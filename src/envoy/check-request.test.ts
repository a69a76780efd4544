import { describe, expect, test } from '@jest/globals'
import type { RequestInput } from '#request'
import { decodeCheckRequest } from './check-request.ts'
import { type Http, attributesOf, browserLines, checkBytes, line } from './check.fixture.ts'

const now = 1_800_000_000_000

const decoded = (http: Http, more: object = {}): RequestInput =>
  decodeCheckRequest(checkBytes({ ...attributesOf(http), ...more }), now)

const headers = (...lines: readonly object[]): Http => ({ header_map: { headers: lines } })

const text = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : Buffer.from(value).toString('latin1')

describe('a CheckRequest becomes a RequestInput', () => {
  test('scalars, connection and hints', () => {
    const { headers: lines, ...rest } = decoded({})
    expect(rest).toEqual({
      method: 'GET',
      scheme: 'https',
      authority: 'shop.example.com',
      target: '/search?q=1',
      body: undefined,
      peer: '203.0.113.7',
      client: undefined,
      timestamp: 1_772_442_904_123,
      requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
      human: undefined,
      hints: { group: 'site1', entry: 'E' },
      plugins: new Map(),
      connection: {
        port: 8443,
        protocol: 'HTTP/2',
        sni: 'shop.example.com',
        certificate: undefined,
        listener: 'https',
        clientCertificates: 'off',
        ja3: undefined,
        ja4: undefined,
        taken: [],
      },
    })
    // Four pseudo-headers and three lines that Envoy wrote (sent-headers.ts).
    expect(lines).toHaveLength(browserLines.length - 7)
  })

  const ja3 = '0123456789abcdef0123456789abcdef'
  const ja4 = 't13d1516h2_8daaf6152771_e5627efa2ab1'
  const taken = ['x-weir-ja3', 'x-weir-ja4']
  const introduced: readonly (readonly [says: string, sent: readonly string[], said: object])[] = [
    ['what Envoy says of the handshake is no header of the client', [ja3, ja4], { ja3, ja4, taken }],
    ['a connection without TLS has none', ['-', '-'], { ja3: undefined, ja4: undefined, taken }],
    ['only what has the form counts', [`${ja3}0`, 'x y'], { ja3: undefined, ja4: undefined, taken }],
  ]
  test.each(introduced)('%s', (_, [first = '', second = ''], said) => {
    const lines = [line('x-weir-ja3', first), line('a', 'b'), line('x-weir-ja4', second)]
    const input = decoded(headers(...lines))
    expect(input.headers).toEqual([['a', 'b']])
    expect(input.connection).toMatchObject(said)
  })

  test('where no route of Weir speaks, such a header is anybody’s', () => {
    const input = decoded(headers(line('x-weir-ja3', ja3)), { context_extensions: {} })
    expect(input.headers).toEqual([['x-weir-ja3', ja3]])
    expect(input.connection).toMatchObject({ ja3: undefined, ja4: undefined, taken: [] })
  })

  const rows: readonly (readonly [string, Http, object, Partial<RequestInput>])[] = [
    ['the scheme is http unless it says https', { scheme: 'http', ...headers() }, {}, { scheme: 'http' }],
    ['nor is it what a client of HTTP/2 says', { scheme: 'http' }, {}, { scheme: 'https' }],
    [
      'pseudo-headers stand in for missing attributes',
      { method: '', path: '', host: '', scheme: '' },
      {},
      { method: 'GET', target: '/search?q=1', authority: 'shop.example.com', scheme: 'https' },
    ],
    [
      'two Host lines arrive joined',
      { host: 'a.example,b.example' },
      {},
      { authority: 'a.example,b.example' },
    ],
    ['no request id, no id', headers(line('a', 'b')), {}, { requestId: '' }],
    ["Envoy's stream id is not the request id", { id: '42', ...headers() }, {}, { requestId: '' }],
    ['without a time, now', {}, { request: { http: { method: 'GET' } } }, { timestamp: now, method: 'GET' }],
    [
      'a route that says nothing gives no hints',
      {},
      { context_extensions: {} },
      { hints: { group: undefined, entry: undefined } },
    ],
    [
      'an unknown host is asked for with an empty group',
      {},
      { context_extensions: { 'weir.sg': '' } },
      { hints: { group: '', entry: undefined } },
    ],
    ['a pipe has no address', {}, { source: { address: { pipe: { path: '/x' } } } }, { peer: '' }],
    [
      'a body is bytes',
      { raw_body: Buffer.from([0, 255, 1]) },
      {},
      { body: { bytes: Uint8Array.from([0, 255, 1]), partial: false } },
    ],
    [
      'a body may come as text',
      { body: 'ä' },
      {},
      { body: { bytes: Uint8Array.from([0xc3, 0xa4]), partial: false } },
    ],
    [
      'Envoy says that more followed',
      { raw_body: Buffer.from('abc'), ...headers(line('x-envoy-auth-partial-body', 'true')) },
      {},
      { body: { bytes: Uint8Array.from([97, 98, 99]), partial: true } },
    ],
    ['a body of length 0 is no body', { raw_body: Buffer.alloc(0) }, {}, { body: undefined }],
  ]
  test.each(rows)('%s', (_says, http, more, expected) => {
    const { body, ...rest } = decoded(http, more)
    const plain = body && { bytes: Uint8Array.from(body.bytes), partial: body.partial }
    expect({ ...rest, body: plain }).toMatchObject(expected)
  })

  test('a client certificate, as Envoy encodes it', () => {
    const source = {
      address: { socket_address: { address: '::1' } },
      certificate: '-----BEGIN%20CERTIFICATE-----%0A',
    }
    const input = decoded({}, { source })
    expect(input.connection?.certificate).toBe('-----BEGIN%20CERTIFICATE-----%0A')
    expect(input.peer).toBe('::1')
  })

  test('claims that another filter verified, by their dotted names', () => {
    const stringValue = (value: string): object => ({ stringValue: value })
    const jwt = {
      fields: {
        sub: stringValue('u1'),
        admin: { boolValue: true },
        age: { numberValue: 41.5 },
        none: { nullValue: 0 },
        aud: { listValue: { values: [stringValue('a'), stringValue('b')] } },
      },
    }
    const metadata_context = {
      filter_metadata: { 'envoy.filters.http.jwt_authn': { fields: { jwt: { structValue: jwt } } } },
    }
    expect(decoded({}, { metadata_context }).plugins).toEqual(
      new Map([
        ['jwt.sub', 'u1'],
        ['jwt.admin', 'true'],
        ['jwt.age', '41.5'],
        ['jwt.aud', 'a b'],
      ]),
    )
  })
})

describe('headers arrive as they were sent', () => {
  const rows: readonly (readonly [string, readonly object[], readonly (readonly [string, string])[]])[] = [
    [
      'duplicates stay separate and in order',
      [line('a', '1'), line('b', '2'), line('a', '3')],
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    ['pseudo-headers are none', [line(':path', '/'), line('a', '1')], [['a', '1']]],
    ['empty values stay', [line('a', '')], [['a', '']]],
    ['a value may come as text', [{ key: 'a', value: 'x' }], [['a', 'x']]],
    [
      'a large block',
      Array.from({ length: 300 }, (_, i) => line(`h${i}`, 'v'.repeat(100))),
      Array.from({ length: 300 }, (_, i) => [`h${i}`, 'v'.repeat(100)] as const),
    ],
  ]
  test.each(rows)('%s', (_says, lines, expected) => {
    const got = decoded(headers(...lines)).headers
    expect(got.map((header: readonly (string | Uint8Array)[]) => header.map(text))).toEqual(expected)
  })

  test('ASCII is text, anything else the bytes that were sent', () => {
    const raw = Uint8Array.from([0x61, 0xff, 0x62])
    const [plain, bytes, utf8] = decoded(headers(line('a', 'plain'), line('b', raw), line('c', 'ü'))).headers
    expect(plain).toEqual(['a', 'plain'])
    expect(Uint8Array.from(bytes?.[1] as Uint8Array)).toEqual(raw)
    expect(Uint8Array.from(utf8?.[1] as Uint8Array)).toEqual(Uint8Array.from([0xc3, 0xbc]))
  })

  test('the plain map where Envoy does not encode raw headers', () => {
    const input = decoded({ header_map: undefined, headers: { ':path': '/', a: '1', 'x-request-id': 'r' } })
    expect(input.headers).toEqual([
      ['a', '1'],
      ['x-request-id', 'r'],
    ])
    expect(input.requestId).toBe('r')
  })
})

describe('bytes that are no CheckRequest', () => {
  const rows: readonly (readonly [string, Uint8Array])[] = [
    ['nothing', Uint8Array.of()],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['a length past the end', Uint8Array.of(0x0a, 0x7f)],
    ['a number without an end', Uint8Array.of(...Array.from({ length: 20 }, () => 0xff))],
    ['attributes without a request', checkBytes({ source: {} })],
    ['a request that is not HTTP', checkBytes({ request: { time: { seconds: 1 } } })],
    ['a message cut in the middle', checkBytes(attributesOf()).subarray(0, 700)],
    ['groups inside groups', Uint8Array.from({ length: 5000 }, () => 0x0b)],
  ]
  test.each(rows)('%s is refused', (_says, message) => {
    expect(() => decodeCheckRequest(message, now)).toThrow()
  })

  test('a Struct that is nested without end is refused', () => {
    let value: object = { stringValue: 'x' }
    for (let i = 0; i < 40; i++) value = { listValue: { values: [value] } }
    const message = checkBytes({
      ...attributesOf(),
      metadata_context: { filter_metadata: { x: { fields: { a: value } } } },
    })
    expect(() => decodeCheckRequest(message, now)).toThrow('nested too deep')
  })

  test('whatever is changed in a message, it is read or refused, never read past', () => {
    const original = checkBytes(attributesOf({ raw_body: Buffer.from('{"a":1}') }))
    let seed = 42
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
      return seed % below
    }
    let read = 0
    let refused = 0
    for (let round = 0; round < 20_000; round++) {
      const message = Uint8Array.from(
        original.subarray(0, random(4) === 0 ? random(original.length) : original.length),
      )
      for (let change = random(4); change >= 0; change--) message[random(message.length || 1)] = random(256)
      try {
        const input = decodeCheckRequest(message, now)
        read += typeof input.method === 'string' && input.headers.length < 100 ? 1 : 0
      } catch (error) {
        refused += error instanceof Error ? 1 : 0
      }
    }
    expect(read + refused).toBe(20_000)
    expect(Math.min(read, refused)).toBeGreaterThan(1000)
  })
})
