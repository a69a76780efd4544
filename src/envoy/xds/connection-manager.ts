// The HTTP connection manager: what every connection gets, whatever the site (spec control-plane 2.3). The
// settings are those that keep Envoy, the filter and the origin reading one and the same request.
import { httpAccessLog } from './access-log.ts'
import { cidrRanges } from './cidr.ts'
import type { Connection } from './connection.ts'
import { headerHygiene } from './hygiene.ts'
import { httpFilters } from './http-filters.ts'
import { type JsonObject, extension, fromAds, seconds } from './json.ts'
import { localReplies, maxHeaders } from './local-reply.ts'
import type { XdsSettings } from './settings.ts'

const escapedSlashActions = {
  redirect: 'UNESCAPE_AND_REDIRECT',
  forward: 'UNESCAPE_AND_FORWARD',
  keep: 'KEEP_UNCHANGED',
  reject: 'REJECT_REQUEST',
} as const

/** `u`: the peer is the client. `t`: the peer is trusted to say who the client is. */
export type Chain = 'u' | 't'

function detection(header: string, trusted: readonly JsonObject[]): JsonObject {
  const base = 'envoy.extensions.http.original_ip_detection'
  return header === 'x-forwarded-for'
    ? extension('envoy.http.original_ip_detection.xff', `${base}.xff.v3.XffConfig`, {
        xff_trusted_cidrs: { cidrs: trusted },
        skip_xff_append: false,
      })
    : extension(
        'envoy.http.original_ip_detection.custom_header',
        `${base}.custom_header.v3.CustomHeaderConfig`,
        {
          header_name: header,
        },
      )
}

function clientAddress(chain: Chain, connection: Connection): JsonObject {
  if (chain === 'u') return { use_remote_address: true }
  const trusted = cidrRanges(connection.trustedSources)
  return {
    original_ip_detection_extensions: connection.detectionHeaders.map((header) => detection(header, trusted)),
  }
}

const keepalive = (timeoutS: number): JsonObject =>
  timeoutS === 0 ? { max_requests_per_connection: 1 } : { idle_timeout: seconds(timeoutS) }

/** After the removal of what a client sent under these names. */
const tlsFingerprints = extension(
  'envoy.http.early_header_mutation.tls_fingerprints',
  'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation',
  {
    mutations: ['JA3', 'JA4'].map((kind) => ({
      append: {
        header: { key: `x-weir-${kind.toLowerCase()}`, value: `%TLS_${kind}_FINGERPRINT%` },
        append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
      },
    })),
  },
)

export type ConnectionManagerInputs = {
  readonly listener: string
  readonly routes: string
  readonly chain: Chain
  readonly connection: Connection
  readonly settings: XdsSettings
  /** The filter is told what the TLS handshake looked like. */
  readonly fingerprints: boolean
}

export function connectionManager(inputs: ConnectionManagerInputs): JsonObject {
  const { listener, routes, chain, connection, settings, fingerprints } = inputs
  const trustedHeaders = { clientAddress: connection.clientAddressHeaders, realIp: connection.realIpHeaders }
  return extension(
    'envoy.filters.network.http_connection_manager',
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: listener,
      rds: { route_config_name: routes, config_source: fromAds },
      http_filters: httpFilters({
        filterTimeoutMs: settings.filterTimeoutMs,
        bodyBufferBytes: connection.bodyBufferBytes,
      }),
      access_log: [httpAccessLog(settings)],
      ...clientAddress(chain, connection),
      // One address that no peer has: nobody is internal, so nobody may send Envoy's control headers.
      internal_address_config: { cidr_ranges: [{ address_prefix: '255.255.255.255', prefix_len: 32 }] },
      // Routes add X-Forwarded-Port if absent; on `u` the client's own must not be taken for a proxy's.
      early_header_mutation_extensions: [
        headerHygiene(trustedHeaders, chain === 'u' ? ['x-forwarded-port'] : []),
        ...(fingerprints ? [tlsFingerprints] : []),
      ],
      normalize_path: true,
      merge_slashes: connection.mergeSlashes,
      path_with_escaped_slashes_action: escapedSlashActions[connection.escapedSlashes],
      strip_trailing_host_dot: true,
      http_protocol_options: { accept_http_10: false, allow_chunked_length: false },
      http2_protocol_options: {
        max_concurrent_streams: 100,
        initial_stream_window_size: 65536,
        initial_connection_window_size: 1048576,
      },
      common_http_protocol_options: {
        ...keepalive(connection.keepaliveTimeoutS),
        max_headers_count: maxHeaders,
        headers_with_underscores_action: 'ALLOW',
      },
      stream_error_on_invalid_http_message: false,
      max_request_headers_kb: connection.maxRequestHeadersKb,
      request_headers_timeout: seconds(connection.headerTimeoutS),
      request_timeout: seconds(connection.requestTimeoutS),
      stream_idle_timeout: seconds(connection.bodyTimeoutS),
      stream_flush_timeout: seconds(connection.sendTimeoutS),
      server_header_transformation: 'PASS_THROUGH',
      generate_request_id: true,
      preserve_external_request_id: false,
      always_set_request_id_in_response: true,
      upgrade_configs: [{ upgrade_type: 'websocket', enabled: false }],
      local_reply_config: localReplies(connection.maxRequestHeadersKb),
    },
  )
}
