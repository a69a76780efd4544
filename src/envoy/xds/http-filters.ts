// The HTTP filters of every connection manager, in order (spec control-plane 2.3). Disabled ones are switched
// on by routes. The order is load-bearing: buffer stands before ext_authz, because behind it bodies far over
// its limit pass; header_mutation is first, so it acts last on a response.
import { type JsonObject, extension, grpcService, typed } from './json.ts'

export const filterNames = {
  headerMutation: 'envoy.filters.http.header_mutation',
  compressor: 'envoy.filters.http.compressor',
  buffer: 'envoy.filters.http.buffer',
  extAuthz: 'envoy.filters.http.ext_authz',
  extAuthzOpen: 'weir.ext_authz.open',
  extProc: 'envoy.filters.http.ext_proc',
  statefulSession: 'envoy.filters.http.stateful_session',
  router: 'envoy.filters.http.router',
} as const

export const filterCluster = 'weir_filter'

export type FilterChainInputs = {
  readonly filterTimeoutMs: number
  /** The largest buffer of any template. */
  readonly bodyBufferBytes: number
}

function extAuthz(name: string, failureMode: 'closed' | 'open', inputs: FilterChainInputs): JsonObject {
  return extension(name, 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz', {
    grpc_service: grpcService(filterCluster, `${inputs.filterTimeoutMs / 1000}s`),
    transport_api_version: 'V3',
    ...(failureMode === 'open' ? { failure_mode_allow: true, failure_mode_allow_header_add: true } : {}),
    status_on_error: { code: 'ServiceUnavailable' },
    with_request_body: bodyBuffer(inputs.bodyBufferBytes),
    validate_mutations: true,
    include_peer_certificate: true,
    include_tls_session: true,
    encode_raw_headers: true,
    ...(failureMode === 'open' ? { stat_prefix: 'open' } : {}),
  })
}

/** Envoy reads `pack_as_bytes` from the filter alone; routes repeat it so that each says the whole. */
export const bodyBuffer = (bytes: number): JsonObject => ({
  max_request_bytes: bytes,
  allow_partial_message: true,
  pack_as_bytes: true,
})

/** Its default content types are the textual ones. */
const compressor = extension(
  filterNames.compressor,
  'envoy.extensions.filters.http.compressor.v3.Compressor',
  {
    compressor_library: extension('gzip', 'envoy.extensions.compression.gzip.compressor.v3.Gzip'),
  },
)

const extProc = (): JsonObject =>
  extension(filterNames.extProc, 'envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor', {
    grpc_service: grpcService(filterCluster, '0.2s'),
    message_timeout: '0.2s',
    processing_mode: {
      request_header_mode: 'SKIP',
      response_header_mode: 'SKIP',
      request_body_mode: 'NONE',
      response_body_mode: 'NONE',
      request_trailer_mode: 'SKIP',
      response_trailer_mode: 'SKIP',
    },
    response_attributes: ['upstream.address'],
    metadata_options: {
      forwarding_namespaces: { untyped: [filterNames.extAuthz] },
      receiving_namespaces: { untyped: [filterNames.extProc] },
    },
    route_cache_action: 'RETAIN',
  })

export function httpFilters(inputs: FilterChainInputs): readonly JsonObject[] {
  const disabled = (filter: JsonObject): JsonObject => ({ ...filter, disabled: true })
  return [
    extension(filterNames.headerMutation, 'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation', {
      mutations: { response_mutations: [{ remove: 'x-envoy-upstream-service-time' }] },
    }),
    disabled(compressor),
    disabled(
      extension(filterNames.buffer, 'envoy.extensions.filters.http.buffer.v3.Buffer', {
        max_request_bytes: inputs.bodyBufferBytes,
      }),
    ),
    extAuthz(filterNames.extAuthz, 'closed', inputs),
    disabled(extAuthz(filterNames.extAuthzOpen, 'open', inputs)),
    disabled(extProc()),
    disabled({
      name: filterNames.statefulSession,
      typed_config: typed('envoy.extensions.filters.http.stateful_session.v3.StatefulSession'),
    }),
    extension(filterNames.router, 'envoy.extensions.filters.http.router.v3.Router'),
  ]
}
