// The figures of the control plane, read from those who keep them whenever somebody asks.
import type { Ads } from '#envoy'
import { Counter, Gauge, type Registry } from '#platform'
import type { ConnectionFailures, Ingest, Journal } from '#traffic'

export type Watched = {
  readonly ingest: Pick<Ingest, 'stats'>
  readonly journal: Pick<Journal, 'stats'>
  readonly connections: Pick<ConnectionFailures, 'stats'>
  readonly ads: Pick<Ads, 'status'>
}

export function watchTraffic(registry: Registry, { ingest, journal, connections, ads }: Watched): void {
  const registers = [registry]
  const counter = (name: string, help: string, read: () => number): void => {
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset()
        this.inc(read())
      },
    })
  }
  counter('weir_events_total', 'Requests that became events.', () => ingest.stats().events)
  counter('weir_events_repeated_total', 'Entries that Envoy sent again.', () => ingest.stats().repeats)
  counter('weir_journal_written_total', 'Events written to the journal.', () => journal.stats().written)
  counter(
    'weir_traffic_dropped_total',
    'Events lost because the journal could not take them.',
    () => journal.stats().dropped,
  )
  counter(
    'weir_journal_failures_total',
    'Attempts to write the journal that failed.',
    () => journal.stats().failures,
  )
  new Counter({
    name: 'weir_connection_failures_total',
    help: 'Connections that failed before a request, by reason: no_chain, or what the TLS handshake failed of.',
    labelNames: ['reason'],
    registers,
    collect() {
      this.reset()
      for (const [reason, count] of connections.stats()) this.inc({ reason }, count)
    },
  })
  new Gauge({
    name: 'weir_journal_waiting',
    help: 'Events that wait to be written.',
    registers,
    collect() {
      this.set(journal.stats().waiting)
    },
  })
  const connected = { weir_envoys_connected: 'envoy', weir_filters_connected: 'filter' } as const
  for (const [name, role] of Object.entries(connected))
    new Gauge({
      name,
      help: `${role === 'envoy' ? 'Envoys' : 'Filters'} that take their configuration from here.`,
      registers,
      collect() {
        this.set(ads.status().nodes.filter((node) => node.role === role).length)
      },
    })
}
