// Plaintext requests to https (spec control-plane 2.9). The filter is asked as on every route, so bans and tags apply.
import type { ServerGroup } from '#config'
import type { JsonObject } from './json.ts'
import { authz } from './route-filters.ts'
import type { ListenerSettings } from './settings.ts'

const codes = {
  301: 'MOVED_PERMANENTLY',
  302: 'FOUND',
  307: 'TEMPORARY_REDIRECT',
  308: 'PERMANENT_REDIRECT',
} as const

const acmeChallenges = '/.well-known/acme-challenge/'

/** A CDN that took the request over TLS says so; on connections of strangers Envoy writes the header itself. */
const notYetTls: JsonObject = {
  name: 'x-forwarded-proto',
  string_match: { exact: 'https', ignore_case: true },
  invert_match: true,
  treat_missing_header_as_empty: true,
}

const noChallenge: JsonObject = {
  name: ':path',
  string_match: { prefix: acmeChallenges },
  invert_match: true,
}

/** Left out when both ports are those that a URL need not name. */
function portOf(plain: ListenerSettings, listeners: readonly ListenerSettings[]): JsonObject {
  const secure = listeners.find(({ protocol }) => protocol === 'https')
  if (secure === undefined || (plain.publicPort === 80 && secure.publicPort === 443)) return {}
  return { port_redirect: secure.publicPort }
}

/** The route before all entries; none on a TLS listener, or where the site wants none. */
export function redirectRoutes(
  { id, httpRedirect, clientCertificate, template }: ServerGroup,
  listener: ListenerSettings,
  listeners: readonly ListenerSettings[],
): readonly JsonObject[] {
  if (httpRedirect === 'off' || listener.protocol === 'https') return []
  const { mode } = clientCertificate
  // Whoever asks for certificates gets no requests over plaintext, those of a certificate authority neither.
  const conditions = mode === 'off' ? [notYetTls, noChallenge] : [notYetTls]
  return [
    {
      name: `${id}|redirect`,
      match: { prefix: '/', headers: conditions },
      redirect: { https_redirect: true, ...portOf(listener, listeners), response_code: codes[httpRedirect] },
      typed_per_filter_config: authz(
        // No entry: none of their bodies is read, and none of them is the request's destination.
        { listener: listener.id, group: id, entry: '', mtls: 'off' },
        { inspect: 'none' },
        mode === 'off' ? template.failureMode : 'closed',
      ),
    },
  ]
}
