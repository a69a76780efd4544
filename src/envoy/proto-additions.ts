// Fields of Envoy's API that are younger than the .proto files Weir loads, by number. Names, numbers and types
// are those that Envoy 1.40 carries in its own descriptors. Only what Weir writes, reads or lets an operator
// patch stands here; a field that the files know by now is left alone.

export type AddedField = {
  /** Full name of the message that gets the field. */
  readonly message: string
  readonly name: string
  readonly id: number
  /** A scalar or the full name of a message. */
  readonly type: string
  readonly repeated?: true
  /** The oneof of the message that the field belongs to. */
  readonly oneof?: string
}

export type AddedMessage = {
  /** Full name; what stands before the last dot (a package or a message) exists already. */
  readonly message: string
  readonly fields: readonly Omit<AddedField, 'message' | 'oneof'>[]
}

const connectionManager = 'envoy.extensions.filters.network.http_connection_manager.v3'
const headerMutation = 'envoy.config.common.mutation_rules.v3.HeaderMutation'
const xff = 'envoy.extensions.http.original_ip_detection.xff.v3'
const extAuthz = 'envoy.extensions.filters.http.ext_authz.v3'
const extProc = 'envoy.extensions.filters.http.ext_proc.v3'
const route = 'envoy.config.route.v3'
const tls = 'envoy.extensions.transport_sockets.tls.v3'
const core = 'envoy.config.core.v3'
const duration = 'google.protobuf.Duration'

export const addedMessages: readonly AddedMessage[] = [
  {
    message: `${headerMutation}.RemoveOnMatch`,
    fields: [{ name: 'key_matcher', id: 1, type: 'envoy.type.matcher.v3.StringMatcher' }],
  },
  {
    message: `${xff}.XffTrustedCidrs`,
    fields: [{ name: 'cidrs', id: 1, type: `${core}.CidrRange`, repeated: true }],
  },
  {
    message: 'envoy.type.http.v3.CookieAttribute',
    fields: [
      { name: 'name', id: 1, type: 'string' },
      { name: 'value', id: 2, type: 'string' },
    ],
  },
  {
    message: `${route}.CookieMatcher`,
    fields: [
      { name: 'name', id: 1, type: 'string' },
      { name: 'string_match', id: 2, type: 'envoy.type.matcher.v3.StringMatcher' },
      { name: 'invert_match', id: 3, type: 'bool' },
    ],
  },
]

