// What a patch may change, target by target: a short list, because most fields of these resources carry the protection
// itself. Everything that is not listed stays as it was generated (spec control-plane 2.13).
import type { PatchTarget } from '#config'
import { isKnown, lookup } from '../../protos.ts'
import { type Json, isObject } from '../json.ts'
import { type Difference, sameJson } from './same-json.ts'

export type Target = {
  /** Full name of the protobuf message. */
  readonly message: string
  /** Whether this change may be. */
  readonly allows: (difference: Difference) => boolean
}

const startsWith = (difference: Difference, pointer: string): boolean =>
  pointer
    .split('/')
    .slice(1)
    .every((key, at) => difference.path[at] === key)

/** Exactly this list, with its first elements as they were. */
function appends({ path, before, after }: Difference, pointer: string): boolean {
  if (`/${path.join('/')}` !== pointer || !Array.isArray(after)) return false
  const kept: readonly Json[] = Array.isArray(before) ? before : []
  return kept.every((item, i) => sameJson(item, (after as readonly Json[])[i]))
}

type Rules = {
  /** Fields, with everything in them. */
  readonly any?: readonly string[]
  /** Lists that may only grow at their end. */
  readonly grow?: readonly string[]
  /** Objects of which numbers may change. */
  readonly numbersOf?: readonly string[]
}

const within = (message: string, { any = [], grow = [], numbersOf = [] }: Rules): Target => ({
  message,
  allows: (difference) =>
    any.some((pointer) => startsWith(difference, pointer)) ||
    grow.some((pointer) => appends(difference, pointer)) ||
    (typeof difference.after === 'number' &&
      numbersOf.some(
        (pointer) => startsWith(difference, pointer) && difference.path.length === pointer.split('/').length,
      )),
})

/** Every field of the message but these, under the names of the .proto file. */
const allBut = (message: string, fixed: readonly string[]): Target => ({
  message,
  allows: ({ path: [field] }) =>
    field !== undefined &&
    isKnown(message) &&
    Object.hasOwn(lookup(message).fields, field) &&
    !fixed.includes(field),
})

const tlsFields: Rules = { any: ['/common_tls_context/tls_params', '/common_tls_context/alpn_protocols'] }
const tls = 'envoy.extensions.transport_sockets.tls.v3'

export const targets: Readonly<Record<PatchTarget, Target>> = {
  http_connection_manager: within(
    'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      any: [
        '/server_name',
        '/via',
        '/proxy_status_config',
        '/tracing',
        '/delayed_close_timeout',
        '/drain_timeout',
        '/http_protocol_options/header_key_format',
        '/common_http_protocol_options/max_connection_duration',
        '/common_http_protocol_options/max_stream_duration',
      ],
      grow: ['/access_log'],
      numbersOf: ['/http2_protocol_options'],
    },
  ),
  // Which connections come in, and through which filters: nothing of it is left to patches.
  filter_chain: within('envoy.config.listener.v3.FilterChain', {}),
  downstream_tls: within(`${tls}.DownstreamTlsContext`, tlsFields),
  upstream_tls: within(`${tls}.UpstreamTlsContext`, tlsFields),
  virtual_host: within('envoy.config.route.v3.VirtualHost', {
    any: ['/response_headers_to_add', '/response_headers_to_remove', '/retry_policy'],
    grow: ['/request_headers_to_add'],
  }),
  route: within('envoy.config.route.v3.Route', {
    any: [
      '/route/timeout',
      '/route/idle_timeout',
      '/route/retry_policy',
      '/route/hash_policy',
      '/route/request_mirror_policies',
      '/route/prefix_rewrite',
      '/route/regex_rewrite',
      '/route/cors',
      '/response_headers_to_add',
      '/response_headers_to_remove',
    ],
    grow: ['/request_headers_to_add'],
  }),
  cluster: allBut('envoy.config.cluster.v3.Cluster', [
    'name',
    'type',
    'cluster_type',
    'eds_cluster_config',
    'load_assignment',
    'transport_socket',
    'transport_socket_matches',
  ]),
}

const nameOf = (item: Json): string | undefined => {
  const name = isObject(item) ? item['name'] : undefined
  return typeof name === 'string' ? name : undefined
}

/** What a change that is not allowed does: a list loses something that has a name, or anything else. */
export function describe({ before, after }: Difference): string {
  const left = new Set((Array.isArray(after) ? (after as readonly Json[]) : []).map(nameOf))
  const lost = (Array.isArray(before) ? (before as readonly Json[]) : [])
    .map(nameOf)
    .find((name) => name !== undefined && !left.has(name))
  return lost === undefined ? 'may not be changed' : `removes ${lost}`
}
