// `weir filter`: the data plane. Answers Envoy's ext_authz from the policy in force, which is swapped between requests when
// the folder changes, or the control plane publishes.
import { createChallenges } from '#challenge'
import { GrpcError, startFilterServer } from '#envoy'
import type { Policy } from '#config'
import { type Pipeline, createPipeline } from '#pipeline'
import {
  type Registry,
  type Settings,
  type SocketPlace,
  createRegistry,
  formatPlace,
  startMetrics,
  systemClock,
} from '#platform'
import { openLocator } from '#request'
import { type State, memoryState, redisState } from '#state'
import { type Command, UsageError } from './command.ts'
import { databases } from './databases.ts'
import { filterMetrics } from './filter-metrics.ts'
import { tell } from './messages.ts'
import { commonHelp, parseOptions } from './options.ts'
import { configFolder, followPolicy } from './policy-source.ts'
import { followRevocations } from './revocations.ts'
import { type Serving, runServing } from './run.ts'
import { watchState } from './state-metrics.ts'
import { streamMetrics } from './stream-metrics.ts'
import { subscribePolicy } from './subscribed-policy.ts'
import { nodeCredentials } from './xds-tls.ts'

const help = `Runs a filter: Envoy asks it about every request over gRPC (ext_authz).

Usage: weir filter [--control PLACE | --config DIR] [OPTIONS]

  --control PLACE        the control plane that has the policy; Envoys of it are sent to this filter
  --config DIR           folder with the configuration, watched for changes (default: the shipped one)
  --filter-listen PLACE  address and port for Envoy (default: 127.0.0.1:9191)
  --filter-metrics PLACE address and port of /metrics (default: 127.0.0.1:9192)
  --redis URL            counters are shared with other filters through this Redis (default: in memory)
${commonHelp}

Exit: 0 stopped by a signal · 1 it failed, e.g. a port is taken · 2 bad usage, settings or configuration

The shipped configuration has its demo backend on this machine, and is refused as a folder of this command unless the setting
envoy.allow_loopback_backends is true (WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS=true).

With --control the last policy is kept, and in force after a restart before the control plane is reached. Until there is
a policy the filter says NOT_SERVING to health checks. What it says of itself are the settings filter.node, filter.region and
filter.address; the token of the control plane is xds.token. A control plane on another machine is asked over TLS: xds.tls.ca
is the CA of its certificate, xds.tls.cert and xds.tls.key are what this filter shows where it asks for one.

Example: WEIR_XDS_TLS_CA=xds.pem weir filter --control 10.0.0.5:18000 --filter-listen 0.0.0.0:9191 --redis redis://redis:6379
         weir filter --config my-site --filter-listen 0.0.0.0:9191 --redis redis://redis:6379
`

/** Milliseconds within which Redis should answer before the filter says that it serves. */
const redisPatienceMs = 2000

async function startState({ life, log, settings }: Serving, registry: Registry): Promise<State> {
  const local = memoryState({ clock: systemClock })
  const { 'redis.url': url, 'redis.deadline': deadlineMs } = settings.values
  const shared =
    url === undefined ? undefined : redisState({ url, clock: systemClock, log, local, deadlineMs })
  const state = await life.start<State>(
    'state',
    () => shared ?? local,
    (one) => one.close(),
  )
  if (shared !== undefined) watchState(registry, shared)
  if (shared !== undefined && !(await shared.ready(redisPatienceMs)))
    log.warn({}, 'Redis does not answer yet: limits are counted in this process until it does')
  return state
}

const shedWarningMs = 10_000

/** Runs at once, and then not again for so long. */
function atMostEvery(ms: number, run: () => void): () => void {
  let last = -Infinity
  return () => {
    const now = performance.now()
    if (now - last < ms) return
    last = now
    run()
  }
}

/** What an event has beside its record. */
const besideRecord = 8192

/** Where the policy comes from. */
type Source =
  | { readonly kind: 'folder'; readonly folder: string }
  | {
      readonly kind: 'control'
      readonly control: SocketPlace
      readonly credentials: ReturnType<typeof nodeCredentials>
    }

