// The filter chains of a TLS listener: a pair per profile, chosen by the name in the handshake, and a pair for handshakes
// without a name that is known. Client certificates are asked for and judged one layer up, where a request can be
// answered with a reason (spec control-plane 2.2).
import type { Certificate, ProxyTemplate, ServerGroup, TlsSettings, TlsVersion } from '#config'
import { compilePattern } from '#platform'
import { cidrRanges } from './cidr.ts'
import type { ClientCa } from './client-ca.ts'
import { mergeTemplates } from './connection.ts'
import { type Chain, connectionManager } from './connection-manager.ts'
import { type JsonObject, extension, seconds } from './json.ts'
import type { World } from './kind.ts'
import { offloadFilter } from './offload.ts'
import { patchedExtension } from './patches/apply.ts'
import { type Profile, profilesOf } from './profiles.ts'
import { type RouteTable, openTable, profileTable } from './route-tables.ts'
import { certificateSecret, clientCaSecret, secretReference } from './secret.ts'
import type { TlsListener } from './settings.ts'

const strongCiphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]
/** TLS 1.1 knows none of the strong ones. */
const oldCiphers = ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES128-SHA']

const versionName: Readonly<Record<TlsVersion, string>> = {
  'TLSv1.1': 'TLSv1_1',
  'TLSv1.2': 'TLSv1_2',
  'TLSv1.3': 'TLSv1_3',
}

function tlsParams({ least, most, ciphers }: TlsSettings): JsonObject {
  const own = [...strongCiphers, ...(least === 'TLSv1.1' ? oldCiphers : [])]
  return {
    tls_minimum_protocol_version: versionName[least],
    tls_maximum_protocol_version: versionName[most],
    cipher_suites: ciphers.length === 0 ? own : ciphers,
  }
}

/** A resumed session carries no fresh proof, so sites with client certificates do without. */
function clientValidation(ca: ClientCa | undefined): JsonObject {
  if (ca === undefined) return {}
  return {
    combined_validation_context: {
      default_validation_context: { trust_chain_verification: 'ACCEPT_UNTRUSTED' },
      validation_context_sds_secret_config: secretReference(clientCaSecret(ca)),
    },
  }
}

type Terminated = {
  readonly tls: TlsSettings
  readonly certificates: readonly Certificate[]
  readonly clientCa: ClientCa | undefined
}

const downstreamTls = ({ tls, certificates, clientCa }: Terminated): JsonObject =>
  extension('envoy.transport_sockets.tls', 'envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', {
    common_tls_context: {
      tls_params: tlsParams(tls),
      alpn_protocols: ['h2', 'http/1.1'],
      tls_certificate_sds_secret_configs: certificates.map((one) => secretReference(certificateSecret(one))),
      ...clientValidation(clientCa),
    },
    require_client_certificate: false,
    full_scan_certs_on_sni_mismatch: false,
    ...(clientCa === undefined
      ? {}
      : { disable_stateless_session_resumption: true, disable_stateful_session_resumption: true }),
  })

const unique = (certificates: readonly (Certificate | undefined)[]): readonly Certificate[] =>
  [...new Set(certificates.filter((one) => one?.key !== undefined))] as readonly Certificate[]

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':')
const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

/** Names of a site as a handshake can carry them; for an expression, those of its certificate that it accepts. */
function handshakeNames(group: ServerGroup): readonly string[] {
  return group.serverNames.flatMap((name): readonly string[] => {
    switch (name.kind) {
      case 'literal': {
        const host = withoutPort(name.host)
        return isAddress(host) ? [] : [host]
      }
      case 'wildcard':
        return [`*${withoutPort(name.suffix)}`]
      case 'regex': {
        const pattern = compilePattern(`^(?:${name.pattern})$`, { ignoreCase: true })
        return (group.certificate?.names ?? []).filter((host) => !isAddress(host) && pattern.test(host))
      }
      case 'everything':
        return []
      default:
        return name satisfies never
    }
  })
}

type ChainInputs = Terminated & {
  readonly name: string
  readonly names: readonly string[]
  readonly connection: Profile['connection']
  readonly table: (chain: Chain) => RouteTable
  /** Whose patches the chains bear. */
  readonly template: ProxyTemplate
}

