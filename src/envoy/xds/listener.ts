// Listeners: one per load balancer. A plaintext listener has one chain for peers that may state a client
// address and one for all others; both take their routes from the same RouteConfiguration.
import { cidrRanges } from './cidr.ts'
import { type Connection, mergeTemplates } from './connection.ts'
import { type Chain, connectionManager } from './connection-manager.ts'
import { type JsonObject, socketAddress, textOf } from './json.ts'
import type { Kind, World } from './kind.ts'
import type { ListenerSettings } from './settings.ts'

/** Name of the RouteConfiguration of a plaintext listener. */
export const plainRoutes = (listener: ListenerSettings): string => `${listener.id}|plain`

/** Templates of all groups; the default one stands in while there is no group. */
export function connectionOf(world: World): Connection {
  const templates = world.policy.serverGroups.map((group) => group.template)
  return mergeTemplates(templates.length === 0 ? [world.policy.defaultTemplate] : templates)
}

function chain(which: Chain, listener: ListenerSettings, connection: Connection, world: World): JsonObject {
  const manager = connectionManager({
    listener: listener.id,
    routes: plainRoutes(listener),
    chain: which,
    connection,
    settings: world.settings,
  })
  return {
    name: `plain|${which}`,
    ...(which === 't'
      ? { filter_chain_match: { source_prefix_ranges: cidrRanges(connection.trustedSources) } }
      : {}),
    filters: [manager],
  }
}

function build(listener: ListenerSettings, connection: Connection, world: World): JsonObject {
  const chains: readonly Chain[] = cidrRanges(connection.trustedSources).length === 0 ? ['u'] : ['t', 'u']
  return {
    name: listener.id,
    address: socketAddress(listener.address, listener.port),
    enable_reuse_port: true,
    per_connection_buffer_limit_bytes: Math.max(1024 * 1024, 2 * connection.bodyBufferBytes),
    filter_chains: chains.map((which) => chain(which, listener, connection, world)),
  }
}

export const listeners: Kind = {
  name: 'listener',
  message: 'envoy.config.listener.v3.Listener',
  subscription: 'all',
  step: 1,
  nameOf: (resource) => textOf(resource, 'name'),
  build: (world) => world.settings.listeners.map((listener) => build(listener, connectionOf(world), world)),
}
