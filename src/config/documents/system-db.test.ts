// The system database: every entry that Weir reads, what it comes to, and what each can be wrong about (spec control-plane
// 1.7, 1.8; traffic 6.3).
import { describe, expect, test } from '@jest/globals'
import type { Finding, Report } from '../problem.ts'
import { systemDb, systemEntries } from './system-db.ts'

function read(id: string, value: unknown) {
  const found = { problems: [] as string[], warnings: [] as string[] }
  const line = (field: string, { reason }: Finding): string => `${field}: ${reason}`
  const report: Report = {
    problem: (field, finding) => found.problems.push(line(field, finding)),
    warning: (field, finding) => found.warnings.push(line(field, finding)),
  }
  return { ...found, values: systemDb.read({ id, value }, report)?.values }
}

test('every entry reads its own example and its shape is required', () => {
  expect(systemEntries.length).toBe(8)
  for (const { id, example } of systemEntries) {
    expect([id, read(id, example).problems]).toEqual([id, []])
    expect(read(id, 7).problems).toHaveLength(1)
    expect(read(id, 7).problems[0]).toMatch(/^value: must be /)
  }
})

describe('what an entry comes to', () => {
  test.each([
    ['planet', {}, { planetTrusts: [] }],
    ['planet', { trusted_nets: null }, { planetTrusts: [] }],
    [
      'planet',
      {
        id: '__default__',
        trusted_nets: [
          { address: '10.0.0.0/8', comment: 'source is ip when left out' },
          { source: 'global_filter', gf_id: 'cdn' },
        ],
      },
      {
        planetTrusts: [
          { kind: 'cidr', cidr: '10.0.0.0/8' },
          { kind: 'filter', filterId: 'cdn', field: 'trusted_nets[1].gf_id' },
        ],
      },
    ],
    ['feature-toggle', { 'certificate-download': false }, { toggles: { 'certificate-download': false } }],
    ['traffic', { defer_arguments: true }, { deferArguments: true }],
    ['regions', { city_codes: { ffm: 'Frankfurt' } }, { cities: new Map([['ffm', 'Frankfurt']]) }],
    [
      'publishinfo',
      {
        buckets: [{ name: 'prod', url: 'xds://prod' }],
        branch_buckets: [{ name: 'main', buckets: ['prod'] }],
      },
      {
        publishTargets: {
          buckets: [{ name: 'prod', url: 'xds://prod' }],
          branches: new Map([['main', ['prod']]]),
        },
      },
    ],
    ['something-else', { any: 'thing' }, {}],
  ])('%s %#', (...[id, value, values]) => {
    expect(read(id, value)).toMatchObject({ problems: [], values })
  })

  test('limits of exports: what is left out has the documented value', () => {
    const { values } = read('log-exporter', { max_characters: { request: 100 } })
    expect(values?.exportLimits).toEqual({
      maxParameters: 100,
      maxCharacters: {
        request: 100,
        block_reason: 512,
        user_agent: 512,
        referer: 1024,
        captured_vector: 256,
        tags: 4096,
        messages: 2048,
        encoded_fields: 1024,
        default: 1024,
      },
    })
  })
})

describe('what is wrong', () => {
  test.each([
    [
      'planet',
      { trusted_nets: [{ address: '10.0.0.0/40' }] },
      'value.trusted_nets[0].address: invalid address or CIDR "10.0.0.0/40"',
    ],
    ['planet', { trusted_nets: [{ source: 'global_filter' }] }, 'value.trusted_nets[0].gf_id: required'],
    ['planet', { challenge: { pow: { bits: 0 } } }, 'value.challenge.pow.bits: must be ≥ 1'],
    [
      'planet',
      { ichallenge: { palette: ['red', '#ffffff', '#000000', '#ffffff'] } },
      'value.ichallenge.palette[0]: must be a colour such as #0b1f33',
    ],
    [
      'feature-toggle',
      { 'certificate-letsencript': true },
      'value.certificate-letsencript: unknown field "certificate-letsencript"',
    ],
    ['feature-toggle', { 'certificate-download': 'no' }, 'value.certificate-download: must be a boolean'],
    ['log-exporter', { max_characters: { request: 0 } }, 'value.max_characters.request: must be ≥ 1'],
    ['log-exporter', { max_characters: { path: 9 } }, 'value.max_characters.path: unknown field "path"'],
    [
      'publishinfo',
      { branch_buckets: [{ name: 'main', buckets: ['prod'] }] },
      'value.branch_buckets[0].buckets[0]: unknown bucket "prod"',
    ],
    [
      'publishinfo',
      { buckets: [{ name: 'a', url: 'https://example.com' }] },
      'value.buckets[0].url: must be a URL of xds://, file://, git+https:// or git+ssh://',
    ],
    [
      'publishinfo',
      {
        buckets: [
          { name: 'a', url: 'xds://a' },
          { name: 'a', url: 'xds://b' },
        ],
      },
      'value.buckets[1].name: duplicate name',
    ],
    [
      'regions',
      { city_codes: { 'far away': 'x' } },
      'value.city_codes["far away"]: must be a code of 1 to 32 letters, digits, "_" or "-"',
    ],
    ['cdn', [{ id: 'a', kind: 'http' }], 'value[0].url: required'],
    [
      'cdn',
      [{ id: 'a', kind: 'cloudflare', zone: 'z', secret: 'a b' }],
      'value[0].secret: must be the name of a process setting',
    ],
  ])('%s %j', (...[id, value, problem]) => {
    expect(read(id, value).problems).toEqual([problem])
  })
})

describe('what is allowed and yet told', () => {
  test.each([
    ['planets', {}, 'id: nothing reads the entry "planets"'],
    ['planet', { challenge: { respect_gpc: true } }, 'value.challenge: challenge is not used yet'],
    [
      'publishinfo',
      { buckets: [{ name: 'a', url: 'file:///srv/weir' }] },
      'value.buckets[0].url: publishing to file:// does not work yet',
    ],
    ['cdn', [{ id: 'a', kind: 'http', url: 'http://c{path}' }], 'value: cdn is not used yet'],
    [
      'tags',
      { legitimate: ['Tor'], malicious: ['tor'] },
      'value.malicious[0]: "tor" is in legitimate as well',
    ],
  ])('%s %j', (...[id, value, warning]) => {
    expect(read(id, value)).toMatchObject({ problems: [], warnings: [warning] })
  })
})
