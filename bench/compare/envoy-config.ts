// Static Envoy configurations for comparison: the plain proxy, and the same with a filter in front of it. What costs in
// Weir's own listeners (normalisation, request ids, header hygiene) is left out here, so that the floor is a floor.
import { staticCluster } from '../../test/support/envoy-static.ts'

const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.${name}`

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': type('http.router.v3.Router') },
}

const extAuthz = {
  name: 'envoy.filters.http.ext_authz',
  typed_config: {
    '@type': type('http.ext_authz.v3.ExtAuthz'),
    grpc_service: { envoy_grpc: { cluster_name: 'filter' }, timeout: '2s' },
    transport_api_version: 'V3',
    status_on_error: { code: 'ServiceUnavailable' },
    with_request_body: { max_request_bytes: 1_048_576, allow_partial_message: true, pack_as_bytes: true },
    include_peer_certificate: true,
    include_tls_session: true,
    encode_raw_headers: true,
  },
}

export type EnvoyConfig = {
  readonly port: number
  readonly originPort: number
  /** None: the plain proxy. */
  readonly filterPort?: number
}

export const envoyConfig = ({ port, originPort, filterPort }: EnvoyConfig): string =>
  JSON.stringify({
    node: { id: 'bench', cluster: 'bench' },
    static_resources: {
      listeners: [
        {
          name: 'http',
          address: { socket_address: { address: '127.0.0.1', port_value: port } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type': type('network.http_connection_manager.v3.HttpConnectionManager'),
                    stat_prefix: 'http',
                    use_remote_address: true,
                    xff_num_trusted_hops: 1,
                    http_filters: [...(filterPort === undefined ? [] : [extAuthz]), router],
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [
                            {
                              match: { prefix: '/' },
                              route: { cluster: 'origin' },
                              request_body_buffer_limit: 2_097_152,
                            },
                          ],
                        },
                      ],
                    },
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        staticCluster('origin', originPort, false),
        ...(filterPort === undefined ? [] : [staticCluster('filter', filterPort, true)]),
      ],
    },
  })
