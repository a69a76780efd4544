// `weir serve`: everything on one machine, supervised.
import type { ListenerSettings } from '#envoy'
import { formatPlace } from '#platform'
import type { Command } from './command.ts'
import { placeOf } from './listeners.ts'
import { commonHelp, parseOptions } from './options.ts'
import { configFolder } from './policy-source.ts'
import { localUrl } from './readiness.ts'
import { runServing } from './run.ts'
import { checkSite, createSite, envoyFor } from './supervisor.ts'

export const siteOptions = [
  'config',
  'listen',
  'listen-tls',
  'admin',
  'stats',
  'xds-listen',
  'control-metrics',
  'filter-listen',
  'filter-metrics',
  'filters',
  'redis',
  'journal',
  'events',
] as const

export const siteHelp = `  --config DIR           folder with the configuration, watched for changes (default: the shipped one)
  --listen-tls PLACE     requests over TLS (default: as load balancer https says, port 8443)
  --filters N            filter processes (default: 1); more than one need --redis
  --redis URL            redis://, rediss:// or redis-cluster://: shared counters
  --journal FILE         file of events, rotated by size (default: var/events.jsonl)
  --events FORMAT        events on standard output as well: none, json or text (default: text)
  --admin PLACE          Envoy's admin interface (default: 127.0.0.1:9901)
  --stats PLACE          Envoy's readiness and metrics (default: 127.0.0.1:9902)
  --filter-listen PLACE  the filter (default: 127.0.0.1:9191; further ones in steps of two)
  --filter-metrics PLACE metrics of the filter (default: 127.0.0.1:9192; the same)
  --xds-listen PLACE     the control plane (default: 127.0.0.1:18000)
  --control-metrics PLACE  metrics of the control plane (default: 127.0.0.1:18001)
${commonHelp}`

const help = `Runs a control plane, filters and, with --envoy, Envoy as child processes, and starts again what dies.

Usage: weir serve [--envoy] [--config DIR] [OPTIONS]

  --envoy                run Envoy as well (else start one with envoy/bootstrap.yaml)
  --listen PLACE         where Envoy takes requests (default: as load balancer http says, 0.0.0.0:8080)
${siteHelp}

SIGTERM and Ctrl-C drain: no new connections, running requests end (at most shutdown.timeout, 30 s), then
filters and control plane. A second signal ends everything at once.

Exit: 0 stopped by a signal · 1 it failed, e.g. a port is taken · 2 bad usage, settings or configuration

Example: weir serve --envoy --config my-site --listen 0.0.0.0:80
`

/** `http://localhost:8080 (Envoy on 0.0.0.0:8080), https://…` */
const describeListeners = (listeners: readonly ListenerSettings[]): string =>
  listeners
    .map((one) => `${localUrl(placeOf(one), one.protocol)} (Envoy on ${formatPlace(placeOf(one))})`)
    .join(', ')

export const serveCommand: Command = {
  name: 'serve',
  summary: 'control plane, filters and, with --envoy, Envoy on one machine',
  help,
  async run(args, { shippedConfig }) {
    const { settings, values } = parseOptions(
      args,
      siteOptions,
      { envoy: { type: 'boolean', default: false } },
      () => ({ 'envoy.allow_loopback_backends': 'true', 'traffic.print': 'text' }),
    )
    const folder = configFolder(settings, shippedConfig)
    const envoy = envoyFor(settings, values.envoy)
    const listeners = await checkSite(settings, folder, values.envoy)
    const site = createSite({ folder, envoy, listeners })
    return runServing({ settings, component: 'serve', force: site.kill }, async (serving) => {
      await site.start(serving)
      const { 'xds.listen': control, 'filter.listen': filter } = settings.values
      const where = values.envoy
        ? describeListeners(listeners)
        : `control plane on ${formatPlace(control)}, filter on ${formatPlace(filter)}`
      serving.log.info({ where }, 'ready')
      // Standard output may be a stream of JSON events, which this line would break.
      if (settings.values['traffic.print'] !== 'json') process.stdout.write(`ready: ${where}\n`)
    })
  },
}
