// Brings an entry to the names that the schema knows: aliases become the documented fields and values, fields of
// old exports that have no effect any more are left out, and where the specification takes digits in a string or
// one value for a list, that is done here. Nothing else is coerced. What it cannot fold it leaves to the schema.
import type { TSchema } from 'typebox'
import { duplicate } from '../findings.ts'
import type { Report } from '../problem.ts'
import { type Schema, fieldPath, isObject, jsonSchema, own } from './json.ts'

/** A copy of `value` with canonical names; `at` is the path that problems name. */
export const fold = (schema: TSchema, value: unknown, at: string, report: Report): unknown =>
  foldAny(jsonSchema(schema), value, at, report)

function foldAny(schema: Schema, value: unknown, at: string, report: Report): unknown {
  if (schema.properties !== undefined) return isObject(value) ? foldObject(schema, value, at, report) : value
  if (schema.items !== undefined) return foldList(schema, schema.items, value, at, report)
  if (typeof value !== 'string') return value
  if (schema.digits === true && /^[0-9]{1,15}$/.test(value)) return Number(value)
  return own(schema.aliases, value) ?? value
}

function foldObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  at: string,
  report: Report,
): Readonly<Record<string, unknown>> {
  const folded: [string, unknown][] = []
  const seen = new Map<string, string>()
  for (const [key, inner] of Object.entries(value)) {
    if (schema.ignored?.includes(key)) continue
    const name = own(schema.aliases, key) ?? key
    const other = seen.get(name)
    if (other !== undefined) report.problem(fieldPath(at, key), duplicate(name, `The field "${other}"`))
    seen.set(name, key)
    const known = own(schema.properties, name)
    folded.push([name, known === undefined ? inner : foldAny(known, inner, fieldPath(at, name), report)])
  }
  return Object.fromEntries(folded)
}

function foldList(schema: Schema, items: Schema, value: unknown, at: string, report: Report): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => foldAny(items, item, fieldPath(at, index), report))
  }
  return schema.single === true && value !== null && typeof value !== 'object' ? [value] : value
}
