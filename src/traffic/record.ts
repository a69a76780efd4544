// The decision record as it comes back from Envoy. Most of it is in the event as it is in the record, so that only the head
// is parsed, and the rest stays the text that the filter wrote. Filter and control plane may be of different versions and
// the access log port may be open to more than Envoy: a text whose head is not exactly what it should be is parsed whole,
// and each field is taken only if it is what it should be; what is not is blank.
import type { DecisionRecord } from '#pipeline'

/** What completing an event reads or changes: the filter writes these first. */
const headNames = [
  'request_id',
  'timestamp',
  'ip',
  'method',
  'host',
  'path',
  'query',
  'organization',
  'blocked',
  'challenge',
  'ichallenge',
  'reason',
  'monitor_reasons',
  'messages',
  'tags',
] as const satisfies readonly (keyof DecisionRecord)[]

export type RecordHead = Pick<DecisionRecord, (typeof headNames)[number]>
export type RecordRest = Omit<DecisionRecord, keyof RecordHead>

export type SplitRecord = {
  readonly head: RecordHead
  /** The other fields as in JSON, without braces. */
  readonly rest: string
}

/**
 * The first field after the head. Quotes inside of a text are escaped, and the head has no maps whose names come from
 * clients: where this is found first, there the head ends.
 */
const boundary = ',"server_group":'

/** What is known of a request that no filter judged: nothing. */
export const blankRecord: DecisionRecord = {
  server_group: '',
  server_group_id: '',
  branch: 'prod',
  host: '',
  authority: '',
  protocol: 'http',
  port: '',
  method: '',
  path: '',
  path_parts: {},
  query: null,
  arguments: {},
  headers: {},
  cookies: {},
  body: null,
  user_agent: null,
  referer: null,
  request_id: '',
  timestamp: 0,
  ip: '',
  asn: null,
  organization: null,
  country: null,
  country_code: null,
  geo_region: null,
  city: null,
  session: '-',
  session_ids: [],
  waap_id: null,
  human: false,
  bot: true,
  blocked: false,
  monitor: false,
  challenge: false,
  ichallenge: false,
  challenge_type: null,
  reason: null,
  monitor_reasons: [],
  messages: [],
  logs: [],
  tags: [],
  processing_stage: 0,
  acl_triggers: [],
  gf_triggers: [],
  dr_triggers: [],
  rl_triggers: [],
  cf_triggers: [],
  cf_restrict_triggers: [],
  trigger_counters: { acl: 0, cf: 0, cf_restrict: 0, dr: 0, gf: 0, rl: 0 },
  security_config: {
    acl_active: false,
    cf_active: false,
    cf_rules: 0,
    gf_rules: 0,
    rl_rules: 0,
    revision: '',
    secpolid: '',
    secpolentryid: '',
  },
  profiling: [],
  rbz_latency: 0,
  truncated: false,
  omitted: [],
}

type Shape = 'text' | 'text or null' | 'number' | 'truth' | 'list' | 'map'

function shapeOf(value: unknown): Shape | undefined {
  if (value === null) return 'text or null'
  if (Array.isArray(value)) return 'list'
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return 'number'
    case 'boolean':
      return 'truth'
    case 'object':
      return 'map'
    default:
      return undefined
  }
}

const shapes: ReadonlyMap<string, Shape | undefined> = new Map(
  Object.entries(blankRecord).map(([name, value]) => [name, shapeOf(value)]),
)

/** Of the lists, those of texts. */
const textLists: ReadonlySet<string> = new Set(['monitor_reasons', 'messages', 'logs', 'tags', 'omitted'])

const areTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === 'string')

function fits(name: string, value: unknown): boolean {
  const wanted = shapes.get(name)
  const is = shapeOf(value)
  if (wanted === 'list') return is === 'list' && (!textLists.has(name) || areTexts(value))
  return wanted !== undefined && (is === wanted || (wanted === 'text or null' && is === 'text'))
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> => shapeOf(value) === 'map'

const isHead = (value: unknown): value is RecordHead =>
  isGroup(value) &&
  Object.keys(value).length === headNames.length &&
  headNames.every((name) => fits(name, value[name]))

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Somebody else's value under Weir's key: the request is an event without a record.
    return undefined
  }
}

/**
 * The record of a filter that writes it as this one does; undefined: parse it. The rest is believed, but it cannot be more
 * than one line of the journal.
 */
export function splitText(text: string): SplitRecord | undefined {
  const end = text.indexOf(boundary)
  if (end < 0 || !text.endsWith('}') || text.includes('\n')) return undefined
  const head = parse(`${text.slice(0, end)}}`)
  return isHead(head) ? { head, rest: text.slice(end + 1, -1) } : undefined
}

export function splitRecord(record: DecisionRecord): SplitRecord {
  const { request_id, timestamp, ip, method, host, path, query, organization, ...others } = record
  const { blocked, challenge, ichallenge, reason, monitor_reasons, messages, tags, ...rest } = others
  const asked = { request_id, timestamp, ip, method, host, path, query, organization }
  const decided = { blocked, challenge, ichallenge, reason, monitor_reasons, messages, tags }
  return { head: { ...asked, ...decided }, rest: JSON.stringify(rest).slice(1, -1) }
}

/** The record in an access log entry; undefined if there is none. */
export function readRecord(text: string | undefined): SplitRecord | undefined {
  if (text === undefined) return undefined
  const split = splitText(text)
  if (split !== undefined) return split
  const value = parse(text)
  if (!isGroup(value)) return undefined
  const known = Object.entries(value).filter(([name, one]) => fits(name, one))
  return splitRecord({ ...blankRecord, ...Object.fromEntries(known) })
}
