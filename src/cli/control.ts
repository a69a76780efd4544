// `weir control`: the control plane. Turns the folder into Envoy's configuration, sends it over ADS, and takes the access
// log back, out of which come the events.
import { dirname, join } from 'node:path'
import { encodeForFilters } from '#config'
import {
  type Fleet,
  type GrpcServerOptions,
  type Snapshot,
  admission,
  createAccessLog,
  createAds,
  createFleet,
  createGrpcServer,
  createSnapshotBuilder,
  createSnapshotKeeper,
  encodePolicy,
  keepFleet,
  readKeptFleet,
  readKeptSnapshot,
  withFilterResources,
} from '#envoy'
import {
  type Log,
  type SettingValues,
  type Settings,
  createRegistry,
  formatPlace,
  startMetrics,
} from '#platform'
import { type Locator, openLocator } from '#request'
import { createConnectionFailures, createIngest, openJournal } from '#traffic'
import type { Command } from './command.ts'
import { watchTraffic } from './control-metrics.ts'
import { databases } from './databases.ts'
import { printEvents } from './event-output.ts'
import { tell } from './messages.ts'
import { commonHelp, parseOptions } from './options.ts'
import { configFolder, followPolicy } from './policy-source.ts'
import { placeholderSource } from './placeholder.ts'
import { type Publication, createPublications } from './publications.ts'
import { keepRevocations } from './revocations.ts'
import { type Serving, runServing } from './run.ts'
import { xdsSettings } from './xds-settings.ts'
import { controlCredentials } from './xds-tls.ts'

const help = `Runs the control plane: configures Envoys over ADS and makes events of their access log.

Usage: weir control [--config DIR] [OPTIONS]

  --config DIR           folder with the configuration, watched for changes (default: the shipped one)
  --xds-listen PLACE     address and port for Envoys (default: 127.0.0.1:18000)
  --listen PLACE         where Envoys are to take requests (default: as load balancer http says, 0.0.0.0:8080)
  --listen-tls PLACE     and those over TLS (default: as load balancer https says, 0.0.0.0:8443)
  --control-metrics PLACE  address and port of /metrics (default: 127.0.0.1:18001)
  --journal FILE         file of events, rotated by size (default: var/events.jsonl)
  --events FORMAT        events on standard output as well: none, json or text (default: json)
${commonHelp}

The shipped configuration has its demo backend on this machine, where Envoys elsewhere do not find it, and is refused unless
the setting envoy.allow_loopback_backends is true (WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS=true).

Envoys ask the filters that run with --control and connect here; until one does, or when the setting xds.filters is
given, those of xds.filters (default: 127.0.0.1:9191).

Other machines are served over TLS, with the settings xds.tls.cert and xds.tls.key, and xds.tls.client_ca for certificates of
clients; without TLS only if xds.insecure says that a mesh encrypts. They send the token xds.token, or have a certificate.

Exit: 0 stopped by a signal · 1 it failed, e.g. a port is taken · 2 bad usage, settings or configuration

Example: WEIR_XDS_TLS_CERT=xds.pem WEIR_XDS_TLS_KEY=xds-key.pem weir control --config my-site --xds-listen 0.0.0.0:18000
`

/** The journal's folder is where this installation has its data. */
const besideJournal = (values: SettingValues, name: string): string =>
  join(dirname(values['traffic.journal.file']), name)

const keptPlace = (values: SettingValues) => ({
  file: values['xds.kept.file'] ?? besideJournal(values, 'envoy-config.kept'),
  maxBytes: values['xds.kept.max_bytes'],
  bucket: values['xds.bucket'],
})

const fleetPlace = (values: SettingValues) => ({
  file: values['xds.kept.fleet'] ?? besideJournal(values, 'filters.kept'),
  bucket: values['xds.bucket'],
})

/** The filters that connect; undefined: this installation says which there are. */
function openFleet({ values, given }: Settings, log: Log): Fleet | undefined {
  if (given.has('xds.filters')) return undefined
  const place = { ...fleetPlace(values), log }
  const fleet = createFleet({ kept: readKeptFleet(place), leaveMs: values['xds.filters_leave'] })
  fleet.onChange((filters) => keepFleet(place, filters))
  return fleet
}

type Site = {
  readonly folder: string
  /** Undefined: plain text. */
  readonly credentials: GrpcServerOptions['credentials']
}

