// A snapshot as one static configuration, for `envoy --mode validate`: what would come by EDS, RDS, ECDS and SDS stands in
// place, so that Envoy judges all of it without a control plane.
import { type Json, type JsonObject, isObject } from './json.ts'
import type { Snapshot } from './snapshot.ts'

type Resources = ReadonlyMap<string, readonly JsonObject[]>

const nothing: JsonObject = {}

function inPlace(value: Json, resources: Resources): Json {
  const find = (kind: string, field: string, name: Json | undefined): JsonObject | undefined =>
    resources.get(kind)?.find((one) => one[field] === name)
  const visit = (inner: Json): Json => inPlace(inner, resources)
  if (Array.isArray(value)) return (value as readonly Json[]).map(visit)
  if (!isObject(value)) return value
  const { rds, config_discovery: discovered, sds_config: secret, ...rest } = value
  if (discovered !== undefined) return visit(find('TypedExtensionConfig', 'name', rest['name']) ?? rest)
  const own: JsonObject = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, visit(inner)]))
  if (secret !== undefined) return own
  if (rds !== undefined) {
    const name = isObject(rds) ? rds['route_config_name'] : undefined
    return { ...own, route_config: find('RouteConfiguration', 'name', name) ?? nothing }
  }
  if (own['type'] !== 'EDS') return own
  const { eds_cluster_config: _, ...cluster } = own
  const assignment = find('ClusterLoadAssignment', 'cluster_name', own['name'])
  return { ...cluster, type: 'STATIC', load_assignment: assignment ?? nothing }
}

/** A bootstrap without admin and control plane. It carries the private keys of the snapshot's secrets. */
export function staticConfigOf({ resources, staticClusters }: Snapshot): JsonObject {
  const byKind: Resources = new Map(
    [...resources].map(([url, list]) => [url.slice(url.lastIndexOf('.') + 1), list.map(({ json }) => json)]),
  )
  const all = (kind: string): readonly Json[] => (byKind.get(kind) ?? []).map((one) => inPlace(one, byKind))
  const named = staticClusters.map((name) => ({
    name,
    type: 'STATIC',
    load_assignment: { cluster_name: name },
  }))
  const sizes = { 're2.max_program_size.error_level': 100000, 're2.max_program_size.warn_level': 100000 }
  return {
    static_resources: {
      clusters: [...all('Cluster'), ...named],
      listeners: all('Listener'),
      secrets: all('Secret'),
    },
    layered_runtime: { layers: [{ name: 'weir', static_layer: sizes }] },
  }
}
