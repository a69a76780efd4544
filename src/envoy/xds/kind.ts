// One kind of Envoy resource. A file per kind exports one of these; `resources.ts` is their list.
import type { Policy } from '#config'
import type { Backends } from './backends.ts'
import type { JsonObject } from './json.ts'
import type { Patcher } from './patches/apply.ts'
import type { XdsSettings } from './settings.ts'
import type { Temporary } from './temporary.ts'

/** What resources are made from. */
export type World = {
  readonly policy: Policy
  readonly settings: XdsSettings
  readonly backends: Backends
  readonly temporary: Temporary
  readonly patcher: Patcher
}

export type Kind = {
  readonly name: 'cluster' | 'endpoint' | 'extension' | 'listener' | 'route' | 'secret'
  /** Full name of the protobuf message; the type URL is `type.googleapis.com/` and this. */
  readonly message: string
  /** Envoy subscribes to all resources of the kind, or to those that others name. */
  readonly subscription: 'all' | 'named'
  /** Place in a publish: kinds of one step are sent together, the next step waits for their ACKs (spec control-plane 2.11). */
  readonly step: number
  nameOf(resource: JsonObject): string
  build(world: World): readonly JsonObject[]
}
