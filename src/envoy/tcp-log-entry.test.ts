import { describe, expect, test } from '@jest/globals'
import { lookup } from './protos.ts'
import { decodeConnectionFailure } from './tcp-log-entry.ts'

const bytesOf = (common_properties: object): Uint8Array => {
  const type = lookup('envoy.data.accesslog.v3.TCPAccessLogEntry')
  const connection_properties = { received_bytes: 5, sent_bytes: 7 }
  return type.encode({ common_properties, connection_properties }).finish()
}

const socket = (address: string, port_value: number) => ({ socket_address: { address, port_value } })
const connection = {
  downstream_remote_address: socket('203.0.113.9', 4000),
  downstream_direct_remote_address: socket('10.0.0.5', 4001),
  downstream_local_address: socket('10.0.0.1', 8443),
  start_time: { seconds: 1772442904, nanos: 123456789 },
  tls_properties: { tls_sni_hostname: 'www.example.com' },
}

const failed = {
  node: 'envoy-0',
  startTime: 1772442904123456,
  peer: { address: '10.0.0.5', port: 4001 },
  local: { address: '10.0.0.1', port: 8443 },
  sni: 'www.example.com',
}

describe('an entry of a connection', () => {
  test('whose handshake failed', () => {
    const bytes = bytesOf({ ...connection, downstream_transport_failure_reason: 'TLS_error:|1' })
    expect(decodeConnectionFailure(bytes, 'envoy-0')).toEqual({
      ...failed,
      kind: 'handshake',
      detail: 'TLS_error:|1',
    })
  })

  test('whose handshake took too long', () => {
    const detail = 'transport socket timeout was reached'
    const bytes = bytesOf({ ...connection, connection_termination_details: detail })
    expect(decodeConnectionFailure(bytes, 'envoy-0')).toEqual({ ...failed, kind: 'handshake', detail })
  })

  test('that no chain takes', () => {
    const bytes = bytesOf({
      ...connection,
      response_flags: { no_route_found: true },
      connection_termination_details: 'filter_chain_not_found',
    })
    expect(decodeConnectionFailure(bytes, 'envoy-0')).toEqual({
      ...failed,
      kind: 'no_chain',
      detail: 'filter_chain_not_found',
    })
  })

  test('that did not fail is none', () => {
    expect(decodeConnectionFailure(bytesOf(connection), 'envoy-0')).toBeUndefined()
    expect(decodeConnectionFailure(new Uint8Array(), 'envoy-0')).toBeUndefined()
  })

  test('of which little is known', () => {
    const bytes = bytesOf({ downstream_transport_failure_reason: 'x' })
    expect(decodeConnectionFailure(bytes, 'n')).toEqual({
      node: 'n',
      startTime: 0,
      peer: undefined,
      local: undefined,
      sni: '',
      kind: 'handshake',
      detail: 'x',
    })
  })

  test('that is cut off is refused', () => {
    const bytes = bytesOf({ ...connection, downstream_transport_failure_reason: 'x' })
    for (const length of [1, 5, bytes.length - 1])
      expect(() => decodeConnectionFailure(bytes.subarray(0, length), 'n')).toThrow()
  })
})
