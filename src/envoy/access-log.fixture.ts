// Access log messages as Envoy sends them, for tests and benchmarks.
import { lookup } from './protos.ts'

type Fields = Readonly<Record<string, unknown>>

const socket = (address: string, port_value: number): Fields => ({ socket_address: { address, port_value } })
const us = (count: number): Fields => ({ seconds: Math.floor(count / 1e6), nanos: (count % 1e6) * 1000 })

/** envoy.data.accesslog.v3.HTTPAccessLogEntry of a request that went through. */
export const logEntry: Fields = {
  common_properties: {
    downstream_remote_address: socket('198.51.100.7', 0),
    downstream_local_address: socket('10.0.0.1', 8443),
    downstream_direct_remote_address: socket('10.0.0.5', 51234),
    tls_properties: {
      tls_version: 4,
      tls_cipher_suite: { value: 0x1301 },
      tls_sni_hostname: 'shop.example.com',
    },
    start_time: { seconds: 1772442904, nanos: 123456789 },
    time_to_last_rx_byte: us(100),
    time_to_first_upstream_tx_byte: us(1000),
    time_to_last_upstream_tx_byte: us(1100),
    time_to_first_upstream_rx_byte: us(2500),
    time_to_last_upstream_rx_byte: us(3500),
    time_to_first_downstream_tx_byte: us(3000),
    time_to_last_downstream_tx_byte: us(1_000_003_900),
    upstream_remote_address: socket('10.0.0.9', 8080),
    upstream_local_address: socket('10.0.0.1', 40001),
    upstream_cluster: 'be|app|http',
    response_flags: {},
    metadata: {
      filter_metadata: {
        'envoy.filters.http.ext_authz': {
          fields: {
            ext_authz_duration: { numberValue: 1 },
            weir: { stringValue: '{"host":"shop.example.com","tags":["all"]}' },
          },
        },
      },
    },
    route_name: 'site1|E',
    duration: us(4000),
    upstream_request_attempt_count: 2,
    stream_id: 'b7e9d7a1',
    access_log_type: 6,
  },
  protocol_version: 3,
  request: {
    request_method: 1,
    scheme: 'https',
    authority: 'shop.example.com',
    path: '/search?q=1',
    user_agent: 'curl/8.5.0',
    referer: 'https://shop.example.com/',
    forwarded_for: '198.51.100.7',
    request_id: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
    request_headers_bytes: 400,
    request_body_bytes: 12,
  },
  response: {
    response_code: { value: 200 },
    response_headers_bytes: 310,
    response_body_bytes: 2000,
    response_code_details: 'via_upstream',
  },
}

const encode = (type: string, fields: Fields): Uint8Array => Buffer.from(lookup(type).encode(fields).finish())

export const logEntryBytes = (entry: Fields): Uint8Array =>
  encode('envoy.data.accesslog.v3.HTTPAccessLogEntry', entry)

export const logMessageBytes = (message: Fields): Uint8Array =>
  encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', message)
