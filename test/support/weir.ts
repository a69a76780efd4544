// The whole of Weir for tests: `weir serve --envoy` as a process of its own, on ports of its own, with the shipped
// configuration in front of a backend of the test. Its log and its events are kept and can be waited for.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TrafficEvent } from '#traffic'
import { startDemoBackend } from '../../src/cli/demo-backend.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

export type WeirOptions = {
  /** Changes the copy of the shipped configuration before Weir starts. */
  readonly configure?: (folder: string) => void
  /** A backend of the test on 127.0.0.1; without it the demo shop runs. */
  readonly backendPort?: number
  /** More options for `weir serve`. */
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

export type LogLine = Readonly<Record<string, unknown>> & {
  readonly msg?: string
  readonly component?: string
}

export type TestWeir = {
  /** Where Envoy takes requests, on 127.0.0.1. */
  readonly port: number
  /** Address and port of the backend, as events write it. */
  readonly backend: string
  /** The folder with the configuration that runs. */
  readonly config: string
  readonly ports: Ports
  readonly pid: number
  /** Process id of `control`, `filter-1` or `envoy`, as it is now. */
  pidOf(child: string): number
  /** All events so far, oldest first. */
  events(): Promise<readonly TrafficEvent[]>
  /** Waits for the event of a request. */
  event(requestId: string): Promise<TrafficEvent>
  /** Waits until there are more than `count` events and returns those. */
  eventsAfter(count: number): Promise<readonly TrafficEvent[]>
  log(): readonly LogLine[]
  /** Waits for a log line. */
  logged(wanted: (line: LogLine) => boolean, after?: number): Promise<LogLine>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves with the exit code when it ends by itself. */
  readonly ended: Promise<number | null>
  signal(signal: NodeJS.Signals): void
}

const portNames = [
  'listen',
  'listenTls',
  'admin',
  'stats',
  'xds',
  'controlMetrics',
  'filter',
  'filterMetrics',
] as const
export type Ports = Readonly<Record<(typeof portNames)[number], number>>

/** Ports that nobody has; held together while they are chosen, so that they differ. */
export async function freePorts(): Promise<Ports> {
  const servers = portNames.map(() => createServer())
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
  const entries = servers.map((server, i) => [portNames[i], (server.address() as AddressInfo).port])
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Object.fromEntries(entries) as Ports
}

/** The options of `weir serve` for such ports. */
export const portOptions = (ports: Ports): readonly string[] =>
  [
    ['--listen', ports.listen],
    ['--listen-tls', ports.listenTls],
    ['--admin', ports.admin],
    ['--stats', ports.stats],
    ['--xds-listen', ports.xds],
    ['--control-metrics', ports.controlMetrics],
    ['--filter-listen', ports.filter],
    ['--filter-metrics', ports.filterMetrics],
  ].flatMap(([option, port]) => [String(option), `127.0.0.1:${String(port)}`])

export type Ran = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

type Run = { readonly cwd?: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string }

/** Starts `weir` under this Node. */
export function spawnWeir(args: readonly string[], { cwd = root, env = {} }: Run = {}): ChildProcess {
  return spawn(process.execPath, [join(root, 'src/cli/main.ts'), ...args], {
    cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  })
}

const collect = (stream: NodeJS.ReadableStream | null): (() => string) => {
  const chunks: Buffer[] = []
  stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString('utf8')
}

/** Runs a command of `weir` to its end. */
export async function runWeir(args: readonly string[], run: Run = {}): Promise<Ran> {
  const child = spawnWeir(args, run)
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  child.stdin?.end(run.input ?? '')
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: stdout(), stderr: stderr() }
}

/** A copy of the shipped configuration with its backend on another port. */
export function copyConfig(folder: string, backendPort: number): void {
  cpSync(join(root, 'config'), folder, { recursive: true })
  editConfig(folder, 'backend-services', (entries) => {
    for (const { back_hosts } of entries as { back_hosts: { http_ports: number[] }[] }[])
      for (const host of back_hosts) host.http_ports = [backendPort]
  })
}