/** The chain for trusted peers, if there are any, and the one for all others. */
function chainPair(inputs: ChainInputs, listener: TlsListener, world: World): readonly JsonObject[] {
  const { name, names, connection, table, template } = inputs
  const { patcher } = world
  const owner = { protocol: listener.protocol, listener: listener.id }
  const transport = patchedExtension(patcher, template, 'downstream_tls', owner, downstreamTls(inputs))
  const trusted = cidrRanges(connection.trustedSources)
  const from = cidrRanges(listener.proxyProtocolFrom ?? [])
  const manager = (chain: Chain): JsonObject =>
    connectionManager({
      listener: listener.id,
      routes: table(chain).name,
      chain,
      connection,
      settings: world.settings,
      fingerprints: true,
    })
  const chainOf = (chain: Chain): JsonObject => ({
    name: `${name}|${chain}`,
    filter_chain_match: {
      transport_protocol: 'tls',
      ...(names.length > 0 ? { server_names: names } : {}),
      ...(chain === 't' ? { source_prefix_ranges: trusted } : {}),
      ...(from.length > 0 ? { direct_source_prefix_ranges: from } : {}),
    },
    transport_socket: transport,
    transport_socket_connect_timeout: seconds(connection.headerTimeoutS),
    filters: [
      offloadFilter(listener.id),
      patchedExtension(patcher, template, 'http_connection_manager', owner, manager(chain)),
    ],
  })
  return (trusted.length > 0 ? (['t', 'u'] as const) : (['u'] as const)).map((chain) =>
    patcher.apply(template, 'filter_chain', owner, chainOf(chain)),
  )
}

/** For handshakes without a known name. Only one certificate: without a name Envoy would prefer an ECDSA one. */
function defaultPair(listener: TlsListener, world: World): readonly JsonObject[] {
  const { policy } = world
  const table = openTable(listener, policy)
  const catchAll = table.groups.find(({ serverNames }) =>
    serverNames.some(({ kind }) => kind === 'everything'),
  )
  const certificates = unique([listener.defaultCertificate ?? catchAll?.certificate])
  if (certificates.length === 0) return []
  const templates = table.groups.map(({ template }) => template)
  return chainPair(
    {
      name: 'default',
      names: [],
      connection: mergeTemplates(templates.length === 0 ? [policy.defaultTemplate] : templates),
      tls: catchAll?.tls ?? policy.defaultTemplate.tls,
      certificates,
      clientCa: undefined,
      table: () => table,
      template: policy.defaultTemplate,
    },
    listener,
    world,
  )
}

const tcpProxy = (listener: TlsListener, cluster: string, sourceIp: boolean): JsonObject =>
  extension('envoy.filters.network.tcp_proxy', 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', {
    stat_prefix: `${listener.id}_passthrough`,
    cluster,
    ...(sourceIp ? { hash_policy: [{ source_ip: {} }] } : {}),
    // ON_DOWNSTREAM_DATA: else a client that is denied at once still opens a connection to the origin.
    upstream_connect_mode: 1,
    max_early_data_bytes: 65536,
  })

/** Sites whose TLS is not terminated: chosen by name, and never read (spec control-plane 2.10). */
function passthroughChains(
  listener: TlsListener,
  world: World,
  take: (name: string) => boolean,
): readonly JsonObject[] {
  const passed = world.policy.serverGroups.filter(({ tcpPassthrough }) => tcpPassthrough)
  return passed.flatMap((group) => {
    const backend = world.backends.passthrough(group)
    const names = handshakeNames(group).filter(take)
    if (backend === undefined || names.length === 0) return []
    const from = cidrRanges(listener.proxyProtocolFrom ?? [])
    return [
      {
        name: `passthrough|${group.id}`,
        filter_chain_match: {
          transport_protocol: 'tls',
          server_names: names,
          ...(from.length > 0 ? { direct_source_prefix_ranges: from } : {}),
        },
        filters: [
          offloadFilter(listener.id),
          tcpProxy(listener, backend.cluster, backend.service.sticky === 'iphash'),
        ],
      },
    ]
  })
}

/** All chains of a listener, sorted by name within the profiles. */
export function tlsChains(listener: TlsListener, world: World): readonly JsonObject[] {
  const { policy } = world
  const taken = new Set<string>()
  // A name belongs to one chain; ports, which a handshake does not carry, may have told two sites apart.
  const take = (name: string): boolean => !taken.has(name) && taken.add(name).has(name)
  const passed = passthroughChains(listener, world, take)
  const pairs = profilesOf(policy.serverGroups).flatMap((profile) => {
    const names = profile.groups.flatMap(handshakeNames).filter(take)
    const certificates = unique([
      listener.defaultCertificate,
      ...profile.groups.map(({ certificate }) => certificate),
      ...listener.certificates,
    ])
    if (names.length === 0 || certificates.length === 0) return []
    const table = (chain: Chain): RouteTable => profileTable(listener, profile, chain, policy)
    return chainPair({ ...profile, names, certificates, table }, listener, world)
  })
  return [...passed, ...pairs, ...defaultPair(listener, world)]
}
