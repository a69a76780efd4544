// The smallest Envoy that asks a filter and tells an access log: a static bootstrap without a control plane, for tests of
// the filter's own door. Everything that the generated configuration sets for ext_authz is set here too.

export type StaticEnvoy = {
  readonly filterPort: number
  readonly accessLogPort: number
  readonly originPort: number
  /** Bytes of body that the filter gets to see. */
  readonly bodyBytes: number
}

export const staticCluster = (name: string, port: number, http2: boolean): object => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  load_assignment: {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: [
          { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
        ],
      },
    ],
  },
  ...(http2
    ? {
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
            explicit_http_config: { http2_protocol_options: {} },
          },
        },
      }
    : {}),
})

const extAuthz = (bodyBytes: number): object => ({
  name: 'envoy.filters.http.ext_authz',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
    grpc_service: { envoy_grpc: { cluster_name: 'filter' }, timeout: '2s' },
    transport_api_version: 'V3',
    status_on_error: { code: 'ServiceUnavailable' },
    with_request_body: { max_request_bytes: bodyBytes, allow_partial_message: true, pack_as_bytes: true },
    validate_mutations: true,
    include_peer_certificate: true,
    include_tls_session: true,
    encode_raw_headers: true,
  },
})

const accessLog = {
  name: 'envoy.access_loggers.http_grpc',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    common_config: {
      log_name: 'weir',
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: 'access_log' }, timeout: '2s' },
      buffer_flush_interval: '0.05s',
    },
  },
}

const route = {
  match: { prefix: '/' },
  name: 'all',
  route: { cluster: 'origin' },
  request_body_buffer_limit: 16 * 1024 * 1024,
  typed_per_filter_config: {
    'envoy.filters.http.ext_authz': {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute',
      check_settings: {
        context_extensions: { 'weir.lb': 'http', 'weir.sg': 'site1', 'weir.entry': 'E', 'weir.mtls': 'off' },
      },
    },
  },
}

/** Its one listener is called `http`. */
export const staticBootstrap = ({ filterPort, accessLogPort, originPort, bodyBytes }: StaticEnvoy): string =>
  JSON.stringify({
    node: { id: 'envoy-static', cluster: 'weir' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } },
    static_resources: {
      listeners: [
        {
          name: 'http',
          address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'http',
                    use_remote_address: true,
                    always_set_request_id_in_response: true,
                    access_log: [accessLog],
                    http_filters: [
                      extAuthz(bodyBytes),
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
                        },
                      },
                    ],
                    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes: [route] }] },
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        staticCluster('filter', filterPort, true),
        staticCluster('access_log', accessLogPort, true),
        staticCluster('origin', originPort, false),
      ],
    },
  })
