// docs/scaling.md: what so many requests a second need, reckoned from what one request was measured to take.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Result, figure } from './results.ts'
import { root } from './tools.ts'

/** Share of a core that is planned with: the rest is for peaks, and for what a core that is nearly full makes others wait. */
const planned = 0.6
const rates = [1000, 10_000, 100_000, 1_000_000] as const
const mixes = [
  ['get', 'browser GET'],
  ['json', '1.5 KB JSON POST, 66 values'],
] as const

type Mix = (typeof mixes)[number][0]

/** Of one request: microseconds of processor time of each process, and what it leaves behind. */
type Costs = Readonly<
  Record<
    | 'envoy'
    | 'filter'
    | 'control'
    | 'redis'
    | 'redis commands'
    | 'redis bytes in'
    | 'redis bytes out'
    | 'event bytes',
    number
  >
>

function costsOf(results: readonly Result[], mix: Mix): Costs | undefined {
  const of = (part: string): Result | undefined => results.find((result) => result.part === part)
  const weir = (metric: string): number | undefined => figure(of('peers'), 'weir', mix, metric)?.median
  const withRedis = (metric: string): number | undefined =>
    figure(of('peers'), 'weir-redis', mix, metric)?.median
  const left = (metric: string): number | undefined =>
    figure(of('footprint'), 'weir-redis', mix, metric)?.median
  const costs = {
    envoy: weir('cpu µs: envoy'),
    filter: weir('cpu µs: filter'),
    control: weir('cpu µs: control'),
    redis: withRedis('cpu µs: redis-server'),
    'redis commands': left('redis commands a request'),
    'redis bytes in': left('redis bytes in a request'),
    'redis bytes out': left('redis bytes out a request'),
    'event bytes': left('event bytes a request'),
  }
  const known = (all: typeof costs): all is { [K in keyof typeof costs]: number } =>
    !Object.values(all).includes(undefined)
  return known(costs) ? costs : undefined
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')

const count = (value: number): string =>
  value >= 10 ? Math.round(value).toLocaleString('en') : value.toPrecision(2)

const perRequest = (costs: readonly Costs[]): string => {
  const row = (name: string, unit: string, key: keyof Costs): readonly string[] => [
    `${name}, ${unit}`,
    ...costs.map((one) => count(one[key])),
  ]
  return table(
    ['one request', ...mixes.map(([, name]) => name)],
    [
      row('Envoy', 'µs of a core', 'envoy'),
      row('filter', 'µs of a core', 'filter'),
      row('control plane, for its event', 'µs of a core', 'control'),
      row('Redis, where state is shared', 'µs of a core', 'redis'),
      row('Redis', 'commands', 'redis commands'),
      row('to Redis', 'bytes', 'redis bytes in'),
      row('from Redis', 'bytes', 'redis bytes out'),
      row('journal', 'bytes', 'event bytes'),
    ],
  )
}

/** Whole ones: a process has one core at most. */
const cores = (rate: number, us: number): string =>
  Math.ceil((rate * us) / 1e6 / planned).toLocaleString('en')

const needs = (one: Costs): string =>
  table(
    [
      'requests a second',
      'Envoy workers',
      'filter processes',
      'control planes',
      'Redis masters',
      'to and from Redis, MB/s',
      'journal, MB/s',
    ],
    rates.map((rate) => [
      rate.toLocaleString('en'),
      cores(rate, one.envoy),
      cores(rate, one.filter),
      cores(rate, one.control),
      cores(rate, one.redis),
      count((rate * (one['redis bytes in'] + one['redis bytes out'])) / 1e6),
      count((rate * one['event bytes']) / 1e6),
    ]),
  )

const text = (costs: readonly [Costs, ...Costs[]], machine: string): string => `# Scaling

This page is written by \`npm run bench\` from what it measured (${machine}); do not edit it. It reckons: whoever plans
measures one request on machines of their own, and puts these figures in.

## What one request takes

The shipped policy, access log on, every event written. Processor time: \`npm run bench -- --only peers\`. Commands and
bytes, which are the same on every machine: \`npm run bench -- --only footprint\`.

${perRequest(costs)}

- **Envoy and filters** share nothing but Redis. More of them take more requests, each the same.
- **A filter process** has one core. \`--filters N\` starts several beside one Envoy, which keeps a connection to each.
- **Redis** is needed as soon as two filters are to count together. A request asks at most three times, whatever the number of
  rules; keys carry hash tags, so a cluster spreads them by rule and client. Without it a filter counts alone, in memory:
  1,000,000 counters take 243 MB (\`node bench/state.ts\`).
- **The control plane** takes the events of its Envoys. It is not asked for any request: while it is away, nothing is refused
  ([control plane](control-plane.md)).
- **A change** goes to every Envoy and filter, as the resources that changed: one host of 500,000 is 79 bytes for each of them
  (\`node bench/xds.ts\`), and 10,000 Envoys are 0.8 MB then; a new Envoy gets all 15 MiB.

## What so many requests need

Browser GETs, cores ${String(planned * 100)} % busy. A request that is refused early costs less, one with a body more: see above.

${needs(costs[0])}

## What a million a second would still need

- **Events.** All requests are events and all events are written, so the journal is the first to be too much. Weir has no
  sampling of passed requests yet.
- **Control planes.** One serves a bucket, and its Envoys send their access log there. More than one means more than one
  bucket today: a region or a cluster each.
- **One counter.** A rule that counts all requests under one key lives in one Redis master, which takes
  ${count(1e6 / costs[0].redis / 1000)} thousand requests a second at most; keys by client or session spread.
- **Connections.** Each Envoy worker keeps one to each filter of its list. Filters belong near their Envoys (setting
  \`filter.region\`), not all in one list.
`

/** Returns the file's name; undefined where nothing was measured yet that it could reckon with. */
export function writeScaling(results: readonly Result[]): string | undefined {
  const [first, ...others] = mixes.map(([mix]) => costsOf(results, mix))
  const rest = others.filter((one) => one !== undefined)
  const machine = results.find(({ part }) => part === 'peers')?.machine
  if (first === undefined || rest.length < others.length || machine === undefined) return undefined
  writeFileSync(
    join(root, 'docs', 'scaling.md'),
    text([first, ...rest], `${machine['processor'] ?? 'unknown processor'}, node ${machine['node'] ?? '?'}`),
  )
  return 'docs/scaling.md'
}
