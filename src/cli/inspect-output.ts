// What `weir inspect` prints of a decision, and so what `--expect` can name. The names stand here once more than their
// types, which hold them together: an expectation is checked before there is a decision to compare it with.
import type { Decision, DecisionRecord } from '#pipeline'

export type InspectOutput = {
  readonly name?: string
  readonly action: Decision['action']
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly request_headers: Readonly<Record<string, string>>
  readonly tags: DecisionRecord['tags']
  readonly reason: DecisionRecord['reason']
  readonly monitor_reasons: DecisionRecord['monitor_reasons']
  readonly triggers: {
    readonly acl: DecisionRecord['acl_triggers']
    readonly gf: DecisionRecord['gf_triggers']
    readonly dr: DecisionRecord['dr_triggers']
    readonly rl: DecisionRecord['rl_triggers']
    readonly cf: DecisionRecord['cf_triggers']
    readonly cf_restrict: DecisionRecord['cf_restrict_triggers']
  }
  readonly event: DecisionRecord
}

export function inspectOutput(name: string | undefined, decision: Decision): InspectOutput {
  const { action, answer, record } = decision
  return {
    ...(name === undefined ? {} : { name }),
    action,
    status: answer?.status ?? null,
    headers: Object.fromEntries(answer?.headers ?? []),
    body: answer?.body ?? '',
    request_headers: Object.fromEntries(decision.requestHeaders),
    tags: record.tags,
    reason: record.reason,
    monitor_reasons: record.monitor_reasons,
    triggers: {
      acl: record.acl_triggers,
      gf: record.gf_triggers,
      dr: record.dr_triggers,
      rl: record.rl_triggers,
      cf: record.cf_triggers,
      cf_restrict: record.cf_restrict_triggers,
    },
    event: record,
  }
}

/** The names of fields at every depth; of a list, those of its items. `any`: a value without fields, or with any. */
export type Fields = 'any' | { readonly [name: string]: Fields }

type FieldsOf<T> = T extends readonly (infer Item)[]
  ? FieldsOf<Item>
  : T extends object
    ? string extends keyof T
      ? 'any'
      : { readonly [Name in keyof T]-?: FieldsOf<T[Name]> }
    : 'any'

const trigger = { trigger_id: 'any', trigger_name: 'any', action: 'any', extra: 'any' } as const
const located = { ...trigger, section: 'any', name: 'any', value: 'any' } as const
const acl = { ...trigger, acl_action: 'any', tags: 'any' } as const
const dr = { ...trigger, target: 'any', key: 'any', value: 'any' } as const
const rl = { ...located, threshold: 'any', counter: 'any' } as const
const cf = { ...located, ruleid: 'any', risk_level: 'any' } as const
const restriction = { ...located, type: 'any', actual: 'any', expected: 'any' } as const

const event: FieldsOf<DecisionRecord> = {
  server_group: 'any',
  server_group_id: 'any',
  branch: 'any',
  host: 'any',
  authority: 'any',
  protocol: 'any',
  port: 'any',
  method: 'any',
  path: 'any',
  path_parts: 'any',
  query: 'any',
  arguments: 'any',
  headers: 'any',
  cookies: 'any',
  body: 'any',
  user_agent: 'any',
  referer: 'any',
  request_id: 'any',
  timestamp: 'any',
  ip: 'any',
  asn: 'any',
  organization: 'any',
  country: 'any',
  country_code: 'any',
  geo_region: 'any',
  city: 'any',
  session: 'any',
  session_ids: { name: 'any', value: 'any' },
  waap_id: 'any',
  human: 'any',
  bot: 'any',
  blocked: 'any',
  monitor: 'any',
  challenge: 'any',
  ichallenge: 'any',
  challenge_type: 'any',
  reason: 'any',
  monitor_reasons: 'any',
  messages: 'any',
  logs: 'any',
  tags: 'any',
  processing_stage: 'any',
  acl_triggers: acl,
  gf_triggers: located,
  dr_triggers: dr,
  rl_triggers: rl,
  cf_triggers: cf,
  cf_restrict_triggers: restriction,
  trigger_counters: { acl: 'any', cf: 'any', cf_restrict: 'any', dr: 'any', gf: 'any', rl: 'any' },
  security_config: {
    acl_active: 'any',
    cf_active: 'any',
    cf_rules: 'any',
    gf_rules: 'any',
    rl_rules: 'any',
    revision: 'any',
    secpolid: 'any',
    secpolentryid: 'any',
  },
  profiling: { name: 'any', value: 'any', us: 'any' },
  rbz_latency: 'any',
  truncated: 'any',
  omitted: 'any',
}

/** What an expectation may name. */
export const outputFields: FieldsOf<InspectOutput> = {
  name: 'any',
  action: 'any',
  status: 'any',
  headers: 'any',
  body: 'any',
  request_headers: 'any',
  tags: 'any',
  reason: 'any',
  monitor_reasons: 'any',
  triggers: { acl, gf: located, dr, rl, cf, cf_restrict: restriction },
  event,
}
