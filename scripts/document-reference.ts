// Writes docs/configuration.md: every document with every field, made from the schemas that read them, so that the page
// cannot say what the program does not do. `node scripts/document-reference.ts`; a test fails while the page is not current.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DocumentKind, type Schema, documents, expected, jsonSchema } from '#config'

const page = new URL('../docs/configuration.md', import.meta.url)

const introduction = `# Configuration

<!-- Made by scripts/document-reference.ts from src/config/documents. Change those, then run it again. -->

A configuration is a folder with one file per document, \`<document>.json\` (or \`.yaml\`, \`.yml\`), each a list of entries. Every entry has an
\`id\` that is unique in its document; others refer to it by that. The shipped folder is [config/](../config/); copy it and change the copy.
\`weir validate --config DIR\` says of every mistake where it stands and what to do; \`weir coverage --config DIR\` shows what comes of it.

- Unknown fields are refused. \`routing_profile\`, \`custom_listener\`, \`last_activated\` and \`mdate\` are accepted and have no effect, unless
  they stand in a table here.
- Bold fields are required. A type that is a link is the id of an entry of that document.
- Some entries exist in every folder that leaves them out: the shipped actions, \`__acldefault__\`, \`__defaultcontentfilter__\`, the proxy
  template and mobile application group \`__default__\`, and the certificate \`placeholder\`, which the control plane makes.
- Ports, Redis, files and secrets of a machine are no documents: they are process settings (\`weir.yaml\`, \`WEIR_…\` variables, options).

**No effect yet** marks what is read and checked, so that configurations can have it, and does nothing in this version: do not rely on it.
\`validate\` warns where an edge function, a mobile application group, settings of challenges or a CDN is in use. Lua is not compiled when it is
saved. Actions of type \`challenge\` and \`interactive_challenge\` do have an effect: no client can pass one yet.`

/** A cell of a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')

const code = (text: string): string => `\`${text}\``

const withoutArticle = (phrase: string): string => phrase.replace(/^an? /, '')

function range({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return ` ${String(minimum)}–${String(maximum)}`
  return minimum === undefined ? '' : ` ≥ ${String(minimum)}`
}

/** What follows the words of something that nothing uses; empty: something does. */
const noEffect = (waitsFor: string | undefined): string =>
  waitsFor === undefined ? '' : `**No effect yet**: waits for ${waitsFor}.`

/** What may stand in a field, in a few words. */
function typeOf(schema: Schema): string {
  if (schema.refersTo !== undefined) return `[${schema.refersTo}](#${schema.refersTo})`
  if (schema.enum !== undefined) return schema.enum.map((one) => code(String(one))).join(', ')
  if (typeof schema.const === 'string') return code(schema.const)
  if (schema.const !== undefined) return code(JSON.stringify(schema.const))
  if (schema.anyOf !== undefined) {
    if (schema.anyOf.every((branch) => branch.const !== undefined)) return schema.anyOf.map(typeOf).join(', ')
    const branches = [...new Set(schema.anyOf.filter(({ type }) => type !== 'null').map(typeOf))]
    const orNull = schema.anyOf.some(({ type }) => type === 'null') ? ' or null' : ''
    return `${branches.join(' or ')}${orNull}`
  }
  if (schema.items !== undefined) return `list of ${plural(typeOf(schema.items))}`
  if (schema.properties !== undefined) return 'object'
  if (schema.patternProperties !== undefined) return 'map'
  if (schema.type === 'integer' || schema.type === 'number') return `${schema.type}${range(schema)}`
  return schema.type === undefined ? 'any' : withoutArticle(expected({ type: schema.type }))
}

const plural = (type: string): string => type.replace(/^(string|object|integer|number)\b/, '$1s')

/** Other names of a field, and other spellings of its values, that its own description does not have. */
function alsoWritten(name: string, parent: Schema, property: Schema, described: string): string {
  const fields = Object.entries(parent.aliases ?? {}).filter(([, field]) => field === name)
  const values = property.enum === undefined ? [] : Object.entries(property.aliases ?? {})
  const others = [
    ...fields.map(([alias]) => code(alias)),
    ...values.map(([alias, value]) => `${code(alias)} for ${value}`),
  ].filter((text) => !described.includes(text.split(' ', 1)[0] ?? ''))
  return others.length === 0 ? '' : ` Also: ${others.join(', ')}.`
}

/** Parts of a document that have been shown, under the path where they were. */
type Shown = Map<string, string>

