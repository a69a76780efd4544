// Clusters: how Envoy reaches the services, and the filter (spec control-plane 2.4, 2.5).
import type { BackHost, BackendService } from '#config'
import type { Backend } from './backends.ts'
import { assignmentOf, hasOnlyAddresses } from './endpoint.ts'
import { filterCluster } from './http-filters.ts'
import { type JsonObject, extension, fromAds, isObject, seconds, typed, textOf } from './json.ts'
import type { Kind } from './kind.ts'
import { type Patcher, patchedExtension } from './patches/apply.ts'
import { backendCaSecret, certificateSecret, secretReference } from './secret.ts'

const viaEds: JsonObject = { type: 'EDS', eds_cluster_config: { eds_config: fromAds } }

const discovery = (backend: Backend): JsonObject =>
  hasOnlyAddresses(backend)
    ? viaEds
    : {
        type: 'STRICT_DNS',
        respect_dns_ttl: true,
        dns_lookup_family: 'ALL',
        load_assignment: assignmentOf(backend),
      }

const policies = {
  none: 'ROUND_ROBIN',
  least_conn: 'LEAST_REQUEST',
  iphash: 'MAGLEV',
  autocookie: 'MAGLEV',
  customcookie: 'MAGLEV',
} as const

/** Only failures to connect eject a host: an origin that answers 500 is alive. Envoy has one limit per cluster. */
function outlierDetection(hosts: readonly BackHost[]): JsonObject {
  const limits = hosts.map((host) => host.maxFails).filter((limit) => limit > 0)
  if (limits.length === 0) return {}
  const ejection = seconds(Math.max(1, ...hosts.map((host) => host.failTimeoutS)))
  return {
    outlier_detection: {
      split_external_local_origin_errors: true,
      consecutive_local_origin_failure: Math.min(...limits),
      enforcing_consecutive_local_origin_failure: 100,
      consecutive_5xx: 0,
      enforcing_consecutive_5xx: 0,
      enforcing_consecutive_gateway_failure: 0,
      enforcing_success_rate: 0,
      enforcing_local_origin_success_rate: 0,
      base_ejection_time: ejection,
      max_ejection_time: ejection,
      interval: '1s',
      max_ejection_percent: 100,
    },
  }
}

function protocolOf(service: BackendService, transport: Backend['transport']): JsonObject {
  if (service.http2) {
    return transport === 'https'
      ? { auto_config: { http_protocol_options: {}, http2_protocol_options: {} } }
      : { explicit_http_config: { http2_protocol_options: {} } }
  }
  return {
    explicit_http_config: { http_protocol_options: {} },
    ...(service.http11 ? {} : { common_http_protocol_options: { max_requests_per_connection: 1 } }),
  }
}

const protocolOptions = (fields: JsonObject): JsonObject => ({
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      fields,
    ),
  },
})

/** What the origin's certificate must be; without a CA Envoy cannot check names either. */
function originValidation({ service }: Backend): JsonObject {
  const { trustedCa } = service
  if (trustedCa === undefined) return {}
  return { validation_context_sds_secret_config: secretReference(backendCaSecret(trustedCa)) }
}

/** TLS to the origin. Its certificate is not verified as long as no CA is named (spec control-plane 2.5). */
function tls(backend: Backend): JsonObject {
  const { service, ownHost } = backend
  const checksNames = ownHost && service.trustedCa !== undefined
  return {
    transport_socket: extension(
      'envoy.transport_sockets.tls',
      'envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      {
        common_tls_context: {
          // Envoy's own default ends at TLS 1.2.
          tls_params: { tls_maximum_protocol_version: 'TLSv1_3' },
          ...(service.clientCertificate === undefined
            ? {}
            : {
                tls_certificate_sds_secret_configs: [
                  secretReference(certificateSecret(service.clientCertificate)),
                ],
              }),
          ...originValidation(backend),
        },
        ...(ownHost ? { auto_host_sni: true } : {}),
        ...(checksNames ? { auto_sni_san_validation: true } : {}),
      },
    ),
  }
}

function cluster(backend: Backend): JsonObject {
  const { service, transport } = backend
  const sni: JsonObject =
    transport === 'https' && !backend.ownHost
      ? {
          upstream_http_protocol_options: {
            auto_sni: true,
            ...(service.trustedCa === undefined ? {} : { auto_san_validation: true }),
          },
        }
      : {}
  return {
    name: backend.cluster,
    ...discovery(backend),
    connect_timeout: seconds(backend.connectTimeoutS),
    // A cookie that names the host needs no hash.
    lb_policy:
      service.stickyStrict && service.sticky === 'autocookie' ? 'ROUND_ROBIN' : policies[service.sticky],
    // No panic routing: a host that is down gets nothing, also when all are.
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
    circuit_breakers: {
      thresholds: [
        { max_connections: 10000, max_pending_requests: 10000, max_requests: 10000, max_retries: 100 },
      ],
    },
    ...outlierDetection(service.hosts),
    ...(transport === 'tcp' ? {} : protocolOptions({ ...protocolOf(service, transport), ...sni })),
    ...(transport === 'https' ? tls(backend) : {}),
  }
}

function patched(backend: Backend, made: JsonObject, patcher: Patcher): JsonObject {
  const { template, service, protocol } = backend
  const owner = { protocol, service: service.id }
  const socket = made['transport_socket']
  const withTls =
    socket === undefined || !isObject(socket)
      ? made
      : { ...made, transport_socket: patchedExtension(patcher, template, 'upstream_tls', owner, socket) }
  return patcher.apply(template, 'cluster', owner, withTls)
}

/**
 * The filter processes. Panic routing begins only when all are unhealthy: then a filter that has just come back
 * is used at once, and until then nothing is sent to one that is known to be dead.
 */
const weirFilter: JsonObject = {
  name: filterCluster,
  ...viaEds,
  connect_timeout: '0.25s',
  lb_policy: 'LEAST_REQUEST',
  common_lb_config: { healthy_panic_threshold: { value: 1 } },
  // Otherwise a filter that left the list is used for as long as its last health check was good.
  ignore_health_on_host_removal: true,
  circuit_breakers: {
    thresholds: [
      { max_connections: 100000, max_pending_requests: 100000, max_requests: 100000, max_retries: 100000 },
    ],
  },
  health_checks: [
    {
      timeout: '1s',
      interval: '5s',
      no_traffic_interval: '5s',
      unhealthy_interval: '1s',
      unhealthy_threshold: 2,
      healthy_threshold: 1,
      grpc_health_check: {},
    },
  ],
  ...protocolOptions({
    explicit_http_config: {
      http2_protocol_options: { connection_keepalive: { interval: '10s', timeout: '2s' } },
    },
  }),
}

export const clusters: Kind = {
  name: 'cluster',
  message: 'envoy.config.cluster.v3.Cluster',
  subscription: 'all',
  step: 0,
  nameOf: (resource) => textOf(resource, 'name'),
  build: ({ backends, patcher }) => [
    ...backends.all.map((backend) => patched(backend, cluster(backend), patcher)),
    weirFilter,
  ],
}
