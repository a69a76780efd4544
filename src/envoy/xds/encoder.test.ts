// Encoding piece by piece gives what encoding in one go gives, and a second time costs nothing.
import { describe, expect, test } from '@jest/globals'
import { ProtoJsonError, encodeJson } from '../proto-json.ts'
import { lookup } from '../protos.ts'
import { createEncoder } from './encoder.ts'
import type { JsonObject } from './json.ts'

const routes = 'envoy.config.route.v3.RouteConfiguration'
const cluster = 'envoy.config.cluster.v3.Cluster'

const virtualHost = (name: string, to = name): JsonObject => ({
  name,
  domains: [`${name}.example`],
  routes: [{ match: { prefix: '/' }, route: { cluster: to } }],
})

const table = (...hosts: readonly JsonObject[]): JsonObject => ({
  name: 'http|plain',
  virtual_hosts: hosts,
  ignore_port_in_host_matching: true,
})

const read = (message: string, bytes: Uint8Array): unknown => {
  const type = lookup(message)
  return type.toObject(type.decode(bytes), { bytes: String })
}

describe('the bytes mean what those of one conversion mean:', () => {
  const cases: readonly (readonly [says: string, message: string, json: JsonObject])[] = [
    ['a table with several hosts', routes, table(virtualHost('a'), virtualHost('b'), virtualHost('c'))],
    ['a host whose bytes need a longer length', routes, table(virtualHost('a'.repeat(300)))],
    [
      'two hosts that are equal but for the name',
      routes,
      table(virtualHost('a', 'x'), virtualHost('b', 'x')),
    ],
    ['a table without hosts', routes, table()],
    ['a table without the field', routes, { name: 'http|plain' }],
    ['a message that is encoded as a whole', cluster, { name: 'c', connect_timeout: '5s', type: 'EDS' }],
  ]
  test.each(cases)('%s', (_says, message, json) => {
    const { bytes } = createEncoder().encode(message, json)
    expect(read(message, bytes)).toEqual(read(message, encodeJson(message, json)))
  })

  test('with what was remembered of the snapshot before as well', () => {
    const encoder = createEncoder()
    const [a, b, c] = [virtualHost('a'), virtualHost('b'), virtualHost('c')]
    encoder.encode(routes, table(a, b))
    encoder.endOfSnapshot()
    const { bytes } = encoder.encode(routes, table(c, a))
    expect(read(routes, bytes)).toEqual(read(routes, encodeJson(routes, table(c, a))))
    expect(bytes).toEqual(createEncoder().encode(routes, table(c, a)).bytes)
  })
})

describe('what a resource names', () => {
  test('is that of its parts and its own, each once', () => {
    const { references } = createEncoder().encode(routes, {
      ...table(virtualHost('a', 'x'), virtualHost('b', 'x'), virtualHost('c', 'y')),
      request_mirror_policies: [{ cluster: 'z' }],
    })
    expect(references).toEqual(['z', 'x', 'y'].map((name) => ({ kind: 'cluster', name })))
  })

  test('a cluster that asks for endpoints names them', () => {
    const { references } = createEncoder().encode(cluster, { name: 'c', type: 'EDS' })
    expect(references).toEqual([{ kind: 'endpoint', name: 'c' }])
  })
})

describe('a mistake', () => {
  const mistakes: readonly (readonly [says: string, json: JsonObject, pointer: string, reason: RegExp])[] = [
    [
      'in a part is found in the whole',
      table(virtualHost('a'), { ...virtualHost('b'), routes: [{ match: { prefx: '/' } }] }),
      '/virtual_hosts/1/routes/0/match/prefx',
      /unknown field prefx/,
    ],
    [
      'outside of the parts keeps its place',
      { ...table(virtualHost('a')), nme: 'x' },
      '/nme',
      /unknown field nme/,
    ],
    ['in a list that is none of objects', { name: 'x', virtual_hosts: ['a'] }, '/virtual_hosts/0', /./],
  ]
  test.each(mistakes)('%s', (_says, json, pointer, reason) => {
    const encode = (): unknown => createEncoder().encode(routes, json)
    expect(encode).toThrow(ProtoJsonError)
    expect(encode).toThrow(expect.objectContaining({ pointer, reason: expect.stringMatching(reason) }))
    expect(encode).toThrow(new RegExp(`^${routes.replaceAll('.', '\\.')}: `))
  })
})

describe('what was encoded', () => {
  const json = (): JsonObject => ({ name: 'c', connect_timeout: '5s' })

  test('is there in the next snapshot, by content', () => {
    const encoder = createEncoder()
    const first = encoder.encode(cluster, json())
    expect(encoder.encode(cluster, json())).toBe(first)
    encoder.endOfSnapshot()
    expect(encoder.encode(cluster, json())).toBe(first)
    expect(encoder.encode(cluster, { ...json(), connect_timeout: '6s' })).not.toBe(first)
  })

  test('is forgotten when a snapshot did not need it', () => {
    const encoder = createEncoder()
    const first = encoder.encode(cluster, json())
    encoder.endOfSnapshot()
    encoder.endOfSnapshot()
    const again = encoder.encode(cluster, json())
    expect(again).not.toBe(first)
    expect(again).toEqual(first)
  })

  test('under one message is nothing under another', () => {
    const encoder = createEncoder()
    const same = { name: 'c' }
    expect(encoder.encode(cluster, same)).not.toBe(encoder.encode(routes, same))
  })
})
