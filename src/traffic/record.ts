// The decision record as it comes back from Envoy. Filter and control plane may be of different versions and the access
// log port may be open to more than Envoy, so each field is taken only if it is what it should be; what is not is blank.
import type { DecisionRecord } from '#pipeline'

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

function fits(name: string, value: unknown): boolean {
  const wanted = shapes.get(name)
  const is = shapeOf(value)
  return wanted !== undefined && (is === wanted || (wanted === 'text or null' && is === 'text'))
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> => shapeOf(value) === 'map'

/** Every field is there and as it should be, and no other: nearly always, since one release wrote and reads it. */
function isRecord(value: Readonly<Record<string, unknown>>): value is DecisionRecord {
  let fields = 0
  for (const name in value) {
    if (!fits(name, value[name])) return false
    fields++
  }
  return fields === shapes.size
}

/** The record in an access log entry; undefined if there is none. */
export function readRecord(value: unknown): DecisionRecord | undefined {
  if (!isGroup(value)) return undefined
  if (isRecord(value)) return value
  const known = Object.entries(value).filter(([name, one]) => fits(name, one))
  return { ...blankRecord, ...Object.fromEntries(known) }
}
