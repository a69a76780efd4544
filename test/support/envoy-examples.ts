// The Envoy of the worked examples: Weir's own connection manager and HTTP filters, as the control plane would send them,
// behind one listener with TLS and one without. Static beside that, because every example has documents of its own and only
// the filter changes with them. A PROXY protocol line before the request says from which address it comes.
import { load } from 'js-yaml'
import type { ProxyTemplate } from '#config'
import { filterCluster, renderBootstrap } from '#envoy'
import { cidrRanges } from '../../src/envoy/xds/cidr.ts'
import { mergeTemplates } from '../../src/envoy/xds/connection.ts'
import { type Chain, connectionManager } from '../../src/envoy/xds/connection-manager.ts'
import { type JsonObject, extension, isObject, socketAddress } from '../../src/envoy/xds/json.ts'
import { defaultXdsSettings } from '../../src/envoy/xds/settings.ts'
import { certificate, privateKey } from './certificate.ts'
import { staticCluster } from './envoy-static.ts'

export type Scheme = 'http' | 'https'

/** Names of the listeners. */
export const schemes: readonly Scheme[] = ['https', 'http']

const routes: JsonObject = {
  virtual_hosts: [
    { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'origin' } }] },
  ],
}

/** Weir's, with these routes in place of those that the control plane would send, and without its access log. */
function staticManager(scheme: Scheme, chain: Chain, template: ProxyTemplate): JsonObject {
  const { name, typed_config } = connectionManager({
    listener: scheme,
    routes: '',
    chain,
    connection: mergeTemplates([template]),
    fingerprints: false,
    settings: defaultXdsSettings,
  })
  if (name === undefined || typed_config === undefined || !isObject(typed_config))
    throw new Error('the connection manager is no extension')
  const { rds: _rds, access_log: _log, ...manager } = typed_config
  return { name, typed_config: { ...manager, route_config: routes } }
}

const tls = extension(
  'envoy.transport_sockets.tls',
  'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
  {
    common_tls_context: {
      tls_certificates: [
        { certificate_chain: { inline_string: certificate }, private_key: { inline_string: privateKey } },
      ],
    },
  },
)

const proxyProtocol = extension(
  'envoy.filters.listener.proxy_protocol',
  'envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
)

/** One chain for peers that may state a client address and one for all others, as Weir's own listeners have. */
function listener(scheme: Scheme, template: ProxyTemplate): JsonObject {
  const trusted = { source_prefix_ranges: cidrRanges(template.trustedSources) }
  const chain = (which: Chain, more: JsonObject): JsonObject => ({
    name: which,
    filters: [staticManager(scheme, which, template)],
    ...(scheme === 'https' ? { transport_socket: tls } : {}),
    ...more,
  })
  return {
    name: scheme,
    address: socketAddress('127.0.0.1', 0),
    listener_filters: [proxyProtocol],
    filter_chains: [chain('t', { filter_chain_match: trusted }), chain('u', {})],
  }
}

/** What Weir's bootstrap switches on and off in Envoy, e.g. how long an expression may be. */
function runtimeOfWeir(): unknown {
  const { layered_runtime } = load(renderBootstrap({})) as { readonly layered_runtime?: unknown }
  if (layered_runtime === undefined) throw new Error('the bootstrap has no layered_runtime')
  return layered_runtime
}

export type ExamplesEnvoy = {
  readonly filterPort: number
  readonly originPort: number
  /** Its trusted sources are those of all examples. */
  readonly template: ProxyTemplate
}

export const examplesBootstrap = ({ filterPort, originPort, template }: ExamplesEnvoy): string =>
  JSON.stringify({
    node: { id: 'envoy-examples', cluster: 'weir' },
    admin: { address: socketAddress('127.0.0.1', 0) },
    layered_runtime: runtimeOfWeir(),
    static_resources: {
      listeners: schemes.map((scheme) => listener(scheme, template)),
      clusters: [staticCluster(filterCluster, filterPort, true), staticCluster('origin', originPort, false)],
    },
  })
