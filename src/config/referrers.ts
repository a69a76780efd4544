// Who refers to an entry: read from the documents as they are written, by the schemas, which say of every field what it
// refers to. Deleting asks here, and so does whoever shows where something is used (spec control-plane 1.0, E34).
import { documents } from './documents/index.ts'
import { silent } from './problem.ts'
import { fold } from './schema/fold.ts'
import { type Schema, fieldPath, isObject, jsonSchema, own } from './schema/json.ts'

export type Referrer = {
  readonly namespace: string
  readonly id: string
  readonly name: string
  /** Path of the field that names the entry, `map[2].acl_profile`. */
  readonly field: string
}

type Wanted = { readonly namespace: string; readonly id: string }

/** Paths of the fields under `value` that name the wanted entry. */
function* fieldsThatName(wanted: Wanted, schema: Schema, value: unknown, at: string): Generator<string> {
  if (schema.refersTo === wanted.namespace && value === wanted.id) yield at
  for (const branch of schema.anyOf ?? []) yield* fieldsThatName(wanted, branch, value, at)
  if (Array.isArray(value) && schema.items !== undefined)
    for (const [i, item] of value.entries())
      yield* fieldsThatName(wanted, schema.items, item, fieldPath(at, i))
  if (!isObject(value) || schema.properties === undefined) return
  for (const [name, inner] of Object.entries(value)) {
    const property = own(schema.properties, name)
    if (property !== undefined) yield* fieldsThatName(wanted, property, inner, fieldPath(at, name))
  }
}

/**
 * Every place that refers to the entry `id` of a document, in the order of the documents. A reference that is left out and
 * so means a default is none: nothing breaks when its entry goes, because reserved entries stay.
 *
 * @param all lists of entries by namespace, right or wrong
 */
export function referrersOf(
  all: Readonly<Record<string, readonly unknown[]>>,
  namespace: string,
  id: string,
): readonly Referrer[] {
  const wanted: Wanted = { namespace, id }
  return documents.flatMap((kind) =>
    (own(all, kind.namespace) ?? []).flatMap((raw): readonly Referrer[] => {
      const entry = fold(kind.schema, raw, '', silent)
      if (!isObject(entry)) return []
      const fields = new Set(fieldsThatName(wanted, jsonSchema(kind.schema), entry, ''))
      const fixed = kind.fixedEntries?.find((one) => one.id === entry['id'])
      if (fixed !== undefined)
        for (const field of fieldsThatName(wanted, jsonSchema(fixed.schema), entry['value'], 'value'))
          fields.add(field)
      const own = { namespace: kind.namespace, id: String(entry['id']) }
      const name = typeof entry['name'] === 'string' ? entry['name'] : own.id
      return [...fields].map((field) => ({ ...own, name, field }))
    }),
  )
}

/** `entry [cf] is used by proxy-templates [t1] (trusted_nets[0]), …` (E34): a trusted source is named as a whole. */
export function inUse(id: string, referrers: readonly Referrer[]): string {
  const places = referrers.map((one) => `${one.namespace} [${one.id}] (${one.field.replace(/\.gf_id$/, '')})`)
  return `entry [${id}] is used by ${places.join(', ')}`
}
