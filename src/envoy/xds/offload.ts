// Offloaded blocking: quarantined addresses are denied by Envoy itself, at the first data of a connection, so that they cost
// the filter nothing. The list is a resource of its own (ECDS): it changes without a listener or another connection being
// touched, and is therefore always there, empty too (spec control-plane 2.8). What is open already stays open: the filter
// goes on blocking its requests.
import type { Policy } from '#config'
import { cidrRanges, hostRange } from './cidr.ts'
import { type JsonObject, extension, fromAds, textOf, typed } from './json.ts'
import type { Kind, World } from './kind.ts'
import type { ListenerSettings } from './settings.ts'

const rbac = 'envoy.extensions.filters.network.rbac.v3.RBAC'

/** Of one listener; the newest win. */
export const maxOffloaded = 10_000

/**
 * Where a proxy stands before Envoy, the peer of a connection is not the client, and denying it would deny everybody behind
 * it: there the filter blocks, request by request.
 */
export function offloadSupport(
  listener: ListenerSettings,
  { serverGroups, defaultTemplate }: Policy,
): 'supported' | 'unsupported' {
  if (listener.proxyProtocolFrom !== undefined) return 'supported'
  const templates =
    serverGroups.length === 0 ? [defaultTemplate] : serverGroups.map(({ template }) => template)
  const trusts = templates.some(({ trustedSources }) => cidrRanges(trustedSources).length > 0)
  return trusts ? 'unsupported' : 'supported'
}

const action = (name: string, id: string, does: 'ALLOW' | 'DENY'): JsonObject => ({
  action: extension(name, 'envoy.config.rbac.v3.Action', { name: id, action: does }),
})

const isOneOf = (ranges: readonly JsonObject[]): JsonObject => ({
  single_predicate: {
    input: extension(
      'envoy.matching.inputs.source_ip',
      'envoy.extensions.matching.common_inputs.network.v3.SourceIPInput',
    ),
    custom_match: extension(
      'envoy.matching.matchers.ip',
      'envoy.extensions.matching.input_matchers.ip.v3.Ip',
      { stat_prefix: 'weir_offload', cidr_ranges: ranges },
    ),
  },
})

/** In an order of its own, so that a list that says the same is the same. */
function rangesOf(addresses: readonly string[]): readonly JsonObject[] {
  const ranges = new Map<string, JsonObject>()
  for (const address of addresses) {
    if (ranges.size === maxOffloaded) break
    const range = hostRange(address)
    if (range) ranges.set(textOf(range, 'address_prefix'), range)
  }
  return [...ranges].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, range]) => range)
}

function denying(addresses: readonly string[]): JsonObject {
  const ranges = rangesOf(addresses)
  // Envoy refuses a list of ranges that is empty.
  const matchers = [{ predicate: isOneOf(ranges), on_match: action('deny', 'quarantine', 'DENY') }]
  return {
    matcher: {
      ...(ranges.length > 0 ? { matcher_list: { matchers } } : {}),
      // Without this everybody is denied whom nothing matched.
      on_no_match: action('allow', 'default', 'ALLOW'),
    },
    stat_prefix: 'weir_offload',
    enforcement_type: 'CONTINUOUS',
  }
}

const nameOf = (listener: string): string => `weir.offload.${listener}`

/**
 * The ECDS resource of a listener, as proto3 JSON.
 * @param addresses IP addresses, newest first; at most 10,000 are taken, what is no address is left out
 */
export const offloadResource = (listener: string, addresses: readonly string[]): JsonObject => ({
  name: nameOf(listener),
  typed_config: typed(rbac, denying(addresses)),
})

/** The first network filter of every chain of a listener. */
export const offloadFilter = (listener: string): JsonObject => ({
  name: nameOf(listener),
  config_discovery: {
    config_source: fromAds,
    type_urls: [`type.googleapis.com/${rbac}`],
    // Where nobody tells Envoy of the list, e.g. after its removal: else it would close every connection.
    default_config: typed(rbac, denying([])),
  },
})

const build = ({ policy, settings, temporary }: World): readonly JsonObject[] =>
  settings.listeners.map((listener) =>
    offloadResource(listener.id, offloadSupport(listener, policy) === 'supported' ? temporary.offload : []),
  )

export const offloads: Kind = {
  name: 'extension',
  message: 'envoy.config.core.v3.TypedExtensionConfig',
  subscription: 'named',
  step: 4,
  nameOf: (resource) => textOf(resource, 'name'),
  build,
}
