// The figures of the shared state: whether Redis counts, and how often local counters had to. Read from the state whenever
// somebody asks, so that they cost a request nothing. An alert belongs on `weir_state_up` and on the rate of
// `weir_state_local_exchanges_total`: while it grows, limits hold once per filter process.
import { Counter, Gauge, type Registry } from '#platform'
import type { RedisState, RedisStats } from '#state'

const totals: readonly (readonly [string, string, (stats: RedisStats) => number])[] = [
  ['weir_state_exchanges_total', 'Questions to the shared state.', ({ exchanges }) => exchanges],
  [
    'weir_state_local_exchanges_total',
    'Questions that local counters answered in part or whole (tag state:local).',
    ({ localExchanges }) => localExchanges,
  ],
  [
    'weir_state_deadlines_total',
    'Questions that waited for the deadline (redis.deadline) in vain.',
    ({ deadlines }) => deadlines,
  ],
  ['weir_state_errors_total', 'Operations that Redis answered with an error.', ({ errors }) => errors],
]

/** Shows what `state` knows of its nodes and of its exchanges. */
export function watchState(registry: Registry, state: Pick<RedisState, 'stats'>): void {
  const registers = [registry]
  for (const [name, help, read] of totals)
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read(state.stats()))
      },
    })
  new Gauge({
    name: 'weir_state_up',
    help: '1 while counters are kept in this Redis node, 0 while they are kept locally.',
    labelNames: ['node'],
    registers,
    collect() {
      // Nodes of a cluster come and go.
      this.reset()
      for (const { node, up } of state.stats().links) this.labels(node).set(up ? 1 : 0)
    },
  })
  new Counter({
    name: 'weir_state_takeovers_total',
    help: 'How often local counters took over from a Redis node.',
    labelNames: ['node'],
    registers,
    collect() {
      this.reset()
      for (const { node, takeovers } of state.stats().links) this.labels(node).inc(takeovers)
    },
  })
}
