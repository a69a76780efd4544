// One line per event for people: when, what became of it, the request, who asked, why, how long it took.
import type { TrafficEvent } from './event.ts'

/** What a readable line needs; events of other versions may lack parts. */
export type ReadableEvent = Partial<
  Pick<
    TrafficEvent,
    | 'timestamp'
    | 'result'
    | 'status'
    | 'method'
    | 'url'
    | 'ip'
    | 'reason'
    | 'monitor_reasons'
    | 'request_time'
    | 'query'
  >
>

const isText = (value: unknown): boolean => typeof value === 'string'
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isList = (value: unknown): boolean => Array.isArray(value)

const kinds: Readonly<Record<keyof ReadableEvent, (value: unknown) => boolean>> = {
  timestamp: isText,
  result: isText,
  status: isNumber,
  method: isText,
  url: isText,
  ip: isText,
  reason: (value) => value === null || isText(value),
  monitor_reasons: isList,
  request_time: isNumber,
  query: (value) => value === null || isText(value),
}

/** Whether a value out of a journal is an event: it says when and with which result, and nothing that is no field of one. */
export function isReadableEvent(value: unknown): value is ReadableEvent {
  if (typeof value !== 'object' || value === null) return false
  const fields = new Map(Object.entries(value))
  if (!fields.has('timestamp') || !fields.has('result')) return false
  return Object.entries(kinds).every(([name, isKind]) => !fields.has(name) || isKind(fields.get(name)))
}

/** A terminal must not take what a client sent for its own commands. */
const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd')

const shorten = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

const milliseconds = (seconds: number | undefined): string =>
  seconds === undefined ? '' : `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)}ms`

function why({ reason, monitor_reasons: monitored = [] }: ReadableEvent): string {
  if (typeof reason === 'string') return reason
  return monitored.length === 0 ? '' : `monitored: ${monitored.join('; ')}`
}

/** `2026-03-02 09:15:04.123 Blocked            473 GET shop.example.com/search?q=… 203.0.113.7 4ms Content filter: …` */
export function readableEvent(event: ReadableEvent): string {
  const { timestamp = '', result = '', status, method = '', url = '', query, ip = '', request_time } = event
  const address = shorten(`${url}${query ?? ''}`, 100)
  const columns = [
    timestamp.slice(0, 23).replace('T', ' '),
    result.padEnd(17),
    String(status ?? '-').padStart(3),
    (method || '-').padEnd(4),
    address || '-',
    ip || '-',
    milliseconds(request_time),
    shorten(why(event), 300),
  ]
  return printable(columns.join(' ').trimEnd())
}
