// The gRPC access log: it completes an event with what only Envoy knows (final status, bytes, upstream,
// timings) and brings back the decision record that the filter left in the dynamic metadata.
import { type JsonObject, extension, grpcService } from './json.ts'
import type { XdsSettings } from './settings.ts'

export const accessLogName = 'weir'

const authorized = (token: string | undefined): JsonObject =>
  token === undefined ? {} : { initial_metadata: [{ key: 'authorization', value: `Bearer ${token}` }] }

export const httpAccessLog = ({ controlCluster, controlToken }: XdsSettings): JsonObject =>
  extension(
    'envoy.access_loggers.http_grpc',
    'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    {
      common_config: {
        log_name: accessLogName,
        transport_api_version: 'V3',
        grpc_service: { ...grpcService(controlCluster, '10s'), ...authorized(controlToken) },
        buffer_size_bytes: 16384,
        buffer_flush_interval: '1s',
      },
    },
  )