/** Worth a reference instead of a repetition. */
const isLarge = ({ properties = {} }: Schema): boolean => Object.keys(properties).length >= 4

/** Rows of the fields inside a value, deeper ones after the one that they stand in. */
function* rowsUnder(schema: Schema, at: string, shown: Shown): Generator<string> {
  for (const branch of schema.anyOf ?? []) yield* rowsUnder(branch, at, shown)
  if (schema.items !== undefined) yield* rowsUnder(schema.items, `${at}[]`, shown)
  for (const free of Object.values(schema.patternProperties ?? {})) yield* rowsUnder(free, `${at}.*`, shown)
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const path = at === '' ? name : `${at}.${name}`
    const inside = JSON.stringify([property.type, property.properties, property.items?.properties])
    const before = isLarge(property) || isLarge(property.items ?? {}) ? shown.get(inside) : undefined
    const described = property.description ?? ''
    const as = before === undefined ? '' : ` Fields as in ${code(before)}.`
    const text = `${described}${alsoWritten(name, schema, property, described)}${as} ${noEffect(property.waitsFor)}`
    const required = schema.required?.includes(name) === true
    yield `| ${required ? `**${code(path)}**` : code(path)} | ${cell(typeOf(property))} | ${cell(text.trim())} |`
    if (before !== undefined) continue
    shown.set(inside, path)
    yield* rowsUnder(property, path, shown)
  }
}

const table = (schema: Schema, at: string): readonly string[] => [
  '| field | type | meaning |',
  '|---|---|---|',
  ...rowsUnder(schema, at, new Map()),
]

/** Fields that every document has, said once. */
const common = ['id', 'name', 'description', 'tags']

const [firstKind] = documents
const usualId = jsonSchema(firstKind.schema).properties?.['id']?.pattern

function ownFields(schema: Schema): Schema {
  const { properties = {}, ...rest } = schema
  const own = Object.entries(properties).filter(
    // An id of a form of its own is shown.
    ([name, property]) => !common.includes(name) || (name === 'id' && property.pattern !== usualId),
  )
  return { ...rest, properties: Object.fromEntries(own) }
}

function fixedEntries({ fixedEntries: entries = [] }: DocumentKind<unknown>): readonly string[] {
  return entries.flatMap(({ id, description, waitsFor, schema }) => {
    const value = jsonSchema(schema)
    return ['', `### ${id}`, '', `${description} ${noEffect(waitsFor)}`.trim(), '', ...table(value, 'value')]
  })
}

const longest = 100

/** JSON as people write it: lists of texts and numbers on one line, long texts cut. */
function written(value: unknown, indent: string): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > longest ? `${value.slice(0, 40)}…` : value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const deeper = `${indent}  `
  const parts = Array.isArray(value)
    ? value.map((one: unknown) => written(one, deeper))
    : Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${written(one, deeper)}`)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const line = parts.join(', ')
  if (line.length + indent.length < longest && !line.includes('\n') && indent !== '')
    return Array.isArray(value) || line === '' ? `${open}${line}${close}` : `${open} ${line} ${close}`
  return `${open}\n${parts.map((part) => `${deeper}${part}`).join(',\n')}\n${indent}${close}`
}

const example = ({ examples: [first] }: DocumentKind<unknown>): readonly string[] => [
  '',
  '```json',
  written(first, ''),
  '```',
]

function section(kind: DocumentKind<unknown>): readonly string[] {
  return [
    '',
    `## ${kind.namespace}`,
    '',
    `${kind.description} ${noEffect(kind.waitsFor)}`.trim(),
    '',
    ...table(ownFields(jsonSchema(kind.schema)), ''),
    ...example(kind),
    ...fixedEntries(kind),
  ]
}

function commonSection(): readonly string[] {
  const { properties = {}, required = [] } = jsonSchema(firstKind.schema)
  const shared = Object.entries(properties).filter(([name]) => common.includes(name))
  const schema: Schema = {
    properties: Object.fromEntries(shared),
    required: required.filter((one) => one === 'id'),
  }
  return ['', '## Every entry', '', ...table(schema, '')]
}

/** The whole page. */
export function documentReference(): string {
  const sorted: readonly DocumentKind<unknown>[] = [...documents].toSorted((a, b) =>
    a.namespace < b.namespace ? -1 : 1,
  )
  const contents = sorted.map(({ namespace }) => `[${namespace}](#${namespace})`).join(' · ')
  const lines = [introduction, '', contents, ...commonSection(), ...sorted.flatMap(section)]
  return `${lines.join('\n')}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, documentReference())
