// The traffic event (spec traffic 1): the decision record of the filter, completed with what only Envoy knows. A request
// that no filter judged has no record, and its event says what the access log has. What a record says that is the same in
// the event stays text (record.ts). Pure but for the event's id.
import type { AccessLogEntry, Endpoint } from '#envoy'
import type { DecisionRecord } from '#pipeline'
import { canonicalAddress } from '#platform'
import type { Location } from '#request'
import { eventId } from './event-id.ts'
import { locationTags } from './location-tags.ts'
import { proxyValues } from './proxy-values.ts'
import { type RecordHead, type RecordRest, blankRecord, readRecord, splitRecord } from './record.ts'
import { type Refusal, answeredByProxy, originError, refusalOf, wasSent } from './refusals.ts'

export type Result = 'Passed' | 'Blocked' | 'Blocked by origin' | 'Challenge' | 'Interactive challenge'

export type Named<V = string> = { readonly name: string; readonly value: V }

export type UpstreamData = {
  readonly addr: string
  readonly response_time: number | null
  readonly status: number | null
}

/** What stands in an event beside what its record says of the request. */
type Completion = {
  readonly event_id: string
  /** RFC 3339 with microseconds. */
  readonly timestamp: string
  /** The same in Unix seconds. */
  readonly time_period: number
  readonly source: 'pipeline' | 'envoy'
  readonly hostname: string
  readonly version: string | null
  readonly url: string
  readonly biometric: readonly Named[]
  readonly result: Result
  readonly origin_blocked: boolean
  readonly status: number
  readonly proxy: readonly Named<string | null>[]
  readonly request_length: number
  readonly bytes_sent: number
  /** Seconds. */
  readonly request_time: number
  readonly upstream_addr: readonly string[]
  readonly upstream_status: readonly number[]
  /** Seconds. */
  readonly upstream_response_time: number | null
  readonly upstream_data: readonly UpstreamData[]
  readonly upstream_cluster: string
  readonly response_flags: readonly string[]
  readonly response_code_details: string
}

export type TrafficEvent = Omit<DecisionRecord, 'timestamp'> & Completion

/** An event without what was taken over from the record unread. */
export type EventHead = Omit<TrafficEvent, keyof RecordRest>

export type CompletedEvent = {
  readonly head: EventHead
  /** The other fields as in JSON, without braces. */
  readonly rest: string
}

/** The JSON of the whole event. */
export const eventJson = ({ head, rest }: CompletedEvent): string =>
  `${JSON.stringify(head).slice(0, -1)},${rest}}`

export type EventSettings = {
  /** For requests without a record; undefined: nothing is known of any place. */
  readonly locate?: (ip: string) => Location | undefined
  /** An answer of the origin with such a status is a refusal of its own (spec traffic 1.4). */
  readonly originBlockStatuses?: ReadonlySet<number>
}

const defaultOriginBlocks: ReadonlySet<number> = new Set([401, 403, 406, 429, 444, 451])

/** Events of one second follow each other: its date is written once. */
let lastSecond = { second: 0, text: '1970-01-01T00:00:00' }

/** `2026-03-02T09:15:04.123456Z`, from microseconds since the epoch. */
export function formatMicroseconds(us: number): string {
  const second = Math.floor(us / 1e6)
  if (second !== lastSecond.second)
    lastSecond = { second, text: new Date(second * 1000).toISOString().slice(0, -'.000Z'.length) }
  return `${lastSecond.text}.${String(us % 1e6).padStart(6, '0')}Z`
}

