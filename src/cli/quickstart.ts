// `weir quickstart`: the whole of Weir with Envoy and a demo shop in the foreground, and four commands to try.
import { relative } from 'node:path'
import type { Policy } from '#config'
import type { ListenerSettings } from '#envoy'
import { type Log, type Settings, type SocketPlace, formatPlace } from '#platform'
import { type Command, type CommandContext, UsageError } from './command.ts'
import { type DemoBackend, startDemoBackend } from './demo-backend.ts'
import { placeOf, withTlsBeside } from './listeners.ts'
import type { ChildMessage } from './messages.ts'
import { parseOptions } from './options.ts'
import { configFolder, loadPolicy } from './policy-source.ts'
import { type Ways, whyNotListen } from './ports.ts'
import { changesOf, welcome } from './quickstart-text.ts'
import { localUrl } from './readiness.ts'
import { type Serving, runServing } from './run.ts'
import { siteHelp, siteOptions } from './serve.ts'
import { checkSite, createSite, envoyFor } from './supervisor.ts'

const help = `Runs Weir with Envoy and a demo shop in the foreground, and prints four commands to try. Ctrl-C stops it all.

Usage: weir quickstart [--config DIR] [--port N] [OPTIONS]

  --port N               requests to http://localhost:N (default: 8080)
${siteHelp}

Exit: 0 stopped by a signal · 1 it failed, e.g. a port is taken · 2 bad usage, settings or configuration

Example: weir quickstart --config my-site --port 8000
`

const demoService = '__default__'

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host.startsWith('127.')

/** Where the configuration expects the demo shop: the first host of backend `__default__`, if it is this machine. */
function demoPlace(policy: Policy): SocketPlace | undefined {
  const entries = policy.serverGroups.flatMap(({ policy: { entries } }) => entries)
  const service = entries.find(({ backend }) => backend?.id === demoService)?.backend
  const [host] = service?.hosts ?? []
  const port = host?.httpPorts[0]
  return host === undefined || port === undefined || !isLoopback(host.host)
    ? undefined
    : { host: host.host, port }
}

/**
 * Starts the shop. Where something listens already, an own configuration means that: it is the operator's backend. With
 * the shipped one it is somebody else's port.
 */
async function startShop(
  { life, log }: Serving,
  place: SocketPlace | undefined,
  shipped: boolean,
): Promise<DemoBackend | undefined> {
  if (place === undefined) return undefined
  const reason = await whyNotListen(place)
  if (reason !== undefined) {
    if (!shipped) return undefined
    throw new Error(shopTaken(place, reason))
  }
  const shop = await life.start(
    'demo shop',
    () => startDemoBackend(place),
    (one) => one.stop(),
  )
  log.info({ place: formatPlace(place) }, 'the demo shop listens')
  return shop
}

const shopTaken = (place: SocketPlace, reason: string): string =>
  `${formatPlace(place)} (demo shop) ${reason}; copy the folder config, change http_ports of ${demoService} in its backend-services.json, and name the copy with --config`

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new UsageError(`--port ${text}: must be a port number from 1 to 65535`)
  return port
}

/** A line about a changed folder; problems were logged one by one. */
function tellChange(log: Log, folder: string, revision: string): (message: ChildMessage) => void {
  const textOf = changesOf(folder, revision)
  return (message) => {
    const text = textOf(message)
    if (text !== undefined) process.stdout.write(text)
    if (message.kind === 'nack') log.debug({}, 'told by the control plane')
  }
}

const here = (path: string): string => {
  const short = relative(process.cwd(), path)
  return short === '' ? '.' : short.startsWith('..') ? path : short
}

/** `--port` and the setting exclude each other, so a port that is taken is changed by the one that chose it. */
const waysOf = ({ given }: Settings): Ways => (given.has('envoy.listen') ? {} : { 'envoy.listen': '--port' })

async function run(args: readonly string[], { shippedConfig }: CommandContext): Promise<number> {
  const { settings: given, values } = parseOptions(
    args,
    siteOptions,
    { port: { type: 'string' } },
    ({ port }) => ({
      'envoy.listen': `127.0.0.1:${String(parsePort(port ?? '8080'))}`,
      'envoy.allow_loopback_backends': 'true',
      'traffic.print': 'text',
      'log.level': 'warn',
      'log.format': 'text',
    }),
  )
  if (values.port !== undefined && given.given.has('envoy.listen'))
    throw new UsageError('--port and --listen (or the setting envoy.listen) exclude each other: give one')
  const folder = configFolder(given, shippedConfig)
  const envoy = envoyFor(given, true)
  const { policy } = loadPolicy(folder, { allowLoopbackBackends: true })
  const settings = withTlsBeside(given, policy)
  const listeners = await checkSite(settings, folder, true, waysOf(given))
  const place = demoPlace(policy)
  const { revision } = policy
  const shipped = folder === shippedConfig
  return runQuickstart({ settings, folder, revision, envoy, listeners, place, shipped })
}

type Quickstart = {
  readonly settings: Settings
  readonly folder: string
  /** Of the policy that begins. */
  readonly revision: string
  readonly envoy: string | undefined
  readonly listeners: readonly ListenerSettings[]
  readonly place: SocketPlace | undefined
  readonly shipped: boolean
}

function runQuickstart(quickstart: Quickstart): Promise<number> {
  const { settings, folder, revision, envoy, listeners, place, shipped } = quickstart
  let kill = (): void => undefined
  return runServing({ settings, component: 'weir', force: () => kill() }, async (serving) => {
    process.stdout.write('Weir starts: control plane, filter, Envoy …\n')
    const shop = await startShop(serving, place, shipped)
    const onMessage = tellChange(serving.log, here(folder), revision)
    const site = createSite({ folder, envoy, listeners, onMessage })
    kill = site.kill
    await site.start(serving)
    const { values } = settings
    process.stdout.write(
      welcome({
        url: localUrl(values['envoy.listen']),
        tls: tlsUrl(listeners),
        program: here(program),
        config: here(folder),
        shipped,
        journal: values['traffic.journal.file'],
        backend: place === undefined ? undefined : formatPlace(place),
        demo: shop !== undefined,
        filters: values['filter.processes'],
      }),
    )
    void serving.life.ended.then(() => process.stdout.write('\nWeir stops: running requests end first …\n'))
  })
}

/** Of the first listener with TLS. */
function tlsUrl(listeners: readonly ListenerSettings[]): string | undefined {
  const tls = listeners.find(({ protocol }) => protocol === 'https')
  return tls === undefined ? undefined : localUrl(placeOf(tls), tls.protocol)
}

const program = new URL('../../bin/weir', import.meta.url).pathname

export const quickstartCommand: Command = {
  name: 'quickstart',
  summary: 'Weir, Envoy and a demo shop in the foreground, with commands to try',
  help,
  run,
}
