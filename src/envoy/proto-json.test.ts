import { describe, expect, test } from '@jest/globals'
import { encodeJson, fromJson, packJson } from './proto-json.ts'
import { lookup } from './protos.ts'
import { addedFields, addedMessages } from './proto-additions.ts'

const route = 'envoy.config.route.v3.Route'
const routes = 'envoy.config.route.v3.RouteConfiguration'

const decoded = (type: string, json: unknown): unknown =>
  lookup(type).toObject(lookup(type).decode(encodeJson(type, json)), { enums: String, longs: Number })

describe('proto3 JSON becomes protobuf', () => {
  const rows = [
    [
      'a Duration is text',
      { route: { timeout: '1.5s' } },
      { route: { timeout: { seconds: 1, nanos: 500000000 } } },
    ],
    [
      'a wrapper is a plain value',
      { request_body_buffer_limit: 7 },
      { request_body_buffer_limit: { value: 7 } },
    ],
    [
      'an enum is a name',
      { redirect: { response_code: 'SEE_OTHER' } },
      { redirect: { response_code: 'SEE_OTHER' } },
    ],
    [
      'lowerCamelCase is taken as well',
      { directResponse: { status: 404 } },
      { direct_response: { status: 404 } },
    ],
    [
      'bytes are base64',
      { direct_response: { status: 200, body: { inline_bytes: '/w==' } } },
      { direct_response: { status: 200, body: { inline_bytes: Buffer.from([0xff]) } } },
    ],
    [
      'a field younger than the .proto files',
      { route: { flush_timeout: '9s' } },
      { route: { flush_timeout: { seconds: 9 } } },
    ],
  ] as const
  test.each(rows)('%s', (_says, json, message) => {
    expect(decoded(route, json)).toEqual(message)
  })

  test('Any names its message and holds its bytes', () => {
    const settings = { disabled: true }
    const type = 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute'
    const json = { typed_per_filter_config: { x: { '@type': `type.googleapis.com/${type}`, ...settings } } }
    expect(decoded(route, json)).toEqual({
      typed_per_filter_config: {
        x: { type_url: `type.googleapis.com/${type}`, value: Buffer.from(encodeJson(type, settings)) },
      },
    })
    expect(packJson(type, settings).type_url).toBe(`type.googleapis.com/${type}`)
  })

  test('the bytes do not depend on the order of keys, in maps neither', () => {
    const a = { name: 'r', metadata: { filter_metadata: { a: { x: 1, y: 2 }, b: {} } } }
    const b = { metadata: { filter_metadata: { b: {}, a: { y: 2, x: 1 } } }, name: 'r' }
    expect(encodeJson(route, a)).toEqual(encodeJson(route, b))
  })
})

describe('a mistake is named by its JSON pointer', () => {
  const host = (r: unknown): unknown => ({ virtual_hosts: [{ name: 'a', domains: ['*'], routes: [{}, r] }] })
  const any = (fields: object): unknown => ({ typed_per_filter_config: { 'a/b': fields } })
  const rows: readonly (readonly [string, unknown, string, string])[] = [
    ['an unknown field', { route: { idle_timout: '1s' } }, '/route/idle_timout', 'unknown field idle_timout'],
    ['a wrong duration', { route: { timeout: 5 } }, '/route/timeout', 'expected duration string: 5'],
    [
      'an unknown enum value',
      { redirect: { response_code: 'X' } },
      '/redirect/response_code',
      'unknown enum value: "X"',
    ],
    [
      'text for a number',
      { direct_response: { status: 'x' } },
      '/direct_response/status',
      'invalid integer: "x"',
    ],
    [
      'an object for a list',
      { response_headers_to_add: {} },
      '/response_headers_to_add',
      'expected array: {}',
    ],
    [
      'two of a oneof',
      { match: { prefix: '/', path: '/' } },
      '/match',
      'multiple values for oneof path_specifier',
    ],
    [
      'an unknown message',
      any({ '@type': 'type.googleapis.com/a.B' }),
      '/typed_per_filter_config/a~1b/@type',
      'unknown message a.B',
    ],
    ['no message', any({ x: 1 }), '/typed_per_filter_config/a~1b/@type', 'the name of a message is expected'],
    [
      'an unknown field inside Any',
      any({ '@type': 'x/envoy.extensions.filters.http.buffer.v3.Buffer', y: 1 }),
      '/typed_per_filter_config/a~1b/y',
      'unknown field y',
    ],
    ['not an object', [], '', 'expected object: []'],
  ]
  test.each(rows)('%s', (_says, json, pointer, reason) => {
    const list = pointer === '' ? json : host(json)
    const at = pointer === '' ? '' : `/virtual_hosts/0/routes/1${pointer}`
    expect(() => fromJson(routes, list)).toThrow(expect.objectContaining({ pointer: at, reason }))
  })

  test('endless nesting is a mistake, not a stack overflow', () => {
    let json: unknown = {}
    for (let i = 0; i < 5000; i++) json = { and_rules: { rules: [json] } }
    expect(() => fromJson('envoy.config.rbac.v3.Permission', json)).toThrow('nested too deep')
  })
})

test('every added field is there, once, with its number', () => {
  const seen = new Set<string>()
  for (const { message, name, id } of addedFields) {
    expect(lookup(message).fields[name]?.id).toBe(id)
    seen.add(`${message}.${name}`)
  }
  expect(seen.size).toBe(addedFields.length)
  for (const { message, fields } of addedMessages) {
    expect(lookup(message).fieldsArray.map(({ name }) => name)).toEqual(fields.map(({ name }) => name))
  }
})
