// The supervisor of one machine: a control plane, filters and, if wanted, Envoy, as child processes. Everything that can be
// wrong is looked for before anything starts. Started in the order control and filters, Envoy; stopped backwards, so that
// Envoy finishes its requests while those whom it asks are still there.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { type Policy, selfSigned } from '#config'
import type { ListenerSettings } from '#envoy'
import {
  type SettingName,
  type SettingTexts,
  type Settings,
  type SocketPlace,
  childEnvironment,
  formatPlace,
} from '#platform'
import { type Child, keepRunning, saysReady } from './child.ts'
import { UsageError } from './command.ts'
import { findEnvoy, startEnvoy } from './envoy-child.ts'
import { listenersOf, placeOf, probeListener, remedyOf } from './listeners.ts'
import type { ChildMessage } from './messages.ts'
import { seedSource } from './masking-seed.ts'
import { loadPolicy } from './policy-source.ts'
import { type Wanted, type Ways, chooseAnother, takenPlaces } from './ports.ts'
import { untilAnswered } from './readiness.ts'
import type { Serving } from './run.ts'
import { controlCredentials, controlHere, nodeCredentials } from './xds-tls.ts'

export type SiteOptions = {
  readonly folder: string
  /** Path of the Envoy to run; undefined: none. */
  readonly envoy: string | undefined
  /** Where that Envoy takes requests. */
  readonly listeners: readonly ListenerSettings[]
  /** What the control plane says about changed folders. */
  readonly onMessage?: (message: ChildMessage) => void
}

const mainFile = fileURLToPath(new URL('main.ts', import.meta.url))

/** Ports of the n-th filter, from 0: gRPC and metrics are neighbours by default, so steps are of two. */
const nth = ({ host, port }: SocketPlace, n: number): SocketPlace => ({ host, port: port + 2 * n })

const numbers = (settings: Settings): readonly number[] =>
  Array.from({ length: settings.values['filter.processes'] }, (_, n) => n)

/** Where Envoy takes requests; the kernel would share a port that another Envoy has, so it must be free. */
const wantedListeners = (
  listeners: readonly ListenerSettings[],
  settings: Settings,
  ways: Ways,
): readonly Wanted[] =>
  listeners.map((listener) => ({
    place: placeOf(listener),
    what: listener.protocol === 'http' ? 'requests' : 'requests over TLS',
    remedy: remedyOf(listener, settings, ways),
  }))

function wantedPlaces(
  settings: Settings,
  listeners: readonly ListenerSettings[] | undefined,
  ways: Ways,
): readonly Wanted[] {
  const { values } = settings
  const wanted = (setting: SettingName, what: string, place: SocketPlace): Wanted => ({
    what,
    place,
    remedy: chooseAnother(setting, ways),
  })
  const ofEnvoy = [
    ...wantedListeners(listeners ?? [], settings, ways),
    wanted('envoy.admin', "Envoy's admin interface", values['envoy.admin']),
    wanted('envoy.stats', "Envoy's readiness and metrics", values['envoy.stats']),
  ]
  return [
    ...(listeners === undefined ? [] : ofEnvoy),
    wanted('xds.listen', 'ADS and access log', values['xds.listen']),
    wanted('control.metrics', 'metrics of the control plane', values['control.metrics']),
    ...numbers(settings).flatMap((n) => [
      wanted('filter.listen', 'filter', nth(values['filter.listen'], n)),
      wanted('filter.metrics', 'metrics of the filter', nth(values['filter.metrics'], n)),
    ]),
  ]
}

/** Where the Envoy of this machine listens: it has no labels. */
function listenersHere(policy: Policy, settings: Settings): readonly ListenerSettings[] {
  const loadBalancers = policy.loadBalancers?.filter(({ nodes }) => Object.keys(nodes).length === 0)
  return listenersOf({ ...policy, loadBalancers }, settings)
}

/**
 * Throws with everything that would keep the site from starting; resolves with where requests will be taken.
 * @param ways how the command's own options change settings
 */
