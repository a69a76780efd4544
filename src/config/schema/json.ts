// The part of JSON Schema that document schemas use, as plain data: TypeBox builds it, `fold` and `explain` walk it.
// `aliases`, `ignored`, `digits`, `single`, `refersTo`, `expected`, `syntax` and
// `waitsFor` are Weir's own annotations; validators pass over them.
import type { TSchema } from 'typebox'

export type Schema = {
  readonly type?: string
  readonly description?: string
  /** The value is checked, and nothing does anything with it yet: what it waits for, as a phrase. */
  readonly waitsFor?: string
  /** What the value must be, in words: `a list of tags`. Goes into "must be …". */
  readonly expected?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly minProperties?: number
  readonly maxProperties?: number
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: string
  /** String: an expression. The document judges it; where its entry has not even the right shape, `explain` does. */
  readonly syntax?: 're2'
  readonly minimum?: number
  readonly maximum?: number
  readonly exclusiveMinimum?: number
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  /** String: the id of an entry of that document. */
  readonly refersTo?: string
  /** Object: other names of fields. Enum: other spellings of values. Both as written → as used. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Object: fields of old exports, accepted without effect. */
  readonly ignored?: readonly string[]
  /** Number: digits in a string are accepted. */
  readonly digits?: boolean
  /** Array: a value that is no list stands for a list of one. */
  readonly single?: boolean
}

/** TypeBox schemas are these plain objects; its types only hide it. */
export const jsonSchema = (schema: TSchema): Schema => schema

/** Value of an own key: a document may name `constructor` or `toString`. */
export function own<Value>(
  record: Readonly<Record<string, Value>> | undefined,
  key: string,
): Value | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** Path of a field in an entry: `map[2].match`; names that are no identifiers stand in brackets. */
export function fieldPath(parent: string, key: string | number): string {
  if (typeof key === 'number') return `${parent}[${key}]`
  if (!/^[A-Za-z_$][\w$-]*$/.test(key)) return `${parent}[${JSON.stringify(key.slice(0, 80))}]`
  return parent === '' ? key : `${parent}.${key}`
}
