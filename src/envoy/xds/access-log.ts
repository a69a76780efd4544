// The gRPC access log: it completes an event with what only Envoy knows (final status, bytes, upstream,
// timings) and brings back the decision record that the filter left in the dynamic metadata.
import { type JsonObject, extension, grpcService } from './json.ts'
import type { XdsSettings } from './settings.ts'

export const accessLogName = 'weir'

/**
 * What each worker of Envoy gathers before it sends a message: about 35 entries of requests with a record. Envoy's default
 * of 16 KiB holds four, and a message costs both sides more than an entry. An Envoy that is killed loses this much, or
 * what came since the last flush; entries that do not fit while the control plane cannot take more are dropped.
 */
const bufferBytes = 128 * 1024

const authorized = (token: string | undefined): JsonObject =>
  token === undefined ? {} : { initial_metadata: [{ key: 'authorization', value: `Bearer ${token}` }] }

const destination = ({ controlCluster, controlToken }: XdsSettings): JsonObject => ({
  common_config: {
    log_name: accessLogName,
    transport_api_version: 'V3',
    grpc_service: { ...grpcService(controlCluster, '10s'), ...authorized(controlToken) },
    buffer_size_bytes: bufferBytes,
    buffer_flush_interval: '1s',
  },
})

export const httpAccessLog = (settings: XdsSettings): JsonObject =>
  extension(
    'envoy.access_loggers.http_grpc',
    'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    destination(settings),
  )

const where = (expression: string): JsonObject => ({
  extension_filter: extension(
    'envoy.access_loggers.extension_filters.cel',
    'envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter',
    { expression },
  ),
})

/** A connection whose handshake failed. Envoy's flags know only that it ended. */
const handshakeFailed = where("connection.transport_failure_reason != ''")

/** One that took too long has no such reason yet when Envoy writes the entry. */
const handshakeStalled = where("connection.termination_details == 'transport socket timeout was reached'")

/** NR: no chain of the listener takes the connection. */
const takenByNoChain: JsonObject = { response_flag_filter: { flags: ['NR'] } }

/** Of a listener: connections that never came to a request, and only those (spec control-plane 2.2). */
export const connectionLog = (settings: XdsSettings): JsonObject => ({
  ...extension(
    'envoy.access_loggers.tcp_grpc',
    'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig',
    destination(settings),
  ),
  filter: { or_filter: { filters: [takenByNoChain, handshakeFailed, handshakeStalled] } },
})
