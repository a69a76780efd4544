// `--expect`: does a decision contain what the author of the request expected? Objects are compared as subsets. Tags are
// a set, and a tag with `-` before it must be absent; other lists are compared item by item from the start. A field that
// no decision can have is no difference but a mistake in the expectation.
import { closest } from '#config'
import type { Fields } from './inspect-output.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function differencesOfTags(
  actual: readonly unknown[],
  expected: readonly unknown[],
  path: string,
): readonly string[] {
  const tags = new Set(actual)
  return expected.flatMap((tag) => {
    if (typeof tag !== 'string') return [`${path}: expected a tag, got ${JSON.stringify(tag)}`]
    if (tag.startsWith('-'))
      return tags.has(tag.slice(1)) ? [`${path}: must not contain "${tag.slice(1)}"`] : []
    return tags.has(tag) ? [] : [`${path}: must contain "${tag}"`]
  })
}

/** Every difference as `path: what`; empty when the actual value contains the expected one. */
export function differences(actual: unknown, expected: unknown, path = ''): readonly string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${path}: expected a list, is ${JSON.stringify(actual)}`]
    if (path === 'tags' || path.endsWith('.tags')) return differencesOfTags(actual, expected, path)
    const short = actual.length < expected.length || (expected.length === 0 && actual.length > 0)
    if (short) return [`${path}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`]
    return expected.flatMap((item, i) => differences(actual[i], item, `${path}[${String(i)}]`))
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return [`${path}: expected an object, is ${JSON.stringify(actual)}`]
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(actual[key], value, path === '' ? key : `${path}.${key}`),
    )
  }
  return Object.is(actual, expected)
    ? []
    : [`${path}: expected ${JSON.stringify(expected)}, is ${JSON.stringify(actual)}`]
}

/** `expect.statu: unknown field; did you mean status?` */
export function unknownField(field: string, name: string, known: readonly string[]): string {
  const near = closest(name, known)
  return `${field}: unknown field; ${near === undefined ? `known are ${known.join(', ')}` : `did you mean ${near}?`}`
}

/** The first field of an expectation that no decision has, and what it may be instead; undefined: all are known. */
export function unknownExpectation(expected: unknown, fields: Fields, path: string): string | undefined {
  if (fields === 'any') return undefined
  if (Array.isArray(expected)) {
    for (const [i, item] of expected.entries()) {
      const problem = unknownExpectation(item, fields, `${path}[${String(i)}]`)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  // What is no object differs from one: the comparison says so.
  if (!isObject(expected)) return undefined
  for (const [name, value] of Object.entries(expected)) {
    const field = `${path}.${name}`
    const inside = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (inside === undefined) return unknownField(field, name, Object.keys(fields))
    const problem = unknownExpectation(value, inside, field)
    if (problem !== undefined) return problem
  }
  return undefined
}
