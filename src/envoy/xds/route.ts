// Route configurations: which host is which site. Literal and wildcard hosts become virtual hosts; what Envoy's
// host table cannot say (expressions, ports, "every other host") becomes header matches in front of the routes
// of the virtual host that such a request reaches (spec control-plane 2.5).
import type { ServerGroup, ServerName } from '#config'
import { withTokens } from './acme.ts'
import { groupRoutes } from './group-routes.ts'
import { type JsonObject, fullMatch, isObject, textOf } from './json.ts'
import type { Kind, World } from './kind.ts'
import { authz } from './route-filters.ts'
import { type RouteTable, routeTables } from './route-tables.ts'
import type { ListenerSettings } from './settings.ts'

/** A name of a group, as Envoy's host table can take it: the domain, and the condition that it cannot say. */
type Claim = {
  readonly group: ServerGroup
  /** `*`: the last virtual host. */
  readonly domain: string
  readonly authority: JsonObject | undefined
  /** Order among claims of `*`: expressions from the longest, then `__default__`. */
  readonly rank: number
}

const withPort = /^(.*[^:]):(\d+)$/

function domainOf(host: string): { readonly domain: string; readonly port: string | undefined } {
  const bracketed = host.startsWith('[')
  const isBareV6 = !bracketed && host.split(':').length > 2
  if (isBareV6) return { domain: `[${host}]`, port: undefined }
  const parts = withPort.exec(host)
  return parts ? { domain: parts[1] ?? host, port: parts[2] } : { domain: host, port: undefined }
}

/**
 * A host expression as a match of the whole `:authority`. Its own anchors would stand in the way of the port and
 * the trailing dot that a Host may have; an expression that speaks of a port itself gets neither.
 */
function wholeAuthority(expression: string): JsonObject {
  const bare = expression
    .replace(/^~/, '')
    .replace(/(^|\|)\^/g, '$1')
    .replace(/(?<!\\)\$(?=\||$)/g, '')
  const namesPort = bare.replaceAll('(?:', '').includes(':')
  return fullMatch(namesPort ? `(?i)^(?:${bare})$` : `(?i)^(?:${bare})\\.?(:[0-9]+)?$`)
}

function claimOf(group: ServerGroup, name: ServerName): Claim {
  switch (name.kind) {
    case 'literal': {
      const { domain, port } = domainOf(name.host)
      const authority = port === undefined ? undefined : { exact: name.host, ignore_case: true }
      return { group, domain, authority, rank: 0 }
    }
    case 'wildcard': {
      const { domain, port } = domainOf(name.suffix)
      const authority = port === undefined ? undefined : { suffix: name.suffix, ignore_case: true }
      return { group, domain: `*${domain}`, authority, rank: 0 }
    }
    case 'regex':
      return { group, domain: '*', authority: wholeAuthority(name.pattern), rank: -[...name.pattern].length }
    case 'everything':
      return { group, domain: '*', authority: undefined, rank: 1 }
    default:
      return name satisfies never
  }
}

/** Adds a condition on Host to a route. */
function onlyFor(authority: JsonObject, route: JsonObject): JsonObject {
  const match = isObject(route['match'] ?? null) ? (route['match'] as JsonObject) : {}
  const others = Array.isArray(match['headers']) ? (match['headers'] as readonly JsonObject[]) : []
  return {
    ...route,
    match: { ...match, headers: [{ name: ':authority', string_match: authority }, ...others] },
  }
}

/** Nobody's host: the filter refuses it with a reason; Envoy's own answer stands behind that. */
const unrecognized = (listener: ListenerSettings): JsonObject => ({
  name: 'unrecognized',
  match: { prefix: '/' },
  direct_response: { status: 421 },
  typed_per_filter_config: authz(
    { listener: listener.id, group: '', entry: '', mtls: 'off' },
    { inspect: 'none' },
    'closed',
  ),
})

function virtualHosts(
  world: World,
  listener: ListenerSettings,
  { groups }: RouteTable,
): readonly JsonObject[] {
  const claims = groups.flatMap((group) => group.serverNames.map((name) => claimOf(group, name)))
  const routesOf = ({ group, authority }: Claim): readonly JsonObject[] => {
    const routes = groupRoutes(world, listener, group)
    return authority ? routes.map((route) => onlyFor(authority, route)) : routes
  }
  const elsewhere = claims.filter(({ domain }) => domain === '*').toSorted((a, b) => a.rank - b.rank)
  const everything = elsewhere.find(({ rank }) => rank === 1)
  const rest = [
    ...elsewhere.filter(({ rank }) => rank !== 1).flatMap(routesOf),
    ...(everything ? routesOf(everything) : [unrecognized(listener)]),
  ]

  // A host of which only a port is claimed has a virtual host as well; its other ports are nobody's.
  const byHost = claims.filter(({ domain, authority }) => domain !== '*' && authority === undefined)
  const byPort = claims.filter(({ domain, authority }) => domain !== '*' && authority !== undefined)
  const portRoutes = (domain: string): readonly JsonObject[] =>
    byPort.filter((claim) => claim.domain === domain).flatMap(routesOf)
  const taken = new Set(byPort.map(({ domain }) => domain))

  const named = groups.flatMap((group) => {
    const domains = byHost.filter((claim) => claim.group === group).map(({ domain }) => domain)
    const shared = domains.filter((domain) => !taken.has(domain))
    const own = domains.filter((domain) => taken.has(domain))
    const routes = groupRoutes(world, listener, group)
    const hosts: readonly JsonObject[] = [
      ...(shared.length > 0 ? [{ name: group.id, domains: shared, routes }] : []),
      ...own.map((domain) => ({
        name: `${group.id}|${domain}`,
        domains: [domain],
        routes: [...portRoutes(domain), ...routes],
      })),
    ]
    const owner = { protocol: listener.protocol, entry: group.policy.entries.map(({ id }) => id) }
    return hosts.map((host) => world.patcher.apply(group.template, 'virtual_host', owner, host))
  })
  const served = new Set(byHost.map(({ domain }) => domain))
  const portOnly = [...taken]
    .filter((domain) => !served.has(domain))
    .map((domain) => ({
      name: `port|${domain}`,
      domains: [domain],
      routes: [...portRoutes(domain), ...rest],
    }))
  return [...named, ...portOnly, { name: 'unrecognized', domains: ['*'], routes: rest }]
}

const build = (world: World, listener: ListenerSettings, table: RouteTable): JsonObject => ({
  name: table.name,
  virtual_hosts: withTokens(world.temporary.acme, virtualHosts(world, listener, table)),
  request_headers_to_add: [
    { header: { key: 'x-forwarded-port', value: `${listener.publicPort}` }, append_action: 'ADD_IF_ABSENT' },
  ],
  ignore_port_in_host_matching: true,
})

export const routes: Kind = {
  name: 'route',
  message: 'envoy.config.route.v3.RouteConfiguration',
  subscription: 'named',
  step: 3,
  nameOf: (resource) => textOf(resource, 'name'),
  build: (world) =>
    world.settings.listeners.flatMap((listener) =>
      routeTables(listener, world.policy).map((table) => build(world, listener, table)),
    ),
}