/** Rewrites a document of a folder. */
export function editConfig(folder: string, namespace: string, edit: (entries: unknown[]) => void): void {
  const file = join(folder, `${namespace}.json`)
  const entries = JSON.parse(readFileSync(file, 'utf8')) as unknown[]
  edit(entries)
  writeFileSync(file, JSON.stringify(entries, null, 2))
}

const parseLines = <T>(text: string): readonly T[] =>
  text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as T]
    } catch {
      // The last line may not be whole yet; others on standard error are not of Weir's log.
      return []
    }
  })

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Milliseconds for what comes in a second on a quiet machine. */
const patienceMs = 60_000

/** Polls until there is an answer; the error says what was waited for. */
export async function waitFor<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { hint = () => '' }: { readonly hint?: () => string } = {},
): Promise<T> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`${what}: not within ${String(patienceMs)} ms\n${hint()}`)
    await pause(20)
  }
}

export async function startWeir(options: WeirOptions): Promise<TestWeir> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'))
  const config = join(folder, 'config')
  const journal = join(folder, 'events.jsonl')
  const shop =
    options.backendPort === undefined ? await startDemoBackend({ host: '127.0.0.1', port: 0 }) : undefined
  const backendPort = options.backendPort ?? shop?.place.port ?? 0
  copyConfig(config, backendPort)
  options.configure?.(config)
  const ports = await freePorts()
  const child = spawnWeir(
    [
      ...['serve', '--envoy', '--config', config, '--journal', journal, '--log-format', 'json'],
      ...portOptions(ports),
      ...(options.args ?? []),
    ],
    { cwd: folder, env: { WEIR_ENVOY_CONCURRENCY: '1', ...options.env } },
  )
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const ended = once(child, 'close').then(async ([code]) => {
    await shop?.stop()
    return code as number | null
  })
  const log = (): readonly LogLine[] => parseLines(stderr())
  const hint = (): string => `${stdout()}\n${stderr()}`.slice(-8000)

  const events = async (): Promise<readonly TrafficEvent[]> =>
    existsSync(journal) ? parseLines(readFileSync(journal, 'utf8')) : []

  // A second SIGTERM would not wait for the drain that the first has begun.
  let ending = false
  async function stop(): Promise<number | null> {
    if (!ending) child.kill('SIGTERM')
    ending = true
    const late = setTimeout(() => child.kill('SIGKILL'), 45_000)
    const code = await ended
    clearTimeout(late)
    rmSync(folder, { recursive: true, force: true })
    return code
  }

  try {
    await waitFor(
      'weir serve is ready',
      () => {
        if (child.exitCode !== null) throw new Error(`weir ended with ${String(child.exitCode)}\n${hint()}`)
        return stdout().includes('ready: ') ? true : undefined
      },
      { hint },
    )
  } catch (error) {
    await stop()
    throw error
  }

  return {
    port: ports.listen,
    backend: `127.0.0.1:${String(backendPort)}`,
    config,
    ports,
    pid: child.pid ?? 0,
    pidOf(name) {
      const line = log().findLast((one) => one['child'] === name && typeof one['pid'] === 'number')
      if (line === undefined) throw new Error(`${name} has not started\n${hint()}`)
      return line['pid'] as number
    },
    events,
    event: (requestId) =>
      waitFor(
        `event of request ${requestId}`,
        async () => (await events()).find((event) => event.request_id === requestId),
        { hint },
      ),
    eventsAfter: (count) =>
      waitFor(
        `more than ${String(count)} events`,
        async () => {
          const all = await events()
          return all.length > count ? all.slice(count) : undefined
        },
        { hint },
      ),
    log,
    logged: (wanted, after = 0) => waitFor('a log line', () => log().slice(after).find(wanted), { hint }),
    stop,
    ended,
    signal(signal) {
      ending = true
      child.kill(signal)
    },
  }
}
