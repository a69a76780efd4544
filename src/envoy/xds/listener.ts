// Listeners: one per load balancer. A plaintext listener has one chain for peers that may state a client
// address and one for all others; a TLS listener has such a pair per profile (`tls-chains.ts`).
import { connectionLog } from './access-log.ts'
import { cidrRanges } from './cidr.ts'
import { type Connection, mergeTemplates } from './connection.ts'
import { type Chain, connectionManager } from './connection-manager.ts'
import { type JsonObject, extension, textOf } from './json.ts'
import type { Kind, World } from './kind.ts'
import { offloadFilter } from './offload.ts'
import { patchedExtension } from './patches/apply.ts'
import { plainTable } from './route-tables.ts'
import type { ListenerSettings, PlainListener } from './settings.ts'
import { tlsChains } from './tls-chains.ts'

/** Templates of all groups; the default one stands in while there is no group. */
export function connectionOf(world: World): Connection {
  const templates = world.policy.serverGroups.map((group) => group.template)
  return mergeTemplates(templates.length === 0 ? [world.policy.defaultTemplate] : templates)
}

function plainChain(which: Chain, listener: PlainListener, connection: Connection, world: World): JsonObject {
  const manager = connectionManager({
    listener: listener.id,
    routes: plainTable(listener, world.policy).name,
    chain: which,
    connection,
    settings: world.settings,
    fingerprints: false,
  })
  // All sites share these connections, so no template but the one of all may patch them.
  const template = world.policy.defaultTemplate
  const owner = { protocol: listener.protocol, listener: listener.id }
  const from = cidrRanges(listener.proxyProtocolFrom ?? [])
  const match = {
    ...(which === 't' ? { source_prefix_ranges: cidrRanges(connection.trustedSources) } : {}),
    ...(from.length > 0 ? { direct_source_prefix_ranges: from } : {}),
  }
  return world.patcher.apply(template, 'filter_chain', owner, {
    name: `plain|${which}`,
    ...(Object.keys(match).length > 0 ? { filter_chain_match: match } : {}),
    filters: [
      offloadFilter(listener.id),
      patchedExtension(world.patcher, template, 'http_connection_manager', owner, manager),
    ],
  })
}

function chainsOf(listener: ListenerSettings, connection: Connection, world: World): readonly JsonObject[] {
  if (listener.protocol === 'https') return tlsChains(listener, world)
  const chains: readonly Chain[] = cidrRanges(connection.trustedSources).length === 0 ? ['u'] : ['t', 'u']
  return chains.map((which) => plainChain(which, listener, connection, world))
}

const proxyProtocol = extension(
  'envoy.filters.listener.proxy_protocol',
  'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
)

const tlsInspector = extension(
  'envoy.filters.listener.tls_inspector',
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
  { enable_ja3_fingerprinting: true, enable_ja4_fingerprinting: true },
)

/** The wildcard of IPv6 takes IPv4 as well. */
const listenAddress = (address: string, port: number): JsonObject => ({
  socket_address: {
    address,
    port_value: port,
    ...(address === '::' ? { ipv4_compat: true } : {}),
  },
})

/** The PROXY header stands before everything else, the handshake included. */
function listenerFilters({ protocol, proxyProtocolFrom }: ListenerSettings): JsonObject {
  const filters = [
    ...(proxyProtocolFrom === undefined ? [] : [proxyProtocol]),
    ...(protocol === 'https' ? [tlsInspector] : []),
  ]
  return filters.length === 0 ? {} : { listener_filters: filters }
}

function build(listener: ListenerSettings, connection: Connection, world: World): readonly JsonObject[] {
  const chains = chainsOf(listener, connection, world)
  // Envoy refuses a listener without chains: a TLS listener appears with its first certificate.
  if (chains.length === 0) return []
  return [
    {
      name: listener.id,
      address: listenAddress(listener.address, listener.port),
      enable_reuse_port: true,
      per_connection_buffer_limit_bytes: Math.max(1024 * 1024, 2 * connection.bodyBufferBytes),
      ...listenerFilters(listener),
      filter_chains: chains,
      access_log: [connectionLog(world.settings)],
    },
  ]
}

export const listeners: Kind = {
  name: 'listener',
  message: 'envoy.config.listener.v3.Listener',
  subscription: 'all',
  step: 2,
  nameOf: (resource) => textOf(resource, 'name'),
  build: (world) =>
    world.settings.listeners.flatMap((listener) => build(listener, connectionOf(world), world)),
}
