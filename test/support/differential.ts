// What the differential tests compare: the request that the filter judged and the request that an origin received. An
// arrival that nobody judged, or that differs from what was judged, is a way past the filter.
import type { Recorded, RecordingOrigin } from './recording-origin.ts'
import type { Judged, Sites } from './sites.ts'
import { placeOf } from './targets-site.ts'

/** Why an arrival is not what was judged; empty when it is. */
export type Difference = { readonly sent: string; readonly differs: string }

const valuesOf = ({ headers }: Recorded, name: string): readonly string[] =>
  headers.filter(([key]) => key === name).map(([, value]) => value)

const idOf = (arrived: Recorded): string => valuesOf(arrived, 'x-request-id').join()

const lowered = (input: Judged['input']): readonly (readonly [string, string])[] =>
  input.headers.map(([name, value]) => [
    Buffer.from(name).toString('latin1').toLowerCase(),
    Buffer.from(value).toString('latin1'),
  ])

/** Names that Envoy takes off, joins or writes anew on the way to an origin. */
const rewritten = new Set([
  'connection',
  'keep-alive',
  'te',
  'content-length',
  'transfer-encoding',
  'cookie',
  'expect',
])

/** Headers that the origin reads and the filter did not. */
function unseenHeaders(arrived: Recorded, { input, decision }: Judged): readonly string[] {
  const seen = new Set(lowered(input).map(([name]) => name))
  const set = new Set(decision.requestHeaders.map(([name]) => name.toLowerCase()))
  const envoys = /^(host|x-forwarded-.*|x-request-id|x-envoy-.*|x-real-ip)$/
  return arrived.headers
    .map(([name]) => name)
    .filter((name) => !seen.has(name) && !set.has(name) && !envoys.test(name) && !rewritten.has(name))
}

function bodyDiffers(arrived: Recorded, { input }: Judged): boolean {
  if (input.body === undefined || input.body.partial) return false
  return !arrived.body.equals(input.body.bytes)
}

function framingOf(arrived: Recorded): string {
  return [
    ...valuesOf(arrived, 'content-length').map(() => 'length'),
    ...valuesOf(arrived, 'transfer-encoding'),
  ].join()
}

function differences(arrived: Recorded, judged: Judged | undefined, times: number): readonly string[] {
  if (judged === undefined) return ['the filter was not asked']
  const { input, decision } = judged
  const { record } = decision
  const place = placeOf(record.server_group_id, record.security_config.secpolentryid)
  const host = valuesOf(arrived, 'host').join(' and ')
  const rows: readonly (readonly [what: string, filter: unknown, origin: unknown])[] = [
    ['times', 1, times],
    ['answer', undefined, decision.answer?.status],
    ['method', input.method, arrived.method],
    ['target', input.target, arrived.target],
    ['path of the event', record.path, arrived.target.split('?', 1)[0]],
    ['query of the event', record.query ?? '', arrived.target.replace(/^[^?]*/, '')],
    ['host', input.authority, host],
    ['host of the event', record.authority.toLowerCase(), host.toLowerCase()],
    ['place', place, arrived.origin],
    ['body differs', false, bodyDiffers(arrived, judged)],
    ['headers that the filter did not see', '', unseenHeaders(arrived, judged).join()],
    ['one framing', true, ['', 'length', 'chunked'].includes(framingOf(arrived))],
  ]
  return rows.flatMap(([what, filter, origin]) =>
    filter === origin
      ? []
      : [`${what}: ${JSON.stringify(filter)} was judged, ${JSON.stringify(origin)} arrived`],
  )
}

export type Comparison = {
  readonly arrivals: number
  /** All of them, in words. */
  readonly wrong: readonly string[]
}

/** Every arrival at every origin against what the filter judged under the same request id. */
export function compare(sites: Sites, origins: readonly RecordingOrigin[]): Comparison {
  const arrivals = origins.flatMap(({ requests }) => requests)
  const judged = new Map(sites.judged.map((one) => [one.input.requestId, one]))
  const times = new Map<string, number>()
  for (const arrived of arrivals) times.set(idOf(arrived), (times.get(idOf(arrived)) ?? 0) + 1)
  const wrong = arrivals.flatMap((arrived) =>
    differences(arrived, judged.get(idOf(arrived)), times.get(idOf(arrived)) ?? 0).map(
      (difference) => `${arrived.method} ${arrived.target} at ${arrived.origin}: ${difference}`,
    ),
  )
  const strays = origins.flatMap(({ name, strays }) =>
    strays.map((bytes) => `${name} got bytes that are no request: ${JSON.stringify(bytes.slice(0, 300))}`),
  )
  return { arrivals: arrivals.length, wrong: [...wrong, ...strays] }
}

/** What became of one request: the target that arrived, else the status of the answer. */
export function outcomeOf(
  text: string,
  statuses: readonly number[],
  origins: readonly RecordingOrigin[],
): string | number {
  const id = /x-request-id: (\S+)/i.exec(text)?.[1]
  const arrived = origins.flatMap(({ requests }) => requests).find((one) => idOf(one) === id)
  return arrived?.target ?? statuses[0] ?? 0
}
