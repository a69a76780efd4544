// From the access log to the journal: repeats and the supervisor's own probe are left out, the rest is completed, bounded,
// and handed to every sink. Nothing here waits.
import type { AccessLogEntry } from '#envoy'
import { fitEvent } from './event-limit.ts'
import { type EventHead, type EventSettings, completeEvent, eventJson } from './event.ts'

/** `event` is what was read of it; `json` the whole, in one line. */
export type Sink = (event: EventHead, json: string) => void

export type IngestOptions = EventSettings & {
  readonly sinks: readonly Sink[]
  /** Bytes of JSON that an event may have. */
  readonly maxEventBytes: number
  /** User agent of the readiness probe, known to nobody else; its requests are no traffic. */
  readonly probe?: string
  /** Entries that are remembered so that a repeat is recognised; default 200,000 (spec traffic 2.4). */
  readonly remembered?: number
}

export type IngestStats = { readonly events: number; readonly repeats: number; readonly probes: number }

export type Ingest = { readonly take: (entry: AccessLogEntry) => void; stats(): IngestStats }

/** Remembers the last `size` to 2 × `size` keys: two generations, of which the older is forgotten at once. */
function memory(size: number): (key: string) => boolean {
  let young = new Set<string>()
  let old = new Set<string>()
  return (key) => {
    if (young.has(key) || old.has(key)) return true
    young.add(key)
    if (young.size >= size) [old, young] = [young, new Set()]
    return false
  }
}

/** Envoy sends what it had buffered once more when its log stream breaks. */
const keyOf = ({ node, requestId, startTime, peer, durations }: AccessLogEntry): string =>
  `${node} ${String(startTime)} ${requestId || `${peer?.address ?? ''}:${String(peer?.port)} ${String(durations.duration)}`}`

/** JSON takes these as they are; what reads lines may take them for ends of lines. */
const lineEnds = /[\u2028\u2029]/g
const inOneLine = (json: string): string =>
  json.replace(lineEnds, (end) => (end === '\u2028' ? '\\u2028' : '\\u2029'))

export function createIngest(options: IngestOptions): Ingest {
  const { sinks, maxEventBytes, probe, remembered = 200_000 } = options
  const seen = memory(remembered)
  const counts = { events: 0, repeats: 0, probes: 0 }
  return {
    take(entry) {
      if (seen(keyOf(entry))) {
        counts.repeats++
        return
      }
      if (probe !== undefined && entry.userAgent === probe) {
        counts.probes++
        return
      }
      const event = completeEvent(entry, options)
      const json = inOneLine(fitEvent(eventJson(event), maxEventBytes))
      counts.events++
      for (const sink of sinks) sink(event.head, json)
    },
    stats: () => ({ ...counts }),
  }
}
