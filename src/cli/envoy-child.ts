// Envoy as a child process: started with the bootstrap of this installation, its log lines taken into Weir's, drained
// before it ends. Envoy does not notice the death of its parent, so a small shell waits for it and ends Envoy then.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { renderBootstrap } from '#envoy'
import { type Log, type SettingValues, type Settings, childEnvironment, programFolders } from '#platform'
import { type Child, keepRunning } from './child.ts'
import { UsageError } from './command.ts'
import { drainListeners, isLive, runningRequests } from './envoy-admin.ts'
import { controlHere } from './xds-tls.ts'

const toolsFile = new URL('../../.cache/tools.json', import.meta.url)

/** The Envoy that the set-up brought or found. */
function fromSetup(): string | undefined {
  if (!existsSync(toolsFile)) return undefined
  const tools: unknown = JSON.parse(readFileSync(toolsFile, 'utf8'))
  const path = typeof tools === 'object' && tools !== null && 'envoy' in tools ? tools.envoy : undefined
  return typeof path === 'string' ? path : undefined
}

/** Path of the Envoy to run; throws UsageError with the remedy. */
export function findEnvoy(settings: Settings): string {
  const named = settings.values['envoy.binary']
  if (named !== undefined) {
    if (existsSync(named)) return named
    throw new UsageError(`envoy.binary: there is no ${named}; correct the path or leave the setting out`)
  }
  const candidates = [fromSetup(), ...programFolders().map((folder) => join(folder, 'envoy'))]
  const found = candidates.find((path) => path !== undefined && existsSync(path))
  if (found === undefined)
    throw new UsageError(
      'there is no Envoy: run "npm run setup", put envoy on PATH, or name it with the variable WEIR_ENVOY_BINARY',
    )
  return found
}

/** What Envoy calls interesting is noise beside Weir's own lines of that level. */
const envoyLevels: Readonly<Record<SettingValues['log.level'], string>> = {
  trace: 'debug',
  debug: 'info',
  info: 'warning',
  warn: 'warning',
  error: 'error',
}

const weirLevels: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error'>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
}

/** Envoy's lines, in the format that `spawnEnvoy` asks for: level, logger, text. An end that was asked for is no news. */
function logLine(log: Log, line: string, ending: boolean): void {
  const [, level, logger, text] = /^\[(\w+)\] \[([^\]]*)\] (.*)$/.exec(line) ?? []
  if (level === undefined || text === undefined) log.warn({ child: 'envoy' }, line)
  else log[ending ? 'debug' : (weirLevels[level] ?? 'error')]({ child: 'envoy', logger }, text)
}

function argumentsOf(settings: Settings): readonly string[] {
  const { values } = settings
  const control = controlHere(settings)
  const bootstrap = renderBootstrap({
    NODE_ID: values['envoy.node'],
    ADMIN_HOST: values['envoy.admin'].host,
    ADMIN_PORT: values['envoy.admin'].port,
    STATS_HOST: values['envoy.stats'].host,
    STATS_PORT: values['envoy.stats'].port,
    CONTROL_HOST: control.host,
    CONTROL_PORT: control.port,
    XDS_TOKEN: values['xds.token'],
    CONTROL_CA: values['xds.tls.ca'],
    CONTROL_CERT: values['xds.tls.cert'],
    CONTROL_KEY: values['xds.tls.key'],
  })
  const concurrency = values['envoy.concurrency']
  return [
    ['--config-yaml', bootstrap],
    ['--disable-hot-restart'],
    ['--drain-strategy', 'immediate'],
    ['--drain-time-s', String(Math.ceil(values['envoy.drain_time'] / 1000))],
    ['--log-level', envoyLevels[values['log.level']]],
    ['--log-format', '[%l] [%n] %v'],
    ['--log-format-escaped'],
    ...(concurrency === 0 ? [] : [['--concurrency', String(concurrency)]]),
  ].flat()
}

/** Ends `pid` when this process is gone: its end of the pipe closes then, however it died. */
function guard(pid: number): () => void {
  const script = 'read -r _; kill -TERM "$1" 2>/dev/null; sleep 5; kill -KILL "$1" 2>/dev/null'
  const shell = spawn('/bin/sh', ['-c', script, 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Without a guard Envoy runs all the same; only the death of the supervisor would leave it alone.
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  shell.unref()
  return () => {
    shell.kill('SIGKILL')
    shell.stdin.destroy()
  }
}

type Spawning = { readonly binary: string; readonly settings: Settings; readonly log: Log }

function spawnEnvoy({ binary, settings, log }: Spawning, isEnding: () => boolean): ChildProcess {
  const child = spawn(binary, argumentsOf(settings), {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    env: childEnvironment({}),
  })
  createInterface({ input: child.stderr }).on('line', (line) => logLine(log, line, isEnding()))
  if (child.pid !== undefined) child.once('exit', guard(child.pid))
  return child
}

const lookMs = 50

async function untilLive(child: ChildProcess, { values }: Settings): Promise<void> {
  while (child.exitCode === null && child.signalCode === null) {
    if (await isLive(values['envoy.admin'])) return
    await pause(lookMs)
  }
  throw new Error('Envoy ended')
}

/** Envoy sends its access log once a second; nothing running for longer than that means that all of it was sent. */
const quietMs = 1200

/** Takes no more connections, then waits until no request has run for a moment. */
async function drain({ values }: Settings, log: Log): Promise<void> {
  const admin = values['envoy.admin']
  if (!(await drainListeners(admin))) return
  await pause(values['envoy.drain_time'])
  const deadline = performance.now() + values['shutdown.timeout']
  let quietSince = performance.now()
  for (;;) {
    const running = await runningRequests(admin)
    const now = performance.now()
    if (running === undefined) return
    if (running > 0) quietSince = now
    if (now - quietSince >= quietMs) return
    if (now > deadline) {
      log.warn({ running }, 'requests still run after shutdown.timeout; ending them')
      return
    }
    await pause(lookMs)
  }
}

export function startEnvoy(binary: string, settings: Settings, log: Log): Child {
  let ending = false
  return keepRunning({
    name: 'envoy',
    log,
    spawn: () => spawnEnvoy({ binary, settings, log }, () => ending),
    whenReady: (child) => untilLive(child, settings),
    async drain() {
      ending = true
      await drain(settings, log)
    },
    patienceMs: 5000,
  })
}
