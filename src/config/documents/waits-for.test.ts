// What docs/configuration.md calls without effect has none, and what it does not call so is at least read by something.
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { buildPolicy } from '../load.ts'
import { silent } from '../problem.ts'
import { type Schema, jsonSchema } from '../schema/json.ts'
import { documents } from './index.ts'
import { systemEntries } from './system-db.ts'

type Entry = Readonly<Record<string, unknown>>
type Documents = Readonly<Record<string, readonly Entry[]>>

/** A field, the place that a row of the table names, and whether it or what it stands in is marked. */
type Field = {
  readonly name: string
  readonly place: string
  readonly schema: Schema
  readonly marked: boolean
}

function* fieldsOf(schema: Schema, at: string, marked: boolean): Generator<Field> {
  for (const branch of schema.anyOf ?? []) yield* fieldsOf(branch, at, marked)
  if (schema.items !== undefined) yield* fieldsOf(schema.items, `${at}[]`, marked)
  for (const free of Object.values(schema.patternProperties ?? {})) yield* fieldsOf(free, `${at}.*`, marked)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const place = `${at}.${name}`
    const isMarked = marked || property.waitsFor !== undefined
    yield { name, place, schema: property, marked: isMarked }
    yield* fieldsOf(property, place, isMarked)
  }
}

/** Documents and entries of the system database, with the fields of each. */
const wholes = [
  ...documents.map(({ namespace, waitsFor, schema }) => ({ place: namespace, waitsFor, schema })),
  ...systemEntries.map(({ id, waitsFor, schema }) => ({ place: `system-db ${id}`, waitsFor, schema })),
]
const fields = wholes.flatMap(({ place, waitsFor, schema }) => [
  ...fieldsOf(jsonSchema(schema), place, waitsFor !== undefined),
])

/** As the operator would write it where nothing is left out. */
function exampleOf(namespace: string): Entry {
  const [first] = documents.find((one) => one.namespace === namespace)?.examples ?? []
  if (typeof first !== 'object' || first === null) throw new Error(`${namespace} has no example`)
  return { ...first }
}

const mapEntry: Entry = { id: '__default_entry__', name: 'main', match: '/', backend_service: 'app' }
const backend: Entry = { id: 'app', http11: true, least_conn: false, back_hosts: [{ host: '10.0.0.1' }] }
const group: Entry = {
  id: 'site',
  server_names: ['www.example.com'],
  security_policy: 'p',
  proxy_template: 't',
}

const site: Documents = {
  'server-groups': [group],
  'security-policies': [{ id: 'p', session: [{ attrs: 'ip' }], map: [mapEntry] }],
  'backend-services': [backend],
  'proxy-templates': [{ id: 't', trusted_nets: null }],
}

const system = (id: string, value: unknown): Documents => ({ 'system-db': [{ id, value }] })
const exampleOfSystem = (id: string): Documents =>
  system(id, systemEntries.find((one) => one.id === id)?.example)

const apps = exampleOf('mobile-application-groups')
const lua = exampleOf('edge-functions')
const authority = exampleOf('certificates')
const filter: Entry = {
  id: 'feed',
  active: true,
  source: 'self-managed',
  mdate: '2026-01-02T03:04:05Z',
  tags: ['listed'],
  rule: ['ip', '198.51.100.0/24'],
}
const grouped = (more: Entry): Documents => ({
  'server-groups': [{ ...group, ...more }],
  'mobile-application-groups': [apps],
})
const mapped = (more: Entry): Documents => ({
  'security-policies': [{ id: 'p', session: [{ attrs: 'ip' }], map: [{ ...mapEntry, ...more }] }],
  'edge-functions': [lua],
})
const certified = (more: Entry): Documents => ({ certificates: [{ ...authority, ...more }] })
const filtered = (more: Entry): Documents => ({ 'global-filters': [{ ...filter, ...more }] })

