// A record that is too large loses parts in a fixed order until it fits (spec traffic 1.7, pipeline 6.6): what explains
// the decision goes last.
import type { DecisionRecord } from './decision.ts'
import { cut } from './excerpt.ts'

/** Never left out while other parameters are there. */
export const keptHeaders: ReadonlySet<string> = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'host',
  'user-agent',
  'via',
  'x-cloud-trace-context',
  'x-forwarded-for',
  'x-forwarded-port',
  'x-forwarded-proto',
])

type Group = 'arguments' | 'headers' | 'cookies'
const groups: readonly Group[] = ['arguments', 'cookies', 'headers']

type Value = { readonly group: Group; readonly name: string; readonly bytes: number }

/** Bytes of JSON that a character takes at most: a control character becomes an escape of six. */
const mostPerCharacter = 6
/** Field names, numbers and punctuation of a record. */
const frame = 4096
const perText = 3

/** Fields of one text that a client, or a proxy before Weir, can make as long as a head may be. */
const single = [
  'reason',
  'user_agent',
  'referer',
  'authority',
  'host',
  'method',
  'ip',
  'request_id',
  'session',
] as const

/** Whether the record fits for certain: characters are counted, not encoded, and no further than the limit. */
function surelyFits(record: DecisionRecord, maxBytes: number): boolean {
  let bytes =
    frame +
    mostPerCharacter * ((record.query?.length ?? 0) + 2 * record.path.length + (record.body?.length ?? 0))
  const count = (text: string): void => {
    bytes += perText + mostPerCharacter * text.length
  }
  for (const group of [...groups, 'path_parts'] as const) {
    const values = record[group]
    for (const name in values) {
      count(name)
      count(values[name] ?? '')
      if (bytes > maxBytes) return false
    }
  }
  for (const list of [record.tags, record.logs, record.messages, record.monitor_reasons]) list.forEach(count)
  for (const triggers of [
    record.acl_triggers,
    record.gf_triggers,
    record.dr_triggers,
    record.rl_triggers,
    record.cf_triggers,
    record.cf_restrict_triggers,
  ]) {
    for (const trigger of triggers) {
      countTexts(trigger, count)
      if (bytes > maxBytes) return false
    }
  }
  for (const field of single) count(record[field] ?? '')
  for (const { value } of record.session_ids) count(value)
  return bytes <= maxBytes
}

/** Of a trigger: its names, its numbers as what they take at most, and its texts. */
function countTexts(trigger: object, count: (text: string) => void): void {
  for (const [name, value] of Object.entries(trigger) as readonly (readonly [string, unknown])[]) {
    count(name)
    if (typeof value === 'string') count(value)
    else if (Array.isArray(value)) value.forEach((item) => count(String(item)))
    else count(name)
  }
}

/** What a text takes in JSON, quotes and escapes included. */
const sizeOf = (text: string): number => Buffer.byteLength(JSON.stringify(text))

type Measure = (record: DecisionRecord) => number

/**
 * Bytes of a record's JSON, field by field: a step changes few fields of thousands of values, and only those are
 * written out again.
 */
function createMeasure(): Measure {
  const known = new Map<unknown, number>()
  const sizeOfField = (value: unknown): number => {
    if (typeof value !== 'object') return Buffer.byteLength(JSON.stringify(value))
    const size = known.get(value) ?? Buffer.byteLength(JSON.stringify(value))
    known.set(value, size)
    return size
  }
  return (record) => {
    let size = 1
    // A colon and a comma, or the brace at the end.
    for (const [name, value] of Object.entries(record)) size += name.length + 2 + 2 + sizeOfField(value)
    return size
  }
}

function triggering(record: DecisionRecord): ReadonlySet<string> {
  const located = [
    ...record.cf_triggers,
    ...record.cf_restrict_triggers,
    ...record.gf_triggers,
    ...record.rl_triggers,
  ]
  const groupOf: Readonly<Record<string, Group>> = { headers: 'headers', cookies: 'cookies' }
  return new Set(located.map(({ section, name }) => `${groupOf[section] ?? 'arguments'} ${name}`))
}

const originalName = (name: string): string => name.replace(/:decoded$/, '')

/** Largest first within a class. */
function valuesOf(record: DecisionRecord): readonly Value[] {
  return groups
    .flatMap((group) =>
      Object.entries(record[group]).map(([name, value]) => ({
        group,
        name,
        bytes: sizeOf(name) + sizeOf(value),
      })),
    )
    .filter(({ group, name }) => group !== 'headers' || !keptHeaders.has(name))
    .toSorted((a, b) => b.bytes - a.bytes)
}

function withoutValues(record: DecisionRecord, values: readonly Value[], excess: number): DecisionRecord {
  const removed: Record<Group, Set<string>> = { arguments: new Set(), headers: new Set(), cookies: new Set() }
  let gained = 0
  for (const { group, name, bytes } of values) {
    if (gained >= excess) break
    removed[group].add(name)
    gained += bytes + 2
  }
  // What loses nothing stays the object that it is: its size is known.
  const rest = (group: Group): Readonly<Record<string, string>> =>
    removed[group].size === 0
      ? record[group]
      : Object.fromEntries(Object.entries(record[group]).filter(([name]) => !removed[group].has(name)))
  return { ...record, arguments: rest('arguments'), headers: rest('headers'), cookies: rest('cookies') }
}

