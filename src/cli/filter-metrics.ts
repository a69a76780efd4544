// The figures of a filter: what it decided and how long that took. Children of labelled series are looked up once, because
// these run for every request.
import type { Decision } from '#pipeline'
import { Counter, Gauge, Histogram, type Registry } from '#platform'
import type { RequestInput } from '#request'

export type Decide = (input: RequestInput) => Decision | Promise<Decision>

export type FilterMetrics = {
  /** Counts and times every decision of `decide`. */
  measured(decide: Decide): Decide
  defect(): void
  /** A request was refused unjudged, because the filter cannot keep up. */
  shed(): void
  policy(revision: string): void
  reload(outcome: 'applied' | 'refused'): void
}

const actions = ['pass', 'monitor', 'skip', 'block', 'challenge', 'interactive_challenge'] as const

export function filterMetrics(registry: Registry): FilterMetrics {
  const registers = [registry]
  const decisions = new Counter({
    name: 'weir_decisions_total',
    help: 'Requests judged, by what was decided.',
    labelNames: ['action'],
    registers,
  })
  const seconds = new Histogram({
    name: 'weir_decision_seconds',
    help: 'Time from a request in the filter to its decision.',
    buckets: [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.02, 0.1, 1],
    registers,
  })
  const defects = new Counter({
    name: 'weir_defects_total',
    help: 'Requests that could not be judged because of a defect of Weir.',
    registers,
  })
  const shed = new Counter({
    name: 'weir_shed_total',
    help: 'Requests refused unjudged because too many wait.',
    registers,
  })
  const policy = new Gauge({
    name: 'weir_policy_info',
    help: 'The policy in force.',
    labelNames: ['revision'],
    registers,
  })
  const reloads = new Counter({
    name: 'weir_policy_reloads_total',
    help: 'Changes of the configuration folder, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const byAction = new Map(actions.map((action) => [action, decisions.labels(action)]))

  const count = (decision: Decision, start: number): Decision => {
    byAction.get(decision.action)?.inc()
    seconds.observe((performance.now() - start) / 1000)
    return decision
  }
  return {
    measured: (decide) => (input) => {
      const start = performance.now()
      const decision = decide(input)
      return decision instanceof Promise
        ? decision.then((late) => count(late, start))
        : count(decision, start)
    },
    defect: () => defects.inc(),
    shed: () => shed.inc(),
    policy(revision) {
      policy.reset()
      policy.labels(revision).set(1)
    },
    reload: (outcome) => reloads.labels(outcome).inc(),
  }
}