const formatEndpoint = ({ address, port }: Endpoint): string => {
  if (port === 0) return address
  return address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`
}

const year9999 = 253_402_300_799_999

/** Milliseconds that a date can have, whatever a record says. */
const dateOf = (timestamp: number): number => Math.min(Math.max(Math.trunc(timestamp), 0), year9999)

/** The host of an authority, without port. */
const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, '')

const orNull = (text: string): string | null => (text === '' ? null : text)

/**
 * What the access log has of the request. The query stays out: which arguments are to be masked only a filter knows, and
 * none judged this request.
 */
function unjudged(entry: AccessLogEntry, locate: EventSettings['locate']): DecisionRecord {
  const ip = canonicalAddress(entry.client?.address ?? entry.peer?.address ?? '') ?? ''
  const location = locate?.(ip)
  return {
    ...blankRecord,
    host: hostOf(entry.authority),
    authority: entry.authority,
    protocol: entry.scheme === 'https' || entry.tls !== undefined ? 'https' : 'http',
    port: entry.local === undefined ? '' : String(entry.local.port),
    method: entry.method,
    path: entry.path.split('?', 1)[0] ?? '',
    user_agent: orNull(entry.userAgent),
    referer: orNull(entry.referer),
    ip,
    asn: location?.asn === undefined ? null : `AS${String(location.asn)}`,
    organization: location?.organization ?? null,
    country: location?.country ?? null,
    country_code: location?.countryCode ?? null,
    geo_region: location?.region ?? null,
    city: location?.city ?? null,
    tags: ['all', 'bot', ...locationTags(ip, location)].toSorted(),
  }
}

type Upstream = Pick<
  TrafficEvent,
  'upstream_addr' | 'upstream_status' | 'upstream_response_time' | 'upstream_data' | 'upstream_cluster'
>

/** Seconds between two moments that Envoy gives in microseconds. */
const between = (from: number | undefined, to: number | undefined): number | null =>
  from === undefined || to === undefined ? null : Math.max(0, to - from) / 1e6

function upstreamOf(entry: AccessLogEntry): Upstream {
  const { upstream, durations, responseCodeDetails, responseCode } = entry
  const status = responseCodeDetails === 'via_upstream' ? responseCode : null
  const time =
    upstream === undefined
      ? null
      : between(durations.firstUpstreamRequestByte, durations.lastUpstreamResponseByte)
  const addr = upstream === undefined ? undefined : formatEndpoint(upstream)
  return {
    upstream_addr: addr === undefined ? [] : [addr],
    upstream_status: status === null ? [] : [status],
    upstream_response_time: time,
    upstream_data: addr === undefined ? [] : [{ addr, response_time: time, status }],
    // Envoy knows where a denied request would have gone; it did not go there.
    upstream_cluster: responseCodeDetails === 'ext_authz_denied' ? '' : entry.upstreamCluster,
  }
}

/** What the completed event says about the outcome. */
type Outcome = {
  readonly refusal: Refusal | undefined
  readonly originError: string | undefined
  /** Reached the origin although no filter had judged it. */
  readonly notInspected: boolean
}

function outcomeOf(entry: AccessLogEntry, record: RecordHead | undefined): Outcome {
  const decided = record !== undefined && (record.blocked || record.challenge || record.ichallenge)
  const refusal = decided ? undefined : refusalOf(entry)
  const failure = decided || refusal !== undefined ? undefined : originError(entry)
  const notInspected =
    record === undefined && refusal === undefined && (wasSent(entry) || failure !== undefined)
  return { refusal, originError: failure, notInspected }
}

function resultOf(record: RecordHead, outcome: Outcome, originBlocked: boolean): Result {
  if (record.ichallenge) return 'Interactive challenge'
  if (record.challenge) return 'Challenge'
  if (record.blocked || outcome.refusal !== undefined) return 'Blocked'
  return originBlocked ? 'Blocked by origin' : 'Passed'
}

/** The filter attaches the status that it asks for; the event's is the one that was sent. */
const isStatusTag = (tag: string): boolean => tag.startsWith('status') && /^status(-class)?:\d/.test(tag)

/** Puts a tag where it belongs among sorted ones. */
function addTag(tags: string[], tag: string): void {
  let at = tags.length
  while (at > 0 && (tags[at - 1] ?? '') > tag) at--
  if (tags[at - 1] !== tag) tags.splice(at, 0, tag)
}

function tagsOf(entry: AccessLogEntry, record: RecordHead, outcome: Outcome): readonly string[] {
  const { responseCode: status } = entry
  const tags = record.tags.filter((tag) => !isStatusTag(tag))
  if (status === 0) addTag(tags, 'client-disconnected')
  else {
    addTag(tags, `status:${String(status)}`)
    addTag(tags, `status-class:${String(Math.trunc(status / 100))}xx`)
  }
  if (wasSent(entry)) addTag(tags, 'sent-to-origin')
  if (entry.responseCodeDetails === 'via_upstream') addTag(tags, `upstream-status:${String(status)}`)
  if (outcome.refusal !== undefined) addTag(tags, outcome.refusal.tag)
  else if (answeredByProxy(entry) && entry.responseCodeDetails !== 'ext_authz_denied')
    addTag(tags, 'answered-by-proxy')
  if (outcome.originError !== undefined) addTag(tags, `origin-error:${outcome.originError}`)
  if (outcome.notInspected) addTag(tags, 'not-inspected')
  return tags
}

function messagesOf(entry: AccessLogEntry, record: RecordHead, outcome: Outcome): readonly string[] {
  const { upstreamAttempts: attempts } = entry
  return [
    ...record.messages,
    ...(attempts > 1 ? [`upstream attempts: ${String(attempts)}`] : []),
    ...(outcome.notInspected ? ['not inspected: filter unreachable'] : []),
  ]
}

/** One event per finished request; never throws for what an access log can say. */
export function completeEvent(entry: AccessLogEntry, settings: EventSettings = {}): CompletedEvent {
  const judged = readRecord(entry.record)
  const { head: record, rest } = judged ?? splitRecord(unjudged(entry, settings.locate))
  const outcome = outcomeOf(entry, judged?.head)
  const upstream = upstreamOf(entry)
  const blocks = settings.originBlockStatuses ?? defaultOriginBlocks
  const originBlocked = upstream.upstream_status.some((status) => blocks.has(status))
  const result = resultOf(record, outcome, originBlocked)
  const startUs = entry.startTime > 0 ? entry.startTime : dateOf(record.timestamp) * 1000
  const { durations } = entry
  const id = eventId(startUs / 1000)
  const repeated = {
    request_id: entry.requestId || record.request_id || id,
    status: entry.responseCode,
    request_length: entry.requestHeaderBytes + entry.requestBodyBytes,
    bytes_sent: entry.responseHeaderBytes + entry.responseBodyBytes,
    request_time: (durations.duration ?? durations.lastResponseByte ?? 0) / 1e6,
    organization: record.organization,
  }
  const head: EventHead = {
    event_id: id,
    timestamp: formatMicroseconds(startUs),
    time_period: Math.floor(startUs / 1e6),
    source: judged === undefined ? 'envoy' : 'pipeline',
    hostname: entry.node,
    version: entry.protocolVersion ?? null,
    method: record.method,
    host: record.host,
    path: record.path,
    query: record.query,
    url: `${record.host}${record.path}`,
    ip: record.ip,
    biometric: [],
    result,
    blocked: result === 'Blocked',
    origin_blocked: result === 'Blocked by origin',
    challenge: record.challenge,
    ichallenge: record.ichallenge,
    reason: record.reason ?? outcome.refusal?.reason ?? null,
    monitor_reasons: record.monitor_reasons,
    messages: messagesOf(entry, record, outcome),
    tags: tagsOf(entry, record, outcome),
    ...repeated,
    ...upstream,
    response_flags: entry.responseFlags,
    response_code_details: entry.responseCodeDetails,
    proxy: proxyValues(entry, repeated),
  }
  return { head, rest }
}