/** What is marked → documents that use it, and documents that do not. */
const marks: Readonly<Record<string, readonly [used: Documents, unused: Documents]>> = {
  'edge-functions': [{ 'edge-functions': [lua] }, {}],
  'mobile-application-groups': [{ 'mobile-application-groups': [apps] }, {}],
  'system-db regions': [exampleOfSystem('regions'), {}],
  'system-db publishinfo': [exampleOfSystem('publishinfo'), {}],
  'system-db log-exporter': [exampleOfSystem('log-exporter'), {}],
  'system-db traffic': [system('traffic', { defer_arguments: true }), {}],
  'system-db tags': [exampleOfSystem('tags'), {}],
  'system-db cdn': [exampleOfSystem('cdn'), {}],
  'global-filters.source': [filtered({ source: 'https://lists.example/tor' }), filtered({})],
  'global-filters.system_managed': [filtered({ system_managed: true }), filtered({})],
  'global-filters.refresh': [filtered({ refresh: '24h' }), filtered({})],
  'security-policies.map[].edge_functions': [mapped({ edge_functions: [lua['id']] }), mapped({})],
  'server-groups.mobile_application_group': [grouped({ mobile_application_group: apps['id'] }), grouped({})],
  'server-groups.challenge_cookie_domain': [grouped({ challenge_cookie_domain: 'example.com' }), grouped({})],
  'certificates.le_auto_renew': [certified({ le_auto_renew: false }), certified({})],
  'certificates.le_auto_replace': [certified({ le_auto_replace: false }), certified({})],
  'certificates.le_hash': [certified({ le_hash: 'abc' }), certified({})],
  'system-db planet.ichallenge': [
    system('planet', { ichallenge: { palette: ['#000000', '#ffffff', '#000000', '#ffffff'] } }),
    system('planet', {}),
  ],
  'system-db planet.challenge': [
    system('planet', { challenge: { respect_gpc: false } }),
    system('planet', {}),
  ],
  'system-db feature-toggle.certificate-letsencrypt': [
    system('feature-toggle', { 'certificate-letsencrypt': false }),
    system('feature-toggle', {}),
  ],
  'system-db feature-toggle.certificate-download': [
    system('feature-toggle', { 'certificate-download': false }),
    system('feature-toggle', {}),
  ],
}

/** What runs, apart from the revision, which is of the texts. */
function running(more: Documents): object {
  const built = buildPolicy({ ...site, ...more }, { withKeys: false })
  if (!built.ok) throw new Error(JSON.stringify(built.problems))
  const { revision: _, ...policy } = built.policy
  return policy
}

describe('what is marked as without effect', () => {
  test('is tried here, all of it', () => {
    const marked = [
      ...wholes.filter(({ waitsFor }) => waitsFor !== undefined).map(({ place }) => place),
      ...fields.filter(({ schema }) => schema.waitsFor !== undefined).map(({ place }) => place),
    ]
    expect(Object.keys(marks).toSorted()).toEqual(marked.toSorted())
  })

  test.each(Object.entries(marks))('%s changes nothing of what runs', (_place, [used, unused]) => {
    expect(running(used)).toEqual(running(unused))
  })
})

const config = fileURLToPath(new URL('..', import.meta.url))

/** Sources of this room, without tests. */
const sources = readdirSync(config, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: readFileSync(`${config}/${file}`, 'utf8') }))

/** Somewhere a value of this name is taken out of an entry, by itself or with others. */
function isRead(name: string): boolean {
  const use = new RegExp(`\\.${name}\\b|['"]${name}['"]|\\b${name}\\b *[,}=]|\\b${name}: [a-z]\\w*[,} \\n]`)
  return sources.some(({ text }) => use.test(text))
}

/** Fields that are there to be read by people, and say so. */
const isForPeople = ({ description = '' }: Schema): boolean =>
  /for people|(?:no|without) effect/i.test(description)

describe('what is not marked', () => {
  test('is read by something, or says that it is for people', () => {
    const idle = fields.filter(({ name, schema, marked }) => !marked && !isForPeople(schema) && !isRead(name))
    expect(idle.map(({ place }) => place)).toEqual([])
  })

  test('of the system database goes into what the rest of Weir reads', () => {
    const elsewhere = sources.filter(({ file }) => !file.startsWith('documents/')).map(({ text }) => text)
    const idle = systemEntries.filter(({ waitsFor, example, read }) => {
      const names = Object.keys(read(example, silent) ?? {})
      return waitsFor === undefined && !names.some((name) => elsewhere.some((text) => text.includes(name)))
    })
    expect(idle.map(({ id }) => id)).toEqual([])
  })
})
