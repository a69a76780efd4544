// What the pipeline answers, and the record that travels with it (spec pipeline 5, 6). The record's field names
// are those of the traffic event (spec traffic 1.2), because it becomes one.

/** `undefined` from a stage means: go on. */
export type Verdict =
  /** Ends filtering; the request is sent on. `bypass` is the ACL's way to say it. */
  | { readonly kind: 'skip'; readonly by: 'action' | 'bypass' }
  | { readonly kind: 'block'; readonly answer: Answer; readonly reason: string }
  | {
      readonly kind: 'challenge' | 'interactive_challenge'
      readonly answer: Answer
      readonly reason: string
    }

/** A complete response from Weir to the client. */
export type Answer = {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: string
}

/** What a door does with the request. */
export type Decision = {
  readonly action: 'pass' | 'monitor' | 'skip' | 'block' | 'challenge' | 'interactive_challenge'
  /** Undefined: send the request on. */
  readonly answer: Answer | undefined
  /** Headers to set on the way upstream (they replace the client's). */
  readonly requestHeaders: readonly (readonly [name: string, value: string])[]
  /** Names of headers that must not reach the origin, e.g. `x-weir-ja3`. */
  readonly removeHeaders?: readonly string[]
  readonly record: DecisionRecord
}

export type Trigger = {
  readonly trigger_id: string
  readonly trigger_name: string
  readonly action: string
  readonly extra: string
}
export type Located = { readonly section: string; readonly name: string; readonly value: string }
export type FilterTrigger = Trigger & Located
export type LimitTrigger = Trigger & Located & { readonly threshold: number; readonly counter: number }
export type AclTrigger = Trigger & { readonly acl_action: string; readonly tags: readonly string[] }
export type ContentTrigger = Trigger & Located & { readonly ruleid: string; readonly risk_level: number }
export type RestrictionTrigger = Trigger &
  Located & { readonly type: string; readonly actual: string; readonly expected: string }
export type QuarantineTrigger = Trigger & {
  readonly target: string
  readonly key: string
  readonly value: string
}

/** One per request, masked and bounded before it leaves the filter. */
export type DecisionRecord = {
  readonly server_group: string
  readonly server_group_id: string
  readonly branch: string
  readonly host: string
  readonly authority: string
  readonly protocol: string
  readonly port: string
  readonly method: string
  readonly path: string
  readonly path_parts: Readonly<Record<string, string>>
  readonly query: string | null
  readonly arguments: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: Readonly<Record<string, string>>
  readonly body: string | null
  readonly user_agent: string | null
  readonly referer: string | null
  readonly request_id: string
  /** Milliseconds since the epoch; Envoy's own start time takes its place in the event. */
  readonly timestamp: number
  readonly ip: string
  readonly asn: string | null
  readonly organization: string | null
  readonly country: string | null
  readonly country_code: string | null
  readonly geo_region: string | null
  readonly city: string | null
  readonly session: string
  readonly session_ids: readonly { readonly name: string; readonly value: string }[]
  readonly waap_id: string | null
  readonly human: boolean
  readonly bot: boolean
  readonly blocked: boolean
  readonly monitor: boolean
  readonly challenge: boolean
  readonly ichallenge: boolean
  readonly challenge_type: 'active' | 'interactive' | null
  readonly reason: string | null
  readonly monitor_reasons: readonly string[]
  readonly messages: readonly string[]
  readonly logs: readonly string[]
  /** Sorted. */
  readonly tags: readonly string[]
  readonly processing_stage: number
  readonly acl_triggers: readonly AclTrigger[]
  readonly gf_triggers: readonly FilterTrigger[]
  readonly dr_triggers: readonly QuarantineTrigger[]
  readonly rl_triggers: readonly LimitTrigger[]
  readonly cf_triggers: readonly ContentTrigger[]
  readonly cf_restrict_triggers: readonly RestrictionTrigger[]
  readonly trigger_counters: {
    readonly acl: number
    readonly cf: number
    readonly cf_restrict: number
    readonly dr: number
    readonly gf: number
    readonly rl: number
  }
  readonly security_config: {
    readonly acl_active: boolean
    readonly cf_active: boolean
    readonly cf_rules: number
    readonly gf_rules: number
    readonly rl_rules: number
    readonly revision: string
    readonly secpolid: string
    readonly secpolentryid: string
  }
  readonly profiling: readonly { readonly name: string; readonly value: string | null; readonly us: number }[]
  /** Microseconds of Weir's own processing. */
  readonly rbz_latency: number
  readonly truncated: boolean
  readonly omitted: readonly string[]
}
