// The control plane dies and comes back, as processes of their own: traffic does not notice, and changes flow again (spec
// control-plane 2.11). How long it is away is OUTAGE_SECONDS, so that a longer outage can be looked at by hand.
import { type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { renderBootstrap } from '#envoy'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { type Load, startLoad } from './support/load.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { type Ports, copyConfig, editConfig, freePorts, pause, spawnWeir, waitFor } from './support/weir.ts'

const outageSeconds = Number(process.env['OUTAGE_SECONDS'] ?? 4)

let folder: string
let ports: Ports
let origins: readonly [Origin, Origin]
let envoy: Envoy | undefined
let load: Load | undefined
const processes: ChildProcess[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-test-'))
  origins = [await startOrigin('before'), await startOrigin('after')]
  ports = await freePorts()
  copyConfig(join(folder, 'config'), origins[0].port)
})
afterEach(async () => {
  load?.cancel()
  await envoy?.stop()
  for (const child of processes.splice(0)) await end(child, 'SIGTERM')
  for (const origin of origins) await origin.stop()
  rmSync(folder, { recursive: true })
})

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/** Starts a command of Weir; returns when its log has a line with this text. */
async function start(command: string, args: readonly string[], until: string): Promise<ChildProcess> {
  const child = spawnWeir([command, '--config', join(folder, 'config'), '--log-format', 'json', ...args], {
    cwd: folder,
    env: {
      WEIR_XDS_FILTERS: `127.0.0.1:${ports.filter}`,
      WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'true',
      // A filter that a busy machine makes wait is no matter here.
      WEIR_ENVOY_FILTER_TIMEOUT: '5s',
    },
  })
  processes.push(child)
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  await waitFor(`${command} says "${until}"`, () => (chunks.join('').includes(until) ? true : undefined), {
    hint: () => chunks.join('').slice(-4000),
  })
  return child
}

const startControl = (): Promise<ChildProcess> =>
  start(
    'control',
    [
      ...['--xds-listen', `127.0.0.1:${ports.xds}`, '--listen', `127.0.0.1:${ports.listen}`],
      ...['--listen-tls', `127.0.0.1:${ports.listenTls}`],
      ...['--control-metrics', `127.0.0.1:${ports.controlMetrics}`],
      ...['--journal', join(folder, 'events.jsonl'), '--events', 'none'],
    ],
    'the control plane listens',
  )

const backendIs = ({ port }: Origin): void =>
  editConfig(join(folder, 'config'), 'backend-services', (entries) => {
    for (const { back_hosts } of entries as { back_hosts: { http_ports: number[] }[] }[])
      for (const host of back_hosts) host.http_ports = [port]
  })

test(
  `control killed and away for ${outageSeconds} s: no request is lost, and changes flow again`,
  async () => {
    const [before, after] = origins
    await start(
      'filter',
      [
        '--filter-listen',
        `127.0.0.1:${ports.filter}`,
        '--filter-metrics',
        `127.0.0.1:${ports.filterMetrics}`,
      ],
      'policy in force',
    )
    const control = await startControl()
    envoy = await startEnvoy({
      bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: ports.xds }),
      listeners: ['http', 'https'],
    })
    const asking = startLoad(
      [
        { port: ports.listen, host: 'localhost' },
        { port: ports.listenTls, host: 'localhost', tls: true },
      ],
      200,
    )
    load = asking
    await waitFor('traffic', () => (asking.sent() > 200 ? true : undefined))

    await end(control, 'SIGKILL')
    await pause(outageSeconds * 1000)
    expect(after.arrived).toEqual([])
    await startControl()
    const back = performance.now()
    await waitFor('Envoy is connected again', async () =>
      (await envoy?.stat('control_plane.connected_state')) === 1 ? true : undefined,
    )
    const connected = performance.now() - back
    backendIs(after)
    await waitFor('requests at the new backend', () => (after.arrived.length > 50 ? true : undefined))

    const { sent, lost } = await asking.stop()
    expect(lost).toEqual([])
    expect(sent).toBe(before.arrived.length + after.arrived.length)
    // The bootstrap has Envoy ask every five seconds at least.
    expect(connected).toBeLessThan(20_000)
  },
  (120 + outageSeconds) * 1000,
)
