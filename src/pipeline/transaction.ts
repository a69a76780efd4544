// One request on its way through the stages: what was received, where it belongs, and what has been found so far.
// Stages read the request and the site; of the rest each only appends.
import type { MapEntry, SecurityPolicy, ServerGroup } from '#config'
import type { HumanLevel, Location, RequestView } from '#request'
import type {
  AclTrigger,
  ContentTrigger,
  FilterTrigger,
  LimitTrigger,
  QuarantineTrigger,
  RestrictionTrigger,
} from './decision.ts'
import type { TagSet } from './tags.ts'

export type Triggers = {
  readonly acl: AclTrigger[]
  readonly gf: FilterTrigger[]
  readonly dr: QuarantineTrigger[]
  readonly rl: LimitTrigger[]
  readonly cf: ContentTrigger[]
  readonly cfRestrict: RestrictionTrigger[]
}

/** What an application knows its visitor by (spec pipeline 3.3). */
export type Session = {
  /** The clear values, joined; for counters only. */
  readonly key: string
  /** Lower-case hex SHA-224 of seed ‖ main ‖ (0x1F ‖ other)… */
  readonly hash: string
  /** One per configured selector that has a value: its name and the hash of seed ‖ value. */
  readonly ids: readonly { readonly name: string; readonly value: string }[]
}

/** Where the request belongs. */
export type Site = {
  readonly group: ServerGroup
  readonly policy: SecurityPolicy
  readonly entry: MapEntry
}

/** Milestones of spec pipeline 6.4 with the time at which they were reached. */
export type Milestone = { readonly name: string; readonly value: string | null; readonly us: number }

export type Transaction = {
  readonly request: RequestView
  readonly location: Location
  readonly site: Site
  readonly human: HumanLevel
  readonly session: Session
  readonly tags: TagSet
  readonly triggers: Triggers
  readonly monitorReasons: string[]
  readonly messages: string[]
  readonly logs: string[]
  /** Headers to set upstream; a later stage replaces an earlier one's. */
  readonly requestHeaders: Map<string, string>
  readonly milestones: Milestone[]
  /** The furthest stage reached (spec pipeline 4). */
  stage: number
  /** A `monitor` action, a satisfied challenge or a content filter report took effect. */
  monitored: boolean
  /** Rules ran on the request's values: an oversized record keeps those longer than values that nothing looked at. */
  contentFilterRan: boolean
}

export function emptyTriggers(): Triggers {
  return { acl: [], gf: [], dr: [], rl: [], cf: [], cfRestrict: [] }
}
