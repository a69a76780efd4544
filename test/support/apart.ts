// Weir in parts: a control plane and filters as processes of their own, as on several machines, and a real Envoy that gets
// everything from the control plane. Each part can be killed and started again.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BootstrapValues, renderBootstrap } from '#envoy'
import { startDemoBackend } from '../../src/cli/demo-backend.ts'
import { type Envoy, type EnvoyOptions, startEnvoy } from './envoy.ts'
import { type LogLine, copyConfig, freePorts, spawnWeir, waitFor } from './weir.ts'

export type Part = {
  log(): readonly LogLine[]
  logged(message: string, after?: number): Promise<LogLine>
  /** SIGKILL, or SIGTERM. */
  end(signal?: NodeJS.Signals): Promise<void>
}

export type FilterPart = Part & {
  readonly port: number
  /** A figure of /metrics: the value of the first line that begins like this; undefined: there is none. */
  metric(start: string): Promise<number | undefined>
  /** The revision in force; undefined: it has no policy, or does not answer. */
  revision(): Promise<string | undefined>
}

export type Apart = {
  /** Folder of the control plane. */
  readonly config: string
  startControl(env?: Readonly<Record<string, string>>): Promise<Part>
  /** @param n which one, from 0; the same number has the same port and the same kept policy */
  startFilter(n: number, env?: Readonly<Record<string, string>>): Promise<FilterPart>
  /** With the listener `http`, as the control plane configures it. */
  startEnvoy(values?: BootstrapValues, more?: Partial<EnvoyOptions>): Promise<Envoy>
  stop(): Promise<void>
}

const parse = (text: string): readonly LogLine[] =>
  text.split('\n').flatMap((line) => {
    try {
      return line.startsWith('{') ? [JSON.parse(line) as LogLine] : []
    } catch {
      // The last line may not be whole yet.
      return []
    }
  })

function startPart(name: string, args: readonly string[], folder: string, env: Record<string, string>): Part {
  const child = spawnWeir([...args, '--log-format', 'json'], { cwd: folder, env })
  const chunks: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  child.stdout?.resume()
  const closed = once(child, 'close')
  const log = (): readonly LogLine[] => parse(chunks.join(''))
  return {
    log,
    logged: (message, after = 0) =>
      waitFor(
        `${name}: ${message}`,
        () =>
          log()
            .slice(after)
            .find(({ msg }) => msg === message),
        {
          hint: () => chunks.join('').slice(-6000),
        },
      ),
    async end(signal = 'SIGKILL') {
      child.kill(signal)
      await closed
    },
  }
}

/** @param env of the control plane */
export async function startApart(env: Readonly<Record<string, string>> = {}): Promise<Apart> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-apart-'))
  const config = join(folder, 'config')
  const shop = await startDemoBackend({ host: '127.0.0.1', port: 0 })
  copyConfig(config, shop.place.port)
  const [ports, ...filterPorts] = [await freePorts(), await freePorts(), await freePorts()]
  const control = `127.0.0.1:${String(ports.xds)}`
  const parts = new Set<Part>()
  const envoys: Envoy[] = []

  const remember = <P extends Part>(part: P): P => {
    parts.add(part)
    return part
  }

  return {
    config,
    async startControl(more = {}) {
      const places = [
        ['--xds-listen', ports.xds],
        ['--control-metrics', ports.controlMetrics],
        ['--listen', ports.listen],
      ].flatMap(([option, port]) => [String(option), `127.0.0.1:${String(port)}`])
      const part = remember(
        startPart('control', ['control', '--config', config, '--events', 'none', ...places], folder, {
          WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'true',
          ...env,
          ...more,
        }),
      )
      await part.logged('the control plane listens')
      return part
    },
    async startFilter(n, more = {}) {
      const { filter: port, filterMetrics } = filterPorts[n] ?? ports
      const metrics = `127.0.0.1:${String(filterMetrics)}`
      const args = [
        ...['filter', '--control', control],
        ...['--filter-listen', `127.0.0.1:${String(port)}`, '--filter-metrics', metrics],
      ]
      const part = remember(startPart(`filter ${String(n)}`, args, folder, { ...more }))
      await part.logged('the filter listens')
      const lines = async (): Promise<readonly string[]> =>
        (await (await fetch(`http://${metrics}/metrics`)).text()).split('\n')
      return {
        ...part,
        port,
        async metric(start) {
          const line = (await lines()).find((one) => one.startsWith(start))
          return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
        },
        async revision() {
          const line = (await lines()).find((one) => one.startsWith('weir_policy_info{'))
          return /revision="(\w+)"/.exec(line ?? '')?.[1]
        },
      }
    },
    async startEnvoy(values = {}, more = {}) {
      const bootstrap = renderBootstrap({
        ADMIN_PORT: 0,
        STATS_PORT: 0,
        CONTROL_PORT: ports.xds,
        ...values,
      })
      const envoy = await startEnvoy({ bootstrap, listeners: ['http'], ...more })
      envoys.push(envoy)
      return envoy
    },
    async stop() {
      await Promise.all(envoys.map((envoy) => envoy.stop()))
      await Promise.all([...parts].map((part) => part.end()))
      await shop.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
