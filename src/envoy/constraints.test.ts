// Constraints of Envoy's own files, as they are said to an operator: where, and what must hold.
import { describe, expect, test } from '@jest/globals'
import { constraintBroken } from './constraints.ts'

const cluster = 'envoy.config.cluster.v3.Cluster'
const route = 'envoy.config.route.v3.Route'
const manager = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager'
const tls = 'envoy.extensions.transport_sockets.tls.v3'

describe('a message breaks a constraint', () => {
  const rows = [
    [
      'a time that must be longer than nothing',
      cluster,
      { name: 'a', connect_timeout: '0s' },
      '/connect_timeout',
      'must be > 0 s',
    ],
    ['a text that must not be empty', cluster, { connect_timeout: '1s' }, '/name', 'must not be empty'],
    [
      'a number inside a wrapper',
      cluster,
      { name: 'a', http2_protocol_options: { max_concurrent_streams: 0 } },
      '/http2_protocol_options/max_concurrent_streams',
      'must be ≥ 1',
    ],
    [
      'an element of a list',
      route,
      { match: { prefix: '/' }, route: { cluster: 'a' }, response_headers_to_add: [{ header: { key: '' } }] },
      '/response_headers_to_add/0/header/key',
      'must not be empty',
    ],
    [
      'a message that is required',
      route,
      { match: { prefix: '/' }, route: { cluster: 'a' }, response_headers_to_add: [{}] },
      '/response_headers_to_add/0/header',
      'is required',
    ],
    [
      'one of several that is required',
      route,
      { match: {}, route: { cluster: 'a' } },
      '/match',
      'one of prefix, path, safe_regex, connect_matcher, path_separated_prefix, path_match_policy is required',
    ],
    [
      'a line break in a header',
      route,
      { match: { prefix: '/' }, route: { cluster: 'a' }, response_headers_to_remove: ['a\r\nb'] },
      '/response_headers_to_remove/0',
      'must not have line breaks',
    ],
    [
      'a message inside Any',
      cluster,
      {
        name: 'a',
        typed_extension_protocol_options: {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
            '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          },
        },
      },
      '/typed_extension_protocol_options/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      'one of explicit_http_config, use_downstream_protocol_config, auto_config is required',
    ],
    [
      'a list that must not be empty',
      'envoy.config.route.v3.VirtualHost',
      { name: 'a', domains: [] },
      '/domains',
      'must have at least 1 element',
    ],
  ] as const
  test.each(rows)('%s', (_says, type, json, pointer, reason) => {
    expect(constraintBroken(type, json)).toMatchObject({
      pointer,
      reason: expect.stringContaining(reason.split(',')[0] ?? ''),
    })
  })

  const good = [
    ['a cluster', cluster, { name: 'a', connect_timeout: '1s' }],
    [
      'a manager',
      manager,
      {
        stat_prefix: 'a',
        route_config: { name: 'x' },
        http2_protocol_options: { max_concurrent_streams: 7 },
      },
    ],
    ['what is left out', `${tls}.UpstreamTlsContext`, {}],
  ] as const
  test.each(good)('%s breaks none', (_says, type, json) => {
    expect(constraintBroken(type, json)).toBeUndefined()
  })
})
