// Says in the words of spec pipeline 7 why a value does not fit a schema. Whether it fits is the library's decision
// (typebox, compiled); its own messages stop after a few, name branches of unions and speak to programmers.
import type { TSchema } from 'typebox'
import { Check } from 'typebox/value'
import { checkPattern } from '#platform'
import {
  atLeast,
  atMost,
  badPattern,
  notOneOf,
  required,
  show,
  unknownField,
  wrongType,
} from '../findings.ts'
import type { Report } from '../problem.ts'
import { type Schema, fieldPath, isObject, jsonSchema, own } from './json.ts'

/** Writes at least one problem for a value that the schema refuses. */
export function explain(schema: TSchema, value: unknown, at: string, report: Report): void {
  let found = 0
  const counting: Report = {
    problem(field, finding) {
      found++
      report.problem(field, finding)
    },
    warning: (field, finding) => report.warning(field, finding),
  }
  explainAny(jsonSchema(schema), value, at, counting)
  if (found === 0) report.problem(at, wrongType(expected(jsonSchema(schema)), value))
}

function explainAny(schema: Schema, value: unknown, at: string, report: Report): void {
  if (schema.anyOf !== undefined) return explainUnion(schema, schema.anyOf, value, at, report)
  if (schema.enum !== undefined) {
    if (!schema.enum.includes(value)) report.problem(at, notOneOf(schema.enum.map(String), value))
    return
  }
  if (schema.const !== undefined) {
    if (value !== schema.const) report.problem(at, wrongType(expected(schema), value))
    return
  }
  switch (schema.type) {
    case 'object':
      if (isObject(value)) return explainObject(schema, value, at, report)
      break
    case 'array':
      if (Array.isArray(value)) return explainList(schema, value, at, report)
      break
    case 'string':
      if (typeof value === 'string' && fitsText(schema, value))
        return explainSyntax(schema, value, at, report)
      break
    case 'integer':
    case 'number':
      if (typeof value === 'number' && (schema.type === 'number' || Number.isInteger(value))) {
        return explainNumber(schema, value, at, report)
      }
      break
    case 'boolean':
      if (typeof value === 'boolean') return
      break
    case 'null':
      if (value === null) return
      break
    case undefined:
      return
    default:
      break
  }
  report.problem(at, wrongType(expected(schema), value))
}

/**
 * A branch that accepts the value has at most a syntax to judge. Otherwise the branch of the value's own type explains
 * itself; without one, all branches are named.
 */
function explainUnion(
  schema: Schema,
  branches: readonly Schema[],
  value: unknown,
  at: string,
  report: Report,
): void {
  const accepting = branches.find((one) => Check(one, value))
  if (accepting !== undefined) return explainAny(accepting, value, at, report)
  const type = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  const branch = branches.find((one) => one.type === type || (one.type === 'integer' && type === 'number'))
  if (branch !== undefined && schema.expected === undefined) return explainAny(branch, value, at, report)
  if (branch !== undefined && (type === 'object' || type === 'array'))
    return explainAny(branch, value, at, report)
  report.problem(at, wrongType(expected(schema), value))
}

function explainObject(
  schema: Schema,
  value: Readonly<Record<string, unknown>>,
  at: string,
  report: Report,
): void {
  for (const name of schema.required ?? []) {
    if (Object.hasOwn(value, name)) continue
    const property = own(schema.properties, name)
    report.problem(fieldPath(at, name), required(name, property === undefined ? '' : expected(property)))
  }
  const [free] = Object.values(schema.patternProperties ?? {})
  let allKnown = true
  for (const [key, inner] of Object.entries(value)) {
    const property = own(schema.properties, key) ?? free
    if (property !== undefined) explainAny(property, inner, fieldPath(at, key), report)
    else if (schema.additionalProperties === false) {
      allKnown = false
      report.problem(fieldPath(at, key), unknownField(key.slice(0, 80), Object.keys(schema.properties ?? {})))
    }
  }
  // A field too many that is not known either is one mistake.
  if (!allKnown) return
  const size = Object.keys(value).length
  if (size < (schema.minProperties ?? 0) || size > (schema.maxProperties ?? Infinity)) {
    report.problem(at, wrongType(expected(schema), value))
  }
}

function explainList(schema: Schema, value: readonly unknown[], at: string, report: Report): void {
  const { items, minItems = 0, maxItems = Infinity } = schema
  if (value.length < minItems || value.length > maxItems)
    report.problem(at, wrongType(expected(schema), value))
  if (items !== undefined)
    value.forEach((item, index) => explainAny(items, item, fieldPath(at, index), report))
}

function explainNumber(schema: Schema, value: number, at: string, report: Report): void {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity } = schema
  if (value <= exclusiveMinimum) report.problem(at, wrongType(expected(schema), value))
  else if (value < minimum) report.problem(at, atLeast(minimum, value))
  else if (value > maximum) report.problem(at, atMost(maximum, value))
}

/** Said together with what else is wrong, so that nobody corrects an entry in two rounds. */
function explainSyntax({ syntax }: Schema, value: string, at: string, report: Report): void {
  const problem = syntax === undefined ? undefined : checkPattern(value)
  if (problem !== undefined) report.problem(at, badPattern(problem))
}

function fitsText(schema: Schema, value: string): boolean {
  // JSON Schema counts code points, not UTF-16 units.
  const length = [...value].length
  return (
    length >= (schema.minLength ?? 0) &&
    length <= (schema.maxLength ?? Infinity) &&
    (schema.pattern === undefined || new RegExp(schema.pattern).test(value))
  )
}

/** What a value must be, as a noun phrase. */
export function expected(schema: Schema): string {
  if (schema.expected !== undefined) return schema.expected
  if (schema.anyOf !== undefined) return schema.anyOf.map(expected).join(' or ')
  if (schema.enum !== undefined) return `one of ${schema.enum.map(String).join(', ')}`
  if (schema.const !== undefined) return show(schema.const)
  switch (schema.type) {
    case 'array':
      return listPhrase(schema)
    case 'string':
      return schema.minLength === 1 ? 'a non-empty string' : 'a string'
    case 'integer':
      return 'an integer'
    case 'number':
      return schema.exclusiveMinimum === undefined ? 'a number' : `a number > ${schema.exclusiveMinimum}`
    case 'object':
      return 'an object'
    case 'null':
      return 'null'
    default:
      return `a ${schema.type ?? 'value'}`
  }
}

function listPhrase({ minItems = 0, maxItems }: Schema): string {
  if (maxItems !== undefined) return `a list of ${minItems} to ${maxItems} elements`
  if (minItems === 1) return 'a list of at least one element'
  return minItems > 1 ? `a list of at least ${minItems} elements` : 'a list'
}
