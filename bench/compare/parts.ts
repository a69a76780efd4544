// The parts of `npm run bench`, in the order in which they run. A new part is one entry here.
import { compare } from './compare.ts'
import { footprint } from './footprint.ts'
import { mixes } from './mixes.ts'
import { type RateOptions, addedLatency, costByRate, overload } from './rates.ts'
import { type Result, type Row, machine } from './results.ts'
import { subjectsOf } from './subjects/index.ts'

export type PartOptions = {
  readonly quick: boolean
  readonly rounds: number
  readonly say: (line: string) => void
}

export type Part = {
  readonly name: string
  readonly title: string
  run(options: PartOptions): Promise<Result>
}

type Comparing = {
  readonly name: string
  readonly title: string
  readonly subjects: readonly string[]
  readonly mixes: readonly string[]
  readonly quickMixes?: readonly string[]
}

const connections = 24

/** Servers taking turns under closed-loop load. */
const comparing = ({ name, title, subjects, mixes: wanted, quickMixes = wanted }: Comparing): Part => ({
  name,
  title,
  async run({ quick, rounds, say }) {
    const all = subjectsOf(subjects)
    const missing = all.flatMap((subject) => {
      const why = subject.missing?.()
      return why === undefined ? [] : [`${subject.name}: ${why}`]
    })
    for (const line of missing) say(`  left out: ${line}`)
    const seconds = quick ? 2 : 5
    const rows = await compare({
      subjects: all.filter((subject) => subject.missing?.() === undefined),
      mixes: (quick ? quickMixes : wanted).flatMap((id) => {
        const make = mixes[id]
        return make === undefined ? [] : [[id, make()] as const]
      }),
      rounds,
      seconds,
      connections,
      warmUpSeconds: quick ? 2 : 15,
      say,
    })
    return {
      part: name,
      title,
      command: `npm run bench -- --only ${name}`,
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      conditions: `closed loop, ${String(connections)} connections, ${String(rounds)} rounds of ${String(seconds)} s, one worker each`,
      rows,
      missing,
    }
  },
})

type AtRate = {
  readonly name: string
  readonly title: string
  readonly conditions: string
  readonly measure: (options: RateOptions) => Promise<readonly Row[]>
}

const atRate = ({ name, title, conditions, measure }: AtRate): Part => ({
  name,
  title,
  run: async (options) => ({
    part: name,
    title,
    command: `npm run bench -- --only ${name}`,
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    conditions,
    rows: await measure(options),
    missing: [],
  }),
})

export const parts: readonly Part[] = [
  comparing({
    name: 'transports',
    title: 'what the hop from Envoy to a filter costs, by transport',
    subjects: ['envoy', 'noop-grpc-js', 'noop-lean'],
    mixes: ['get'],
  }),
  comparing({
    name: 'peers',
    title: 'Weir beside its peers',
    subjects: [
      'envoy',
      'noop-lean',
      'weir-filter',
      'weir-empty',
      'weir',
      'weir-redis',
      'modsecurity',
      'coraza',
    ],
    mixes: ['get', 'json', 'form', 'json-100k', 'attacks', 'one-percent'],
    quickMixes: ['get', 'json', 'attacks'],
  }),
  comparing({
    name: 'filters',
    title: 'one filter process and two',
    subjects: ['weir-redis', 'weir-2'],
    mixes: ['get', 'json'],
  }),
  atRate({
    name: 'latency',
    title: 'the latency that Weir adds at half of its saturation',
    conditions: 'constant rate, each latency counted from the moment at which its request was due',
    measure: addedLatency,
  }),
  atRate({
    name: 'overload',
    title: 'three times as many requests as Weir can take',
    conditions: 'constant rate, at most 1000 visitors at once; who finds none free counts as lost',
    measure: overload,
  }),
  atRate({
    name: 'rates',
    title: 'what a request costs when few come',
    conditions: 'constant rate, few requests at once',
    measure: costByRate,
  }),
  atRate({
    name: 'footprint',
    title: 'what a request leaves in Redis and in the journal',
    conditions: 'counted over 500 requests of 2,000 clients',
    measure: footprint,
  }),
]
