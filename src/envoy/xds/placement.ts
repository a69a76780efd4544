// What differs from Envoy to Envoy: which listeners one has, by its labels, and which filters it asks first, by where it runs
// (spec control-plane 1.5).
import type { LoadBalancer } from '#config'
import type { AdsNode } from './node.ts'

/** Where one load balancer is, and which filters its Envoys prefer. */
export type Placement = {
  /** Id of the load balancer, which is the name of its listener. */
  readonly listener: string
  /** Labels that an Envoy must have to get the listener. */
  readonly nodes: Readonly<Record<string, string>>
  /** Location of Envoys → datacenter of filters, or `automatic`. */
  readonly regions: Readonly<Record<string, string>>
}

export const automatic = 'automatic'

/** Of load balancers that are anywhere else than everywhere. */
export const placementsOf = (balancers: readonly LoadBalancer[]): readonly Placement[] =>
  balancers
    .map(({ id, nodes, regions }) => ({ listener: id, nodes, regions }))
    .filter(({ nodes, regions }) => Object.keys(nodes).length > 0 || Object.keys(regions).length > 0)

const isAt = ({ nodes }: Placement, { labels }: AdsNode): boolean =>
  Object.entries(nodes).every(([label, value]) => Object.hasOwn(labels, label) && labels[label] === value)

/** Listeners that this Envoy does not get. */
export const missingListeners = (placements: readonly Placement[], node: AdsNode): readonly string[] =>
  placements.filter((one) => !isAt(one, node)).map(({ listener }) => listener)

/** The datacenter that this Envoy prefers: what the first of its load balancers says that names its location. */
export function preferenceOf(placements: readonly Placement[], node: AdsNode): string {
  const naming = placements.find((one) => isAt(one, node) && Object.hasOwn(one.regions, node.region))
  return naming?.regions[node.region] ?? automatic
}

/** By priority, the first first: the preferred datacenter, or the own one, then all others evenly. */
export function byPriority<M extends { readonly region: string }>(
  filters: readonly M[],
  location: string,
  preference: string,
): readonly (readonly M[])[] {
  const first = preference === automatic ? location : preference
  const groups = [
    filters.filter(({ region }) => region === first),
    filters.filter(({ region }) => region !== first),
  ]
  return groups.filter((group) => group.length > 0)
}
