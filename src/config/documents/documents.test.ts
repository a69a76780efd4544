// What the declarations of the document kinds promise: their examples are right, their words are there, other names of
// fields and values lead to the same entry, and what is left out has the default that the description states.
import { describe, expect, test } from '@jest/globals'
import type { TSchema } from 'typebox'
import { type Finding, type Report } from '../problem.ts'
import { type Schema, jsonSchema } from '../schema/json.ts'
import { documents } from './index.ts'

type Said = { readonly field: string; readonly reason: string }

/** A report that keeps what it is told. */
function listening() {
  const problems: Said[] = []
  const warnings: Said[] = []
  const keep = (list: Said[]) => (field: string, finding: Finding) => {
    list.push({ field, reason: finding.reason })
  }
  const report: Report = { problem: keep(problems), warning: keep(warnings) }
  return { report, problems, warnings }
}

const kindOf = (namespace: string) => {
  const kind = documents.find((one) => one.namespace === namespace)
  if (kind === undefined) throw new Error(`no kind ${namespace}`)
  return kind
}

/** Reads an entry that must be right. */
function read(namespace: string, entry: unknown): unknown {
  const { report, problems } = listening()
  const parsed = kindOf(namespace).read(entry, report)
  expect(problems).toEqual([])
  return parsed
}

/** Every object schema in a schema, with the path to it. */
function* objectsIn(schema: Schema, at: string): Generator<readonly [string, Schema]> {
  if (schema.properties !== undefined) yield [at, schema]
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    yield* objectsIn(inner, `${at}.${name}`)
  if (schema.items !== undefined) yield* objectsIn(schema.items, `${at}[]`)
  for (const inner of schema.anyOf ?? []) yield* objectsIn(inner, at)
}

describe.each(documents.map((kind) => [kind.namespace, kind] as const))('%s', (_namespace, kind) => {
  test.each(kind.examples.map((example, i) => [i, example]))('example %i is right', (_i, example) => {
    const { report, problems, warnings } = listening()
    expect(kind.read(example, report)).toBeDefined()
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] })
  })

  test('has an example, a title, a noun and a description', () => {
    expect(kind.examples.length).toBeGreaterThan(0)
    for (const words of [kind.title, kind.noun, kind.description]) expect(words).toMatch(/\S/)
  })

  test('no object in it takes unknown fields', () => {
    const schema: TSchema = kind.schema
    for (const [at, object] of objectsIn(jsonSchema(schema), kind.namespace)) {
      expect([at, object.additionalProperties]).toEqual([at, false])
    }
  })

  test('is not changed by being read', () => {
    const before = structuredClone(kind.examples)
    for (const example of kind.examples) kind.read(example, listening().report)
    expect(kind.examples).toEqual(before)
  })
})

test('namespaces are unique and are those of the design', () => {
  expect(documents.map(({ namespace }) => namespace).toSorted()).toEqual([
    'acl-profiles',
    'actions',
    'backend-services',
    'content-filter-profiles',
    'content-filter-rules',
    'flow-control-policies',
    'global-filters',
    'proxy-templates',
    'rate-limit-rules',
    'security-policies',
    'server-groups',
  ])
})

const limit = { id: 'r', global: true, timeframe: 60, thresholds: [{ limit: 1, action: 'a' }] }
const steps = [
  { method: 'GET', uri: '/a' },
  { method: 'POST', uri: '/b' },
]
const flow = { id: 'f', active: true, timeframe: 60, key: [{ attrs: 'ip' }], steps }
const section = { max_count: 1 }
const filter = {
  id: 'c',
  ignore_alphanum: true,
  decoding: {},
  masking_seed: 's',
  headers: section,
  cookies: section,
  args: section,
  path: section,
}
const entry = { id: '__default_entry__', name: 'default', match: '__default__', backend_service: 'b' }
const host = { host: '192.0.2.1' }
const service = { id: 's', http11: true, least_conn: false, sticky: 'none', back_hosts: [host] }
const gf = { id: 'g', active: true, source: 'self-managed', mdate: '2026-01-02T03:04:05Z' }

