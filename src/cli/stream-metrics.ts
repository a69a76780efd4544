// The figures of a filter's stream to the control plane.
import { Counter, Gauge, type Registry } from '#platform'

export type StreamMetrics = { connection(isConnected: boolean): void }

export function streamMetrics(registry: Registry): StreamMetrics {
  const registers = [registry]
  const connected = new Gauge({
    name: 'weir_control_connected',
    help: '1 while the stream to the control plane stands; without it the policy in force stays.',
    registers,
  })
  const lost = new Counter({
    name: 'weir_control_lost_total',
    help: 'How often the stream to the control plane broke.',
    registers,
  })
  return {
    connection(isConnected) {
      connected.set(isConnected ? 1 : 0)
      if (!isConnected) lost.inc()
    },
  }
}
