// The size limit of an event (spec traffic 1.7), checked once more at ingest: the filter has bounded the record with what it
// knows of the parameters, the completed event is a little larger. Here parts go whole, largest value first.
import { keptHeaders } from '#pipeline'
import type { TrafficEvent } from './event.ts'

type Draft = { -readonly [K in keyof TrafficEvent]: TrafficEvent[K] }

const maps = ['arguments', 'headers', 'cookies'] as const

const sizeOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Leaves out parameters, the largest first, until `excess` bytes are gone. */
function dropParameters(draft: Draft, excess: number): void {
  const candidates = maps
    .flatMap((map) =>
      Object.entries(draft[map])
        .filter(([name]) => map !== 'headers' || !keptHeaders.has(name))
        .map(([name, value]) => ({ map, name, bytes: sizeOf(name) + sizeOf(value) + 2 })),
    )
    .toSorted((a, b) => b.bytes - a.bytes)
  let gone = 0
  const dropped = new Set<string>()
  for (const { map, name, bytes } of candidates) {
    if (gone >= excess) break
    dropped.add(`${map}\0${name}`)
    gone += bytes
  }
  for (const map of maps)
    draft[map] = Object.fromEntries(
      Object.entries(draft[map]).filter(([name]) => !dropped.has(`${map}\0${name}`)),
    )
}

type Step = { readonly token: string; readonly apply: (draft: Draft, excess: number) => void }

const steps: readonly Step[] = [
  { token: 'logs', apply: (draft) => void (draft.logs = []) },
  { token: 'parameters:examined', apply: dropParameters },
  { token: 'monitor_reasons', apply: (draft) => void (draft.monitor_reasons = []) },
  {
    token: 'reasons:other',
    apply(draft) {
      draft.gf_triggers = []
      draft.cf_triggers = []
      draft.cf_restrict_triggers = []
      draft.rl_triggers = []
      draft.acl_triggers = []
      draft.dr_triggers = []
    },
  },
  {
    token: 'reason:content',
    apply(draft) {
      const { reason } = draft
      draft.reason = reason === null || reason.length <= 200 ? reason : `${reason.slice(0, 200)}...`
      draft.tags = draft.tags.slice(0, 100)
    },
  },
]

/** The JSON of an event, with as much left out as `maxBytes` demand. */
export function fitEvent(json: string, maxBytes: number): string {
  // Most events are far below: a character has at most three bytes in UTF-8.
  if (json.length * 3 <= maxBytes || Buffer.byteLength(json) <= maxBytes) return json
  const event = JSON.parse(json) as TrafficEvent
  const draft: Draft = { ...event, truncated: true }
  const omitted = new Set(event.omitted)
  let shorter = json
  for (const { token, apply } of steps) {
    apply(draft, Buffer.byteLength(shorter) - maxBytes + 256)
    omitted.add(token)
    draft.omitted = [...omitted]
    draft.messages = [...event.messages, `left out to keep the event small: ${draft.omitted.join(', ')}`]
    shorter = JSON.stringify(draft)
    if (Buffer.byteLength(shorter) <= maxBytes) break
  }
  return shorter
}
