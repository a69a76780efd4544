// What the server offers right now: the published snapshot, and for a while the clusters of the one before it,
// because requests that began under the old routes still need them (make before break, spec control-plane 2.11).
import { deliveredKinds } from './delivered.ts'
import type { DeliveredKind } from './filter-resources.ts'
import { typeUrlOf } from './resources.ts'
import { type OfferedResource, type OfferedSnapshot, versionOfAll } from './snapshot.ts'

export type Offer = { readonly version: string; readonly byName: ReadonlyMap<string, OfferedResource> }

export type View = {
  readonly snapshot: OfferedSnapshot
  /** By type URL. */
  readonly offers: ReadonlyMap<string, Offer>
  /** Something is offered only until it has drained. */
  readonly hasLeftovers: boolean
}

/** Kinds that stay for a while after nothing names them any more. */
const drains = (kind: DeliveredKind): boolean => kind.name === 'cluster' || kind.name === 'endpoint'

const nothing: Offer = { version: '', byName: new Map() }
export const offerOf = (view: View, typeUrl: string): Offer => view.offers.get(typeUrl) ?? nothing

function offer(
  kind: DeliveredKind,
  snapshot: OfferedSnapshot,
  before: View | undefined,
): { readonly offer: Offer; readonly left: number } {
  const own = snapshot.resources.get(typeUrlOf(kind)) ?? []
  const byName = new Map(own.map((resource) => [resource.name, resource]))
  if (before && drains(kind)) {
    for (const [name, resource] of offerOf(before, typeUrlOf(kind)).byName)
      if (!byName.has(name)) byName.set(name, resource)
  }
  return { offer: { version: versionOfAll(byName.values()), byName }, left: byName.size - own.length }
}

/** @param before what was offered until now and drains; undefined drops it. */
export function viewOf(snapshot: OfferedSnapshot, before?: View): View {
  const all = deliveredKinds.map((kind) => ({ typeUrl: typeUrlOf(kind), ...offer(kind, snapshot, before) }))
  return {
    snapshot,
    offers: new Map(all.map(({ typeUrl, offer }) => [typeUrl, offer])),
    hasLeftovers: all.some(({ left }) => left > 0),
  }
}

/** What a node gets that cannot be served. */
export const emptyView: View = viewOf({ version: versionOfAll([]), resources: new Map(), staticClusters: [] })