// prettier-ignore
export const addedFields: readonly AddedField[] = [
  { message: `${connectionManager}.HttpConnectionManager`, name: 'http1_safe_max_connection_duration', id: 58, type: 'bool' },
  { message: `${connectionManager}.HttpConnectionManager`, name: 'stream_flush_timeout', id: 59, type: duration },
  { message: `${connectionManager}.HttpConnectionManager.Tracing`, name: 'operation', id: 11, type: 'string' },
  { message: `${connectionManager}.HttpConnectionManager.Tracing`, name: 'upstream_operation', id: 12, type: 'string' },
  { message: `${connectionManager}.HttpConnectionManager.Tracing`, name: 'no_context_propagation', id: 13, type: 'bool' },
  { message: 'envoy.type.http.v3.Cookie', name: 'attributes', id: 4, type: 'envoy.type.http.v3.CookieAttribute', repeated: true },
  { message: headerMutation, name: 'remove_on_match', id: 3, type: `${headerMutation}.RemoveOnMatch`, oneof: 'action' },
  { message: 'envoy.extensions.filters.http.header_mutation.v3.Mutations', name: 'response_trailers_mutations', id: 4, type: headerMutation, repeated: true },
  { message: 'envoy.extensions.filters.http.header_mutation.v3.Mutations', name: 'request_trailers_mutations', id: 5, type: headerMutation, repeated: true },
  { message: `${xff}.XffConfig`, name: 'xff_trusted_cidrs', id: 2, type: `${xff}.XffTrustedCidrs` },
  { message: `${xff}.XffConfig`, name: 'skip_xff_append', id: 3, type: 'google.protobuf.BoolValue' },
  { message: `${route}.VirtualHost`, name: 'request_body_buffer_limit', id: 25, type: 'google.protobuf.UInt64Value' },
  { message: `${route}.Route`, name: 'request_body_buffer_limit', id: 20, type: 'google.protobuf.UInt64Value' },
  { message: `${route}.RouteMatch`, name: 'cookies', id: 17, type: `${route}.CookieMatcher`, repeated: true },
  { message: `${route}.RouteAction`, name: 'flush_timeout', id: 42, type: duration },
  { message: `${route}.RouteAction`, name: 'path_rewrite', id: 45, type: 'string' },
  { message: `${route}.RouteAction`, name: 'host_rewrite', id: 44, type: 'string', oneof: 'host_rewrite_specifier' },
  { message: `${route}.RouteAction.RequestMirrorPolicy`, name: 'request_headers_mutations', id: 7, type: headerMutation, repeated: true },
  { message: `${route}.RouteAction.RequestMirrorPolicy`, name: 'host_rewrite_literal', id: 8, type: 'string' },
  { message: `${route}.RetryPolicy`, name: 'refresh_cluster_on_retry', id: 14, type: 'bool' },
  { message: `${route}.DirectResponseAction`, name: 'body_format', id: 3, type: `${core}.SubstitutionFormatString` },
  { message: `${tls}.UpstreamTlsContext`, name: 'auto_host_sni', id: 6, type: 'bool' },
  { message: `${tls}.UpstreamTlsContext`, name: 'auto_sni_san_validation', id: 7, type: 'bool' },
  { message: `${tls}.DownstreamTlsContext`, name: 'prefer_client_ciphers', id: 11, type: 'bool' },
  { message: `${tls}.CertificateValidationContext`, name: 'suppress_client_ca_list', id: 18, type: 'bool' },
  // An enum: 1 is ON_DOWNSTREAM_DATA.
  { message: 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', name: 'upstream_connect_mode', id: 21, type: 'int32' },
  { message: 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', name: 'max_early_data_bytes', id: 22, type: 'google.protobuf.UInt32Value' },
  { message: 'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', name: 'enable_ja4_fingerprinting', id: 3, type: 'google.protobuf.BoolValue' },
  { message: 'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', name: 'close_connection_on_client_hello_parsing_errors', id: 4, type: 'bool' },
  { message: 'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector', name: 'max_client_hello_size', id: 5, type: 'google.protobuf.UInt32Value' },
  { message: 'envoy.extensions.filters.network.rbac.v3.RBAC', name: 'delay_deny', id: 8, type: duration },
  { message: 'envoy.extensions.filters.http.compressor.v3.CompressorOverrides', name: 'compressor_library', id: 2, type: `${core}.TypedExtensionConfig` },
  { message: 'envoy.extensions.filters.http.compressor.v3.Compressor.ResponseDirectionConfig', name: 'uncompressible_response_codes', id: 4, type: 'uint32', repeated: true },
  { message: 'envoy.extensions.filters.http.stateful_session.v3.StatefulSession', name: 'stat_prefix', id: 3, type: 'string' },
  { message: `${extAuthz}.ExtAuthz`, name: 'filter_metadata', id: 28, type: 'google.protobuf.Struct' },
  { message: `${extAuthz}.ExtAuthz`, name: 'emit_filter_state_stats', id: 29, type: 'bool' },
  { message: `${extAuthz}.ExtAuthz`, name: 'max_denied_response_body_bytes', id: 30, type: 'uint32' },
  { message: `${extAuthz}.ExtAuthz`, name: 'enforce_response_header_limits', id: 31, type: 'bool' },
  { message: `${extAuthz}.ExtAuthz`, name: 'shadow_mode', id: 32, type: 'bool' },
  { message: `${extAuthz}.CheckSettings`, name: 'grpc_service', id: 4, type: `${core}.GrpcService` },
  { message: 'envoy.service.auth.v3.CheckResponse', name: 'error_response', id: 5, type: 'envoy.service.auth.v3.DeniedHttpResponse', oneof: 'http_response' },
  { message: `${extProc}.ExternalProcessor`, name: 'allowed_override_modes', id: 22, type: `${extProc}.ProcessingMode`, repeated: true },
  { message: `${extProc}.ExternalProcessor`, name: 'status_on_error', id: 24, type: 'envoy.type.v3.HttpStatus' },
  { message: `${extProc}.ExternalProcessor`, name: 'allow_content_length_header', id: 26, type: 'bool' },
  { message: `${extProc}.ExtProcOverrides`, name: 'failure_mode_allow', id: 8, type: 'google.protobuf.BoolValue' },
  { message: `${core}.HttpProtocolOptions`, name: 'max_response_headers_kb', id: 7, type: 'google.protobuf.UInt32Value' },
  { message: `${core}.HttpProtocolOptions`, name: 'max_connection_duration_jitter', id: 8, type: 'envoy.type.v3.Percent' },
  { message: `${core}.HealthCheck`, name: 'name', id: 27, type: 'string' },
  { message: 'envoy.config.cluster.v3.Cluster', name: 'dns_jitter', id: 58, type: duration },
  { message: 'envoy.config.listener.v3.Listener', name: 'tcp_keepalive', id: 37, type: `${core}.TcpKeepalive` },
  { message: 'envoy.config.bootstrap.v3.Admin', name: 'allow_paths', id: 7, type: 'envoy.type.matcher.v3.StringMatcher', repeated: true },
]
