// The routes of one server group on one listener: root, entries from the longest expression to the shortest,
// default; each with its streaming variants before it (spec control-plane 2.5). Every path has one: a request
// without a route would pass the filter by.
import type { MapEntry, ProxyTemplate, ServerGroup } from '#config'
import { readsBody } from '#pipeline'
import type { JsonObject } from './json.ts'
import { redirectRoutes } from './https-redirect.ts'
import type { World } from './kind.ts'
import { type Variant, routeAction } from './route-action.ts'
import { type BodyMode, authz, routeFilters } from './route-filters.ts'
import type { ListenerSettings } from './settings.ts'
import { statefulSession } from './stickiness.ts'

type Site = { readonly world: World; readonly listener: ListenerSettings; readonly group: ServerGroup }

/** Root first, then by length of the expression, ties in document order, default last. */
export function inMatchOrder(entries: readonly MapEntry[]): readonly MapEntry[] {
  const of = (role: MapEntry['role']): readonly MapEntry[] => entries.filter((entry) => entry.role === role)
  const longestFirst = of('path').toSorted((a, b) => [...b.match].length - [...a.match].length)
  return [...of('root'), ...longestFirst, ...of('default')]
}

/** Envoy matches whole paths, the documents search in them. `(?s)` because a dot must not stop at a newline. */
export const searchAsFullMatch = (expression: string): string => `(?s).*(?:${expression}).*`

function pathMatch(entry: MapEntry): JsonObject {
  switch (entry.role) {
    case 'root':
      return { path: '/' }
    case 'path':
      return { safe_regex: { regex: searchAsFullMatch(entry.match) } }
    case 'default':
    case 'site-level':
      return { prefix: '/' }
    default:
      return entry.role satisfies never
  }
}

const absent = (name: string): JsonObject => ({ name, present_match: true, invert_match: true })

/** A handshake and nothing else: its route does not read bodies, so nothing that could carry one may take it. */
const websocketHandshake: readonly JsonObject[] = [
  { name: 'upgrade', string_match: { exact: 'websocket', ignore_case: true } },
  { name: ':method', string_match: { exact: 'GET' } },
  absent('content-length'),
  absent('transfer-encoding'),
]

function variantMatch(variant: Variant): JsonObject {
  switch (variant) {
    case 'grpc':
      return { grpc: {} }
    case 'websocket':
      return { headers: websocketHandshake }
    case 'unsized':
      return { headers: [absent('content-length')] }
    case 'plain':
      return {}
    default:
      return variant satisfies never
  }
}

/** How an entry can be reached; only the plain variant gives the filter more of a body than its first byte. */
export function variantsOf(entry: MapEntry, group: ServerGroup, inspects: boolean): readonly Variant[] {
  const { template } = group
  const unsized = template.unsizedBody === 'length_required' && !inspects
  const grpc = entry.grpc && entry.backend?.http2 === true && (inspects || unsized)
  return [
    ...(grpc ? (['grpc'] as const) : []),
    ...(template.websocket ? (['websocket'] as const) : []),
    ...(unsized ? (['unsized'] as const) : []),
    'plain',
  ]
}

const header = (key: string, value: string): JsonObject => ({
  header: { key, value },
  append_action: 'ADD_IF_ABSENT',
})

function headers(site: Site): JsonObject {
  const { realIpHeader, acaoHeader } = site.group.template
  return {
    // The filter sets the same header; this is for requests that passed without it.
    request_headers_to_add: [header(realIpHeader, '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%')],
    ...(acaoHeader ? { response_headers_to_add: [header('access-control-allow-origin', '*')] } : {}),
  }
}

/**
 * How much of a body the filter gets. That a request without length has a body shows only when its first byte is there:
 * Envoy takes Transfer-Encoding away, and HTTP/2 has none.
 */
function bodyMode(variant: Variant, inspects: boolean, template: ProxyTemplate): BodyMode {
  if (variant === 'unsized') return { inspect: 'first-byte' }
  return inspects && variant === 'plain'
    ? { inspect: 'prefix', bytes: template.clientBodyBufferBytes }
    : { inspect: 'none' }
}

function route(entry: MapEntry, variant: Variant, site: Site, inspects: boolean): JsonObject {
  const { world, listener, group } = site
  const { template } = group
  // Nobody may slip past the check of certificates while the filter is away.
  const { mode } = group.clientCertificate
  const service = entry.backend
  if (!service) throw new Error(`map entry ${entry.id} of ${group.policy.id} has no backend service`)
  const body = bodyMode(variant, inspects, template)
  const { cluster } = world.backends.of(service, template, listener)
  const made: JsonObject = {
    name: `${group.id}|${entry.id}${variant === 'plain' ? '' : `|${variant}`}`,
    match: { ...pathMatch(entry), ...variantMatch(variant) },
    route: routeAction({ cluster, service, template, variant, listener }),
    typed_per_filter_config: {
      ...routeFilters({
        context: {
          listener: listener.id,
          group: group.id,
          entry: entry.id,
          mtls: group.clientCertificate.mode,
        },
        template: mode === 'off' ? template : { ...template, failureMode: 'closed' },
        body,
        streams: variant === 'grpc' || variant === 'websocket',
      }),
      ...statefulSession(service, listener),
    },
    // Without this an HTTP/2 body past the stream's window is refused or reset.
    ...(body.inspect === 'prefix' ? { request_body_buffer_limit: 2 * body.bytes } : {}),
    ...headers(site),
  }
  return world.patcher.apply(template, 'route', { protocol: listener.protocol, entry: entry.id }, made)
}

/**
 * Requests without a certificate, or with one that was not validated. Envoy refuses them by itself when the filter is
 * away; asked first, the filter gives the reason and records the request (spec control-plane 2.4).
 */
function certificateRoutes({ listener, group }: Site): readonly JsonObject[] {
  const { mode } = group.clientCertificate
  if (mode === 'off') return []
  const refusal = (name: string, status: number, mtls: 'none' | 'failed', match: JsonObject): JsonObject => ({
    name: `${group.id}|${name}`,
    match: { prefix: '/', ...match },
    direct_response: { status },
    typed_per_filter_config: authz(
      { listener: listener.id, group: group.id, entry: '', mtls },
      { inspect: 'none' },
      'closed',
    ),
  })
  const absent = listener.protocol === 'http' ? {} : { tls_context: { presented: false } }
  const required = mode === 'on' ? [refusal('nocert', 496, 'none', absent)] : []
  if (listener.protocol === 'http') return required
  return [
    ...required,
    refusal('badcert', 495, 'failed', { tls_context: { presented: true, validated: false } }),
  ]
}

export function groupRoutes(
  world: World,
  listener: ListenerSettings,
  group: ServerGroup,
): readonly JsonObject[] {
  const site: Site = { world, listener, group }
  const entries = inMatchOrder(group.policy.entries).flatMap((entry) => {
    const inspects = readsBody(world.policy, group, entry)
    return variantsOf(entry, group, inspects).map((variant) => route(entry, variant, site, inspects))
  })
  const redirect = redirectRoutes(group, listener, world.settings.listeners)
  return [...redirect, ...certificateRoutes(site), ...entries]
}