async function start({ life, log, settings }: Serving, { folder, credentials }: Site): Promise<void> {
  const { values } = settings
  const registry = createRegistry({ process: 'control' })
  await life.start(
    'metrics',
    () => startMetrics(registry, values['control.metrics']),
    (server) => server.stop(),
  )
  const journal = await life.start(
    'journal',
    () =>
      openJournal({
        file: values['traffic.journal.file'],
        maxBytes: values['traffic.journal.max_bytes'],
        keep: values['traffic.journal.keep'],
        log,
      }),
    (one) => one.stop(),
  )
  const geo: { locator: Locator | undefined } = { locator: undefined }
  const probe = values['supervisor.probe']
  const ingest = createIngest({
    sinks: [(_event, json) => journal.offer(json), ...printEvents(values['traffic.print'])],
    maxEventBytes: values['traffic.event.max_bytes'],
    locate: (ip) => geo.locator?.locate(ip),
    ...(probe === undefined ? {} : { probe }),
  })
  const connections = createConnectionFailures({
    now: () => performance.now(),
    write({ node, peer, local, sni, detail }, reason, omitted) {
      const fields = { node, client: peer?.address, port: local?.port, sni, detail, omitted }
      log.info(fields, `a connection failed before a request: ${reason}`)
    },
  })
  const accessLog = createAccessLog({
    onEntry: ingest.take,
    onConnectionFailure: connections.take,
    onError: (error, lost) => log.warn({ err: error, lost }, 'an access log message could not be read'),
  })
  const kept = keptPlace(values)
  const before = readKeptSnapshot({ ...kept, log })
  const keeper = createSnapshotKeeper({ ...kept, log, acknowledged: () => ads.acknowledged() })
  const ads = createAds({
    log,
    fleet: openFleet(settings, log),
    bucket: values['xds.bucket'],
    onProgress: keeper.consider,
    timeoutMs: values['publish.timeout'],
    drainMs: values['publish.drain'],
    onNack(nack) {
      const { node, message } = nack
      const remedy = publications.refused(nack)
      tell({ kind: 'nack', node, reason: remedy === undefined ? message : `${message}. ${remedy}` })
    },
  })
  if (before) {
    ads.restore(before)
    log.info(
      { snapshot: before.version },
      'the Envoy configuration that was acknowledged last is offered again',
    )
  }
  watchTraffic(registry, { ingest, journal, connections, ads })

  const server = createGrpcServer({
    admit: admission(values['xds.token'], values['xds.tls.client_ca'] !== undefined),
    ...(credentials === undefined ? {} : { credentials }),
    onDefect: (error, path) => log.error({ err: error, path }, 'a gRPC method failed'),
  })
  ads.register(server.grpc)
  accessLog.register(server.grpc)
  const buildSnapshot = createSnapshotBuilder()
  const build = ({ policy, documents, maskingSeed }: Publication): Snapshot => {
    const { revision, branch } = policy
    const current = revocations.current()
    const snapshot = buildSnapshot(policy, { ...xdsSettings(policy, settings), revocations: current })
    const name = values['xds.bucket']
    return withFilterResources(
      snapshot,
      encodePolicy({ name, revision, branch, documents, maskingSeed, revocations: current }),
    )
  }
  const publications = createPublications({
    ads,
    build,
    log,
    onChange: (possible) => revocations.follow(possible.map(({ policy }) => policy)),
    onOutcome({ policy: { revision } }, outcome) {
      if (outcome === 'in force') tell({ kind: 'policy', revision })
      else tell({ kind: 'refused', problems: ['a node refused it'] })
    },
  })
  const revocations = await keepRevocations(life, {
    values,
    log,
    registry,
    // Envoys get the CAs of clients without those that were revoked.
    onChange: () => publications.again(),
  })
  await followPolicy(life, {
    folder,
    settings,
    log,
    load: { placeholder: placeholderSource(besideJournal(values, 'placeholder.pem'), log) },
    hasFallback: before !== undefined,
    running: () => publications.inForce?.policy.revision,
    apply(policy, { documents, maskingSeed }) {
      publications.put({ policy, documents: encodeForFilters(documents, policy), maskingSeed })
    },
  })
  const address = await life.start(
    'ads and access log',
    () => server.listen(formatPlace(values['xds.listen'])),
    async () => {
      await keeper.stop()
      ads.stop()
      accessLog.close()
      const patience = setTimeout(() => server.stop(), 1000)
      await server.drain()
      clearTimeout(patience)
    },
  )
  log.info({ address }, 'the control plane listens')
  tell({ kind: 'ready' })
  // Needed only for requests that no filter saw, and slow to open: Envoys need not wait for it.
  geo.locator = await openLocator(databases(settings))
}

export const controlCommand: Command = {
  name: 'control',
  summary: 'the control plane alone: Envoy configuration, access log, events',
  help,
  run(args, { shippedConfig }) {
    const { settings } = parseOptions(
      args,
      ['config', 'xds-listen', 'listen', 'listen-tls', 'control-metrics', 'journal', 'events'],
      {},
      () => ({ 'traffic.print': 'json' }),
    )
    const folder = configFolder(settings, shippedConfig)
    const credentials = controlCredentials(settings)
    return runServing({ settings, component: 'control' }, (serving) =>
      start(serving, { folder, credentials }),
    )
  },
}