/** Only triggers of what decided stay: those that blocked, or the last one. */
function finalTriggers(record: DecisionRecord): DecisionRecord {
  const blocking = <T extends { readonly action: string }>(triggers: readonly T[]): readonly T[] =>
    triggers.filter(({ action }) => action === 'block' || action.endsWith('challenge')).slice(0, 1)
  return {
    ...record,
    gf_triggers: blocking(record.gf_triggers),
    rl_triggers: blocking(record.rl_triggers),
    cf_triggers: blocking(record.cf_triggers),
    cf_restrict_triggers: blocking(record.cf_restrict_triggers),
    acl_triggers: blocking(record.acl_triggers),
  }
}

const longestShortened = 256
const mostMessages = 20

const shorten = (text: string): string => cut(text, longestShortened)
const shortenIf = (text: string | null): string | null => (text === null ? null : shorten(text))

/** Everything that a client can make long, also the headers that are never left out. */
function shortenTexts(record: DecisionRecord): DecisionRecord {
  const brief = <T extends { readonly name: string; readonly value: string }>(
    triggers: readonly T[],
  ): readonly T[] =>
    triggers.map((trigger) => ({ ...trigger, name: shorten(trigger.name), value: shorten(trigger.value) }))
  return {
    ...record,
    reason: shortenIf(record.reason),
    messages: record.messages.slice(0, mostMessages).map(shorten),
    gf_triggers: brief(record.gf_triggers),
    rl_triggers: brief(record.rl_triggers),
    cf_triggers: brief(record.cf_triggers),
    cf_restrict_triggers: brief(record.cf_restrict_triggers).map((trigger) => ({
      ...trigger,
      actual: shorten(trigger.actual),
    })),
    acl_triggers: record.acl_triggers.map((trigger) => ({ ...trigger, tags: trigger.tags.slice(0, 10) })),
    headers: Object.fromEntries(
      Object.entries(record.headers).map(([name, value]) => [name, shorten(value)] as const),
    ),
    host: shorten(record.host),
    authority: shorten(record.authority),
    method: shorten(record.method),
    request_id: shorten(record.request_id),
    ip: shorten(record.ip),
    path: shorten(record.path),
    query: shortenIf(record.query),
    path_parts: {},
    body: null,
    user_agent: shortenIf(record.user_agent),
    referer: shortenIf(record.referer),
    // A policy may have hundreds of rules in one place.
    profiling: record.profiling.map((item) => ({ ...item, value: shortenIf(item.value) })),
  }
}

/** Hundreds of filters may have tagged one request: the longest tags go first. */
function fewerTags(record: DecisionRecord, excess: number): DecisionRecord {
  const removed = new Set<string>()
  let gained = 0
  for (const tag of record.tags.toSorted((a, b) => b.length - a.length)) {
    if (gained >= excess) break
    removed.add(tag)
    gained += tag.length + 3
  }
  return { ...record, tags: record.tags.filter((tag) => !removed.has(tag)) }
}

/** Leaves parts out until the record fits `maxBytes` of JSON; `examined` tells values that rules ran on. */
export function fitRecord(
  record: DecisionRecord,
  maxBytes: number,
  examined: (value: string) => boolean,
): DecisionRecord {
  if (surelyFits(record, maxBytes)) return record
  const measure = createMeasure()
  let size = measure(record)
  if (size <= maxBytes) return record
  const triggers = triggering(record)
  const classOf = ({ group, name }: Value): 'ignored' | 'examined' | 'triggering' => {
    if (triggers.has(`${group} ${originalName(name)}`)) return 'triggering'
    return examined(record[group][name] ?? '') ? 'examined' : 'ignored'
  }
  const classes = Map.groupBy(valuesOf(record), classOf)
  const removeClass =
    (wanted: 'ignored' | 'examined' | 'triggering') => (r: DecisionRecord, excess: number) =>
      withoutValues(r, classes.get(wanted) ?? [], excess)
  const steps: readonly (readonly [string, (r: DecisionRecord, excess: number) => DecisionRecord])[] = [
    ['logs', (r) => ({ ...r, logs: [] })],
    ['parameters:ignored', removeClass('ignored')],
    ['parameters:examined', removeClass('examined')],
    ['parameters:triggering', removeClass('triggering')],
    ['monitor_reasons', (r) => ({ ...r, monitor_reasons: [] })],
    ['reasons:other', finalTriggers],
    ['reason:content', shortenTexts],
    ['tags', fewerTags],
  ]
  // Room for `omitted` and the notice that name what is missing.
  const limit = maxBytes - 512
  let current = record
  const omitted: string[] = []
  for (const [name, step] of steps) {
    if (size <= limit) break
    const next = step(current, size - limit)
    const left = measure(next)
    if (left < size) omitted.push(name)
    current = next
    size = left
  }
  if (omitted.length === 0) return current
  return {
    ...current,
    truncated: true,
    omitted,
    messages: [
      ...current.messages.slice(0, mostMessages),
      `record truncated: ${omitted.join(', ')} left out`,
    ],
  }
}
