// Why Envoy answered a request by itself (spec traffic 1.5): the causes in their order, the first that matches wins.
// `response_code_details` decides; a flag only where the row says so.
import type { AccessLogEntry } from '#envoy'

export type Refusal = { readonly reason: string; readonly tag: string }

type Cause = { readonly when: (entry: AccessLogEntry) => boolean } & Refusal

/** An attempt to reach the origin was made. */
export const wasSent = ({ upstream }: AccessLogEntry): boolean => upstream !== undefined

const details =
  (...names: readonly string[]) =>
  ({ responseCodeDetails }: AccessLogEntry): boolean =>
    names.includes(responseCodeDetails)

const general = (text: string): string => `General: ${text}`

const codec = /^http[123]\./

const malformed = ({ responseCodeDetails, responseFlags, responseCode }: AccessLogEntry): boolean =>
  codec.test(responseCodeDetails) ||
  (responseFlags.includes('downstream_protocol_error') && responseCode !== 0)

const timeouts = details(
  'request_header_timeout',
  'stream_idle_timeout',
  'request_overall_timeout',
  'max_duration_timeout',
)

const causes: readonly Cause[] = [
  {
    when: details('request_payload_too_large'),
    reason: general('request body too large'),
    tag: 'general:body-too-large',
  },
  {
    when: details('http1.headers_too_large', 'http2.too_many_headers', 'http1.too_many_headers'),
    reason: general('request headers too large'),
    tag: 'general:headers-too-large',
  },
  { when: malformed, reason: general('malformed request'), tag: 'general:malformed-request' },
  {
    // A redirect to the normalised path carries the same details; it refuses nothing.
    when: (entry) =>
      entry.responseCode >= 400 &&
      details(
        'missing_host_header',
        'missing_path_rejected',
        'absolute_path_rejected',
        'low_version',
        'path_normalization_failed',
        'request_headers_failed_strict_check',
      )(entry),
    reason: general('invalid request line'),
    tag: 'general:invalid-request',
  },
  {
    when: (entry) => timeouts(entry) && !wasSent(entry),
    reason: general('client timeout'),
    tag: 'general:timeout',
  },
  {
    when: details('local_rate_limited'),
    reason: general('IP rate limit exceeded'),
    tag: 'general:ip-rate',
  },
  { when: details('overload'), reason: general('proxy overloaded'), tag: 'general:overload' },
  {
    when: (entry) => entry.responseCode === 421 && !wasSent(entry),
    reason: general('unrecognized host header'),
    tag: 'unrecognized-host-header',
  },
  {
    when: (entry) => details('ext_authz_error')(entry) && !wasSent(entry),
    reason: general('filter unreachable'),
    tag: 'general:filter-unreachable',
  },
]

const originFailures = new Set(['no_healthy_upstream', 'cluster_not_found', 'maintenance_mode'])

/** What went wrong with the origin, up to the first brace of Envoy's details; undefined: nothing did. */
export function originError({ responseCodeDetails, responseFlags }: AccessLogEntry): string | undefined {
  const cause = responseCodeDetails.split('{', 1)[0] ?? ''
  if (cause.startsWith('upstream_') || originFailures.has(cause)) return cause
  if (cause === 'via_upstream' || cause === 'ext_authz_denied') return undefined
  return responseFlags.find((flag) => flag.startsWith('upstream_'))
}

/** Envoy's own answer after a pass, such as a redirect to https: neither a refusal nor the origin's. */
export const answeredByProxy = (entry: AccessLogEntry): boolean =>
  !wasSent(entry) &&
  originError(entry) === undefined &&
  entry.responseCode !== 0 &&
  (entry.responseCode < 400 || entry.responseCodeDetails === 'direct_response')

/** The general cause for which Envoy refused the request; undefined: it did not. */
export function refusalOf(entry: AccessLogEntry): Refusal | undefined {
  if (entry.responseCodeDetails === 'ext_authz_denied') return undefined
  const cause = causes.find(({ when }) => when(entry))
  if (cause !== undefined) return cause
  const refused =
    entry.responseCode >= 400 &&
    !wasSent(entry) &&
    originError(entry) === undefined &&
    !answeredByProxy(entry)
  return refused
    ? { reason: general(`refused by the proxy (${entry.responseCodeDetails})`), tag: 'general:other' }
    : undefined
}
