// What one node is offered: the published snapshot without the listeners that are elsewhere, and with the filters in the
// order in which this Envoy is to ask them. Envoys of one class share their view, because building one walks all endpoints.
import { encodeJson } from '../proto-json.ts'
import { endpoints, filterAssignment } from './endpoint.ts'
import type { Fleet, FleetMember } from './fleet.ts'
import { filterCluster } from './http-filters.ts'
import { listeners } from './listener.ts'
import type { AdsNode } from './node.ts'
import { type Placement, byPriority, missingListeners, preferenceOf } from './placement.ts'
import { typeUrlOf } from './resources.ts'
import { type OfferedResource, versionOf, versionOfAll } from './snapshot.ts'
import { type Offer, type View, offerOf } from './view.ts'

/** @param base what is published; undefined: nothing yet */
export type ViewOf = (base: View | undefined) => View | undefined

export type NodeViews = {
  /** For one node, to be asked as often as one likes. */
  for(node: AdsNode): ViewOf
}

const listenerType = typeUrlOf(listeners)
const endpointType = typeUrlOf(endpoints)

type Change = (byName: Map<string, OfferedResource>) => void

function changed(offer: Offer, change: Change): Offer {
  const byName = new Map(offer.byName)
  change(byName)
  return { version: versionOfAll(byName.values()), byName }
}

function endpointOf(groups: readonly (readonly FleetMember[])[]): OfferedResource {
  const places = groups.map((group) => [
    ...new Map(
      group.map(({ address: { host, port } }) => [`${host} ${String(port)}`, { host, port }]),
    ).values(),
  ])
  const json = filterAssignment(
    places.map((group) => group.map(({ host, port }) => ({ kind: 'tcp', address: host, port }))),
  )
  const bytes = encodeJson(endpoints.message, json)
  return { name: filterCluster, version: versionOf(bytes), bytes, references: [] }
}

/** Nodes of equal class are offered the same. */
type Class = { readonly without: readonly string[]; readonly filters: readonly (readonly FleetMember[])[] }

function viewFor(base: View, { without, filters }: Class): View {
  const offers = new Map(base.offers)
  if (without.length > 0)
    offers.set(
      listenerType,
      changed(offerOf(base, listenerType), (byName) => {
        for (const name of without) byName.delete(name)
      }),
    )
  if (filters.length > 0)
    offers.set(
      endpointType,
      changed(offerOf(base, endpointType), (byName) => {
        if (byName.has(filterCluster)) byName.set(filterCluster, endpointOf(filters))
      }),
    )
  return { ...base, offers }
}

const noPlacements: readonly Placement[] = []

/** @param fleet undefined: Envoys ask the filters that the snapshot names */
export function createNodeViews(fleet?: Fleet): NodeViews {
  const built = new WeakMap<View, Map<string, View>>()
  let revision = 0
  fleet?.onChange(() => void revision++)

  function shared(base: View, node: AdsNode): View {
    const placements = base.snapshot.placements ?? noPlacements
    const members = fleet?.members() ?? []
    const one: Class = {
      without: missingListeners(placements, node),
      filters: byPriority(members, node.region, preferenceOf(placements, node)),
    }
    if (one.without.length === 0 && one.filters.length === 0) return base
    const key = JSON.stringify(one)
    const views = built.get(base) ?? new Map<string, View>()
    built.set(base, views)
    const view = views.get(key) ?? viewFor(base, one)
    views.set(key, view)
    return view
  }

  return {
    for(node) {
      if (node.role !== 'envoy') return (base) => base
      let last: { readonly base: View; readonly revision: number; readonly view: View } | undefined
      return (base) => {
        if (base === undefined) return undefined
        if (last?.base !== base || last.revision !== revision)
          last = { base, revision, view: shared(base, node) }
        return last.view
      }
    },
  }
}