/** [what is the same, namespace, one way to write it, the other]. */
const sameAs: readonly (readonly [string, string, object, object])[] = [
  ['custom is block', 'actions', { id: 'a', type: 'custom' }, { id: 'a', type: 'block' }],
  ['ichallenge', 'actions', { id: 'a', type: 'ichallenge' }, { id: 'a', type: 'interactive_challenge' }],
  ['sequence is steps', 'flow-control-policies', { ...flow, steps: undefined, sequence: steps }, flow],
  ['digits in a string', 'rate-limit-rules', { ...limit, timeframe: '60' }, limit],
  [
    'a list is relation OR',
    'rate-limit-rules',
    { ...limit, exclude: ['a'] },
    { ...limit, exclude: { relation: 'OR', tags: ['a'] } },
  ],
  ['self is the default event', 'rate-limit-rules', { ...limit, pairwith: { self: 'self' } }, limit],
  [
    'arguments is args',
    'rate-limit-rules',
    { ...limit, key: [{ arguments: 'u' }] },
    { ...limit, key: [{ args: 'u' }] },
  ],
  [
    'attributes is attrs',
    'rate-limit-rules',
    { ...limit, key: [{ attributes: 'ip' }] },
    { ...limit, key: [{ attrs: 'ip' }] },
  ],
  [
    'company is organization',
    'rate-limit-rules',
    { ...limit, key: [{ attrs: 'company' }] },
    { ...limit, key: [{ attrs: 'organization' }] },
  ],
  [
    'secpolid',
    'rate-limit-rules',
    { ...limit, key: [{ attrs: 'secpolid' }] },
    { ...limit, key: [{ attrs: 'securitypolicyid' }] },
  ],
  [
    'secpolentryid',
    'rate-limit-rules',
    { ...limit, key: [{ attrs: 'secpolentryid' }] },
    { ...limit, key: [{ attrs: 'securitypolicyentryid' }] },
  ],
  [
    'header names have no case',
    'rate-limit-rules',
    { ...limit, key: [{ headers: 'X-Key' }] },
    { ...limit, key: [{ headers: 'x-key' }] },
  ],
  [
    'acl_active, content_filter_active, limit_ids, backend_id',
    'security-policies',
    {
      id: 'p',
      map: [
        {
          id: '__default_entry__',
          name: 'default',
          match: '__default__',
          acl_active: false,
          content_filter_active: false,
          limit_ids: ['r'],
          backend_id: 'b',
        },
      ],
    },
    {
      id: 'p',
      map: [
        {
          ...entry,
          acl_profile_active: false,
          content_filter_profile_active: false,
          rate_limit_rules: ['r'],
        },
      ],
    },
  ],
  [
    'the policy-level match of old exports',
    'security-policies',
    { id: 'p', match: 'x', map: [entry] },
    { id: 'p', map: [entry] },
  ],
  [
    'exclusions is ignore_cf_rule_tags',
    'content-filter-profiles',
    { ...filter, args: { names: [{ key: 'a', restrict: false, exclusions: ['cf-all'] }] } },
    { ...filter, args: { names: [{ key: 'a', restrict: false, ignore_cf_rule_tags: ['cf-all'] }] } },
  ],
  [
    'http_port is one of http_ports',
    'backend-services',
    { ...service, back_hosts: [{ ...host, http_port: 8080 }] },
    { ...service, back_hosts: [{ ...host, http_ports: [8080] }] },
  ],
  [
    'sticky none with least_conn',
    'backend-services',
    { ...service, least_conn: true },
    { ...service, sticky: 'least_conn' },
  ],
  [
    'least_conn with another sticky',
    'backend-services',
    { ...service, least_conn: true, sticky: 'iphash' },
    { ...service, sticky: 'iphash' },
  ],
  [
    'a number for a decimal string',
    'proxy-templates',
    { id: 't', limit_req_rate: 5 },
    { id: 't', limit_req_rate: '5' },
  ],
  ['$http_host is $host', 'proxy-templates', { id: 't', upstream_host: '$http_host' }, { id: 't' }],
  ['source self', 'global-filters', { ...gf, source: 'self' }, gf],
  ['empty source', 'global-filters', { ...gf, source: '' }, gf],
  ['no action', 'global-filters', { ...gf, action: null }, gf],
  [
    'an entry alone',
    'global-filters',
    { ...gf, rule: ['path', '^/a'] },
    { ...gf, rule: { relation: 'OR', entries: [['path', '^/a', 'why']] } },
  ],
  [
    'AS in front of a number',
    'global-filters',
    { ...gf, rule: ['asn', 'AS15169'] },
    { ...gf, rule: ['asn', '15169'] },
  ],
  [
    'company in a rule',
    'global-filters',
    { ...gf, rule: ['company', '!x'] },
    { ...gf, rule: ['organization', '!x'] },
  ],
  [
    'securitypolicy in a rule',
    'global-filters',
    { ...gf, rule: ['securitypolicy', 'p'] },
    { ...gf, rule: ['securitypolicyid', 'p'] },
  ],
  [
    'fields of old exports',
    'acl-profiles',
    { id: 'a', routing_profile: 'x', last_activated: 1, custom_listener: false, mdate: 'y' },
    { id: 'a' },
  ],
  [
    'a tag list with spaces',
    'acl-profiles',
    { id: 'a', deny: ['Geo-Anon geo_TOR'] },
    { id: 'a', deny: ['geo-anon', 'geo-tor'] },
  ],
  ['no description', 'acl-profiles', { id: 'a', description: null }, { id: 'a', description: '' }],
]