async function start(serving: Serving, source: Source): Promise<void> {
  const { life, log, settings } = serving
  const { values } = settings
  const registry = createRegistry({ process: 'filter' })
  const metrics = filterMetrics(registry)
  await life.start(
    'metrics',
    () => startMetrics(registry, values['filter.metrics']),
    (server) => server.stop(),
  )
  const state = await startState(serving, registry)
  const locator = await openLocator(databases(settings))
  for (const reason of locator.missing) log.warn({}, reason)
  const challenges = createChallenges()
  const onDefect = (error: unknown): void => {
    metrics.defect()
    log.error({ err: error }, 'a request could not be judged')
  }
  const maxRecordBytes = Math.max(16_384, values['traffic.event.max_bytes'] - besideRecord)

  /** Changes while requests run; each request takes it once. */
  let pipeline: Pipeline | undefined
  let onFirst: () => void = () => undefined
  function apply(policy: Policy): void {
    const isFirst = pipeline === undefined
    pipeline = createPipeline(policy, {
      state,
      locator,
      challenges,
      onDefect,
      maxRecordBytes,
      revocations: () => revocations(),
    })
    metrics.policy(policy.revision)
    if (isFirst) onFirst()
  }
  const subscription =
    source.kind === 'control'
      ? subscribePolicy({
          settings,
          control: source.control,
          credentials: source.credentials,
          log,
          apply,
          onUpdate: metrics.reload,
          onConnection: streamMetrics(registry).connection,
        })
      : undefined
  const revocations = subscription?.revocations ?? (await followRevocations(life, { values, log }))
  if (source.kind === 'folder')
    await followPolicy(life, {
      folder: source.folder,
      settings,
      log,
      apply,
      load: { withKeys: false },
      quiet: process.connected,
      onReload: metrics.reload,
    })
  subscription?.resume()
  const current = (): Pipeline => {
    if (pipeline === undefined) throw new GrpcError('UNAVAILABLE', 'no policy yet')
    return pipeline
  }

  const warnOfShedding = atMostEvery(shedWarningMs, () =>
    log.warn({}, 'more requests than this filter can judge: those that wait too long are refused unjudged'),
  )
  const onShed = (): void => {
    metrics.shed()
    warnOfShedding()
  }
  const server = await life.start(
    'filter',
    () =>
      startFilterServer({
        listen: formatPlace(values['filter.listen']),
        transport: values['filter.transport'],
        decide: metrics.measured((input) => current().decide(input)),
        failed(input, error) {
          const running = current()
          onDefect(error)
          return running.failed(input)
        },
        isServing: pipeline !== undefined,
        log,
        onShed,
      }),
    async (one) => {
      const patience = AbortSignal.timeout(values['shutdown.timeout'])
      patience.addEventListener('abort', () => one.stop())
      const notice = new Promise((resolve) => setTimeout(resolve, values['filter.drain_notice']))
      await one.drain(notice)
      one.stop()
    },
  )
  log.info({ address: server.address }, 'the filter listens')
  const serve = (): void => {
    server.serve()
    tell({ kind: 'ready' })
  }
  if (pipeline === undefined) onFirst = serve
  else serve()
  await subscription?.open(life, server.address)
}

/** What is said on the command line wins over the rest; then a control plane over a folder, which it may need itself. */
function sourceOf(settings: Settings, shippedConfig: string): Source {
  const { values, inherited } = settings
  const control = values['xds.control']
  const isFolderSaid = inherited.config !== undefined
  if (isFolderSaid && inherited['xds.control'] !== undefined)
    throw new UsageError('--control and --config: a filter has its policy from one of them; leave one out')
  return control === undefined || isFolderSaid
    ? { kind: 'folder', folder: configFolder(settings, shippedConfig) }
    : { kind: 'control', control, credentials: nodeCredentials(settings, control) }
}

export const filterCommand: Command = {
  name: 'filter',
  summary: 'the data plane alone: answers Envoy about every request',
  help,
  run(args, { shippedConfig }) {
    const { settings } = parseOptions(
      args,
      ['config', 'control', 'filter-listen', 'filter-metrics', 'redis'],
      {},
    )
    const source = sourceOf(settings, shippedConfig)
    return runServing({ settings, component: 'filter' }, (serving) => start(serving, source))
  },
}
