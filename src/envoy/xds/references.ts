// Which resources a resource names. Found by the field in which a name stands, so that a generator cannot
// forget to declare one.
import { type Json, type JsonObject, isObject, textOf } from './json.ts'

export type Reference = {
  readonly kind: 'cluster' | 'endpoint' | 'extension' | 'route' | 'secret'
  readonly name: string
}

const fields: Readonly<Record<string, Reference['kind']>> = {
  cluster: 'cluster',
  route_config_name: 'route',
}

function collect(value: Json, found: Reference[]): void {
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) collect(item, found)
    return
  }
  if (!isObject(value)) return
  if ('sds_config' in value) found.push({ kind: 'secret', name: textOf(value, 'name') })
  if ('config_discovery' in value) found.push({ kind: 'extension', name: textOf(value, 'name') })
  for (const [field, inner] of Object.entries(value)) {
    const kind = fields[field]
    if (kind && typeof inner === 'string') found.push({ kind, name: inner })
    else if (field === 'envoy_grpc' && isObject(inner))
      found.push({ kind: 'cluster', name: textOf(inner, 'cluster_name') })
    else collect(inner, found)
  }
}

/** Every name once, in order of appearance. */
export function uniqueReferences(found: readonly Reference[]): readonly Reference[] {
  const seen = new Set<string>()
  return found.filter(({ kind, name }) => {
    const key = `${kind} ${name}`
    return seen.has(key) ? false : seen.add(key)
  })
}

/** What a resource, or a part of one, names. */
export function referencesOf(resource: JsonObject): readonly Reference[] {
  const found: Reference[] = []
  if (resource['type'] === 'EDS') found.push({ kind: 'endpoint', name: textOf(resource, 'name') })
  collect(resource, found)
  return uniqueReferences(found)
}