describe('written differently, read alike', () => {
  test.each(sameAs)('%s', (_says, namespace, one, other) => {
    // Fields that are undefined are not there, as in a file.
    const asFile: unknown = JSON.parse(JSON.stringify(one))
    expect(read(namespace, asFile)).toEqual(read(namespace, other))
  })
})

describe('defaults', () => {
  test.each([
    ['actions', { id: 'a', type: 'block' }, { name: 'a', status: 503, headers: [], content: undefined }],
    ['actions', { id: 'a', type: 'challenge' }, { status: 247, apiStatus: undefined }],
    ['acl-profiles', { id: 'a' }, { actionId: 'action-acl-block', deny: [], allowBot: [] }],
    ['acl-profiles', { id: 'a', action: '' }, { actionId: 'action-acl-block' }],
    [
      'content-filter-profiles',
      filter,
      {
        actionId: 'action-contentfilter-block',
        contentTypes: [],
        maxBodyDepth: 100,
        maxBodySize: undefined,
        refererAsUri: false,
        decoding: { base64: true, dual: false, html: false, unicode: false },
      },
    ],
    [
      'rate-limit-rules',
      limit,
      { active: true, key: [], event: undefined, include: { relation: 'OR', tags: [] }, banMs: undefined },
    ],
    ['rate-limit-rules', { ...limit, ban_duration: 5 }, { banMs: undefined }],
    ['flow-control-policies', flow, { include: [], exclude: [], timeframeMs: 60_000 }],
    [
      'server-groups',
      { id: 'g', server_names: ['a.example'] },
      { policyId: '__default__', templateId: '__default__', httpRedirect: 'off' },
    ],
    [
      'backend-services',
      service,
      {
        transportMode: 'default',
        http2: false,
        hosts: [
          {
            host: '192.0.2.1',
            httpPorts: [80],
            httpsPorts: [443],
            weight: 1,
            maxFails: 0,
            failTimeoutS: 10,
            backup: false,
            down: false,
          },
        ],
      },
    ],
    [
      'proxy-templates',
      { id: 't' },
      {
        clientAddressHeaders: ['x-forwarded-for'],
        realIpHeader: 'x-real-ip',
        clientMaxBodyBytes: 157_286_400,
        clientBodyBufferBytes: 1_048_576,
        ipRatePerSecond: 1200,
        ipRateBurst: 400,
        maxRequestHeadersKb: 128,
        requestTimeoutS: 0,
        failureMode: 'closed',
        escapedSlashes: 'redirect',
        mergeSlashes: true,
        bodyOverflow: 'auto',
        unsizedBody: 'stream',
        websocket: true,
      },
    ],
  ] as const)('%s %#', (namespace, given, expected) => {
    expect(read(namespace, given)).toMatchObject(expected)
  })

  test('a section that limits says 42 parameters of 2048 bytes; switched off and allsections say nothing', () => {
    const off = { enable_max_count: false, enable_max_length: false }
    const parsed = read('content-filter-profiles', {
      ...filter,
      args: {},
      path: { ...off, max_count: 7 },
      allsections: { max_count: 7, max_length: 7 },
    })
    expect(parsed).toMatchObject({
      sections: {
        args: { maxCount: 42, maxLength: 2048 },
        headers: { maxCount: 1, maxLength: 2048 },
        path: { maxCount: undefined, maxLength: undefined },
        plugins: { maxCount: undefined, maxLength: undefined },
        allsections: { maxCount: undefined, maxLength: undefined },
      },
    })
  })
})
