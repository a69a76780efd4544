// How a client meets the same host again: by a hash of something it has, or by a cookie that names the host
// (spec control-plane 2.5).
import type { BackendService } from '#config'
import { filterNames } from './http-filters.ts'
import { type JsonObject, extension, typed } from './json.ts'
import type { ListenerSettings } from './settings.ts'

/** Cookie of `autocookie`. Envoy adds HttpOnly itself. */
const name = 'weir_srv'

function ownCookie(listener: ListenerSettings): JsonObject {
  const secure = listener.protocol === 'https' ? [{ name: 'Secure' }] : []
  return { name, ttl: '0s', path: '/', attributes: [{ name: 'SameSite', value: 'Lax' }, ...secure] }
}

/** What the route says of it: the hash by which a host is chosen. */
export function hashPolicy(service: BackendService, listener: ListenerSettings): JsonObject {
  switch (service.sticky) {
    case 'none':
    case 'least_conn':
      return {}
    case 'iphash':
      return { hash_policy: [{ connection_properties: { source_ip: true } }] }
    case 'customcookie':
      // Without a ttl Envoy makes none of its own.
      return { hash_policy: [{ cookie: { name: service.stickyCookieName } }] }
    case 'autocookie':
      return service.stickyStrict ? {} : { hash_policy: [{ cookie: ownCookie(listener) }] }
    default:
      return service.sticky satisfies never
  }
}

/** For the filters of the route: the cookie holds the host's address, so that it leaves when that host does, and no sooner. */
export function statefulSession(service: BackendService, listener: ListenerSettings): JsonObject {
  if (service.sticky !== 'autocookie' || !service.stickyStrict) return {}
  const state = extension(
    'envoy.http.stateful_session.cookie',
    'envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState',
    { cookie: ownCookie(listener) },
  )
  return {
    [filterNames.statefulSession]: typed(
      'envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute',
      { stateful_session: { session_state: state, strict: false } },
    ),
  }
}
