// Equality of JSON values, and where two of them differ.
import { type Json, isObject } from '../json.ts'
import type { Path } from './pointer.ts'

export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return (a as readonly Json[]).every((item, i) => sameJson(item, (b as readonly Json[])[i]))
  }
  if (!isObject(a) || !isObject(b)) return false
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]))
  )
}

/** A value that changed; undefined where it was not, or is no longer. */
export type Difference = {
  readonly path: Path
  readonly before: Json | undefined
  readonly after: Json | undefined
}

/** The innermost fields that differ. Lists are compared whole: their elements have no names. */
export function differences(
  before: Json | undefined,
  after: Json | undefined,
  path: Path = [],
): readonly Difference[] {
  if (sameJson(before, after)) return []
  if (before === undefined || after === undefined || !isObject(before) || !isObject(after))
    return [{ path, before, after }]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) =>
    differences(
      Object.hasOwn(before, key) ? before[key] : undefined,
      Object.hasOwn(after, key) ? after[key] : undefined,
      [...path, key],
    ),
  )
}
