// `--expect`: does a decision contain what the author of the request expected? Objects are compared as subsets. Tags are
// a set, and a tag with `-` before it must be absent; other lists are compared item by item from the start.
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
