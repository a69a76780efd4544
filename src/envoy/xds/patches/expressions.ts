// Expressions that a patch brings in: RE2 says here what Envoy would say only after the whole configuration was sent to it.
import { checkPattern } from '#platform'
import { type Json, isObject } from '../json.ts'
import type { Found } from './forbidden.ts'
import { type Path, pointerOf } from './pointer.ts'
import type { Difference } from './same-json.ts'

/** envoy.type.matcher.v3.RegexMatcher */
const field = 'regex'

function find(value: Json, path: Path): Found | undefined {
  if (typeof value === 'string') {
    const problem = path.at(-1) === field ? checkPattern(value) : undefined
    if (problem === undefined) return undefined
    return { pointer: pointerOf(path), reason: `invalid regex at ${String(problem.offset)}: ${problem.why}` }
  }
  const inner = Array.isArray(value) ? (value as readonly Json[]) : isObject(value) ? value : {}
  for (const [key, item] of Object.entries(inner)) {
    const found = find(item, [...path, key])
    if (found) return found
  }
  return undefined
}

/** The first expression that RE2 does not take. */
export const badExpression = ({ path, after }: Difference): Found | undefined =>
  after === undefined ? undefined : find(after, path)
