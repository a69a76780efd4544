// Merge patches (RFC 7396): objects are merged, null removes, everything else replaces. Nothing is changed in place.
import { type Json, isObject } from '../json.ts'

export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged = new Map<string, Json>(target !== undefined && isObject(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, mergePatch(merged.get(key), value))
  }
  // Of entries, because an assigned `__proto__` would be no key.
  return Object.fromEntries(merged)
}
