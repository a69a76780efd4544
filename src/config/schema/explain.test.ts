// One mistake is one problem: nothing else in its entry may be called wrong, whatever the schema of the other fields. The
// rows change the shipped configuration, whose entries have every kind of field with the values that people have.
import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { buildPolicy } from '../load.ts'
import { isList, isObject } from './json.ts'

type Entry = Readonly<Record<string, unknown>>

const folder = new URL('../../../config/', import.meta.url)
const namespaces = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => name.slice(0, -'.json'.length))

function read(namespace: string): readonly Entry[] {
  const entries: unknown = JSON.parse(readFileSync(new URL(`${namespace}.json`, folder), 'utf8'))
  if (!isList(entries) || !entries.every(isObject)) throw new Error(`${namespace} is no list of entries`)
  return entries
}
const shipped = Object.fromEntries(namespaces.map((namespace) => [namespace, read(namespace)]))

/** Every problem of the shipped configuration where the first entry of one document has these fields. */
function problemsWith(namespace: string, fields: Entry): readonly string[] {
  const [first, ...others] = shipped[namespace] ?? []
  const documents = { ...shipped, [namespace]: [{ ...first, ...fields }, ...others] }
  const built = buildPolicy(documents, { allowLoopbackBackends: true })
  return built.ok
    ? []
    : built.problems.map(({ document, entry, field, reason }) => `${document} ${entry} ${field}: ${reason}`)
}

const idOf = (namespace: string): string => String(shipped[namespace]?.[0]?.['id'])

describe('an unknown field in the first entry is the only problem', () => {
  const documents = namespaces.filter((namespace) => (shipped[namespace] ?? []).length > 0)

  test.each(documents)('%s', (namespace) => {
    expect(problemsWith(namespace, { custom: 1 })).toEqual([
      `${namespace} ${idOf(namespace)} custom: unknown field "custom"`,
    ])
  })

  test('the shipped configuration has no problem of its own, and most of its documents have entries', () => {
    expect(problemsWith('actions', {})).toEqual([])
    expect(documents.length).toBeGreaterThanOrEqual(12)
  })
})

describe('one wrong field is one problem', () => {
  const trusted = { trusted_nets: [{ source: 'ip', address: '10.0.0.0/8', coment: '' }] }
  test.each<readonly [namespace: string, fields: Entry, problem: string]>([
    [
      'proxy-templates',
      { escaped_slashes: 'kep' },
      'escaped_slashes: must be one of redirect, forward, keep, reject',
    ],
    ['proxy-templates', { mask_headers: 5 }, 'mask_headers: must be a string'],
    ['proxy-templates', { send_timeout: true }, 'send_timeout: must be a decimal string'],
    ['proxy-templates', { trusted_nets: 'all' }, 'trusted_nets: must be null or a list of trusted sources'],
    ['proxy-templates', trusted, 'trusted_nets[0].coment: unknown field "coment"'],
    ['acl-profiles', { deny: 'all' }, 'deny: must be a list of tags'],
    ['acl-profiles', { action: 7 }, 'action: must be the id of an entry or null'],
    ['server-groups', { http_redirect: 300 }, 'http_redirect: must be one of off, 301, 302, 307, 308'],
    [
      'server-groups',
      { http_redirect: 301, server_names: 7 },
      'server_names: must be a list of 1 to 100 elements',
    ],
    ['security-policies', { session: [{ attrs: 'ip', x: 1 }] }, 'session[0].x: unknown field "x"'],
    ['rate-limit-rules', { pairwith: { self: 'each' } }, 'pairwith.self: must be "self"'],
    ['rate-limit-rules', { include: { relation: 'NOR' } }, 'include.relation: must be one of OR, AND'],
    ['rate-limit-rules', { include: ['a'], exclude: [1] }, 'exclude[0]: must be a string'],
    [
      'rate-limit-rules',
      { include: 'a' },
      'include: must be an object with relation and tags, or a list of tags',
    ],
    ['content-filter-profiles', { description: 1 }, 'description: must be a string or null'],
  ])('%s %j', (namespace, fields, problem) => {
    expect(problemsWith(namespace, fields)).toEqual([`${namespace} ${idOf(namespace)} ${problem}`])
  })
})