export async function checkSite(
  settings: Settings,
  folder: string,
  withEnvoy: boolean,
  ways: Ways = {},
): Promise<readonly ListenerSettings[]> {
  const { values } = settings
  if (values['filter.processes'] > 1 && values['redis.url'] === undefined)
    throw new UsageError(
      `--filters ${String(values['filter.processes'])} needs Redis: each process would count for itself, and every limit would hold once per process; name one with --redis URL`,
    )
  controlCredentials(settings)
  nodeCredentials(settings, controlHere(settings))
  // Makes the seed of this machine, if one is needed: the children then read it.
  const { policy } = loadPolicy(folder, {
    allowLoopbackBackends: values['envoy.allow_loopback_backends'],
    maskingSeed: seedSource(settings),
    // Stands in for the one that the control plane keeps: only whether there is one matters here.
    placeholder: () => selfSigned('Weir placeholder'),
  })
  const listeners = withEnvoy ? listenersHere(policy, settings) : undefined
  const taken = await takenPlaces(wantedPlaces(settings, listeners, ways))
  if (taken.length > 0) throw new Error(taken.join('\n'))
  return listeners ?? []
}

/** The Envoy for `--envoy`. */
export const envoyFor = (settings: Settings, wanted: boolean): string | undefined =>
  wanted ? findEnvoy(settings) : undefined

export type Site = { kill(): void; start(serving: Serving): Promise<void> }

/** Milliseconds that Envoy may take to answer the first request. */
const patienceMs = 30_000

export function createSite({ folder, envoy, listeners, onMessage }: SiteOptions): Site {
  const children: Child[] = []

  function startNode(
    { life, log, settings }: Serving,
    command: string,
    name: string,
    overrides: SettingTexts,
    hear?: (message: ChildMessage) => void,
  ): Promise<Child> {
    const file = settings.file === undefined ? [] : ['--settings', settings.file]
    const env = childEnvironment({ ...settings.inherited, config: folder, ...overrides })
    const keep = (): Child =>
      keepRunning({
        name,
        log,
        spawn: () =>
          spawn(process.execPath, [...process.execArgv, mainFile, command, ...file], {
            stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
            detached: true,
            env,
          }),
        whenReady: saysReady,
        ...(hear === undefined ? {} : { onMessage: hear }),
        patienceMs: settings.values['shutdown.timeout'] + 2000,
      })
    return life.start(
      name,
      () => remember(keep()),
      (child) => child.stop(),
    )
  }

  function remember(child: Child): Child {
    children.push(child)
    return child
  }

  async function start(serving: Serving): Promise<void> {
    const { life, log, settings } = serving
    const { values } = settings
    const token = `weir-readiness/${randomUUID()}`
    const refused = new AbortController()
    const hear = (message: ChildMessage): void => {
      if (message.kind === 'nack')
        refused.abort(new Error(`${message.node} refused its configuration: ${message.reason}`))
      onMessage?.(message)
    }
    const filterPlaces = numbers(settings).map((n) => nth(values['filter.listen'], n))
    const control = await startNode(
      serving,
      'control',
      'control',
      {
        'supervisor.probe': token,
        'xds.filters': filterPlaces.map(formatPlace).join(','),
      },
      hear,
    )
    const filters: Child[] = []
    for (const n of numbers(settings)) {
      const overrides: SettingTexts = {
        'filter.listen': formatPlace(nth(values['filter.listen'], n)),
        'filter.metrics': formatPlace(nth(values['filter.metrics'], n)),
        // What the control plane has published is what runs, and not what stands in the folder a moment later; only the
        // beginning does not wait for it.
        'supervisor.folder': folder,
        'xds.control': formatPlace(controlHere(settings)),
        // Envoy ends before its filters do, so nobody has to be given notice.
        ...(envoy === undefined ? {} : { 'filter.drain_notice': '0' }),
      }
      filters.push(await startNode(serving, 'filter', `filter-${String(n + 1)}`, overrides))
    }
    await Promise.all([control, ...filters].map(({ ready }) => ready))
    if (envoy === undefined) return
    const proxy = await life.start(
      'envoy',
      () => remember(startEnvoy(envoy, settings, log)),
      (child) => child.stop(),
    )
    await proxy.ready
    const probed = probeListener(listeners)
    if (probed !== undefined)
      await untilAnswered(probed, token, { timeoutMs: patienceMs, signal: refused.signal })
  }

  return {
    start,
    kill() {
      for (const child of children) child.kill()
    },
  }
}
