// A real Envoy for tests: started on ports that the kernel chooses, ready when it says so, gone when the test is.
// What it wrote is kept, and is part of the error when something does not happen in time.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

export type EnvoyOptions = {
  /** YAML or JSON; its admin port may be 0. */
  readonly bootstrap: string
  /** Listeners that must be there before `startEnvoy` returns. */
  readonly listeners?: readonly string[]
  readonly concurrency?: 1 | 2
  /** Milliseconds until it must be ready. */
  readonly timeoutMs?: number
  readonly logLevel?: 'warning' | 'info' | 'debug' | 'trace'
  /** More command line arguments. */
  readonly args?: readonly string[]
}

export type Envoy = {
  readonly pid: number
  /** Base URL of the admin interface. */
  readonly admin: string
  /** The port that a listener got; throws when there is no such listener. */
  listenerPort(name: string): Promise<number>
  /** Answer of an admin path, as text. */
  get(path: string): Promise<string>
  configDump(): Promise<unknown>
  /** A counter or gauge; 0 when there is none. */
  stat(name: string): Promise<number>
  logs(): string
  /** SIGTERM, then SIGKILL if it does not end. */
  stop(): Promise<void>
  /** SIGKILL. */
  kill(): Promise<void>
}

const root = new URL('../../', import.meta.url).pathname

function fromToolsFile(): string | undefined {
  const file = join(root, '.cache/tools.json')
  if (!existsSync(file)) return undefined
  const tools: unknown = JSON.parse(readFileSync(file, 'utf8'))
  const path = typeof tools === 'object' && tools !== null && 'envoy' in tools ? tools.envoy : undefined
  return typeof path === 'string' ? path : undefined
}

/** Path of the Envoy binary: set-up's record, WEIR_ENVOY, the cache, PATH. Throws with the remedy. */
export function envoyBinary(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'envoy'))
  const candidates = [
    fromToolsFile(),
    process.env['WEIR_ENVOY'],
    join(root, '.cache/envoy/1.40.0/envoy'),
    ...onPath,
  ]
  const found = candidates.find((path) => path !== undefined && existsSync(path))
  if (found === undefined)
    throw new Error('no Envoy found: run `npm run verify` once, or set WEIR_ENVOY to its path')
  return found
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Polls until the answer is not undefined; the error says what was waited for and what Envoy wrote. */
async function poll<T>(
  what: string,
  timeoutMs: number,
  logs: () => string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const found = await look().catch(() => undefined)
    if (found !== undefined) return found
    if (Date.now() > deadline)
      throw new Error(`Envoy: ${what} did not happen within ${timeoutMs} ms\n${logs()}`)
    await pause(25)
  }
}

type Listener = { readonly name: string; readonly port: number }

function parseListeners(text: string): readonly Listener[] {
  const answer = JSON.parse(text) as {
    listener_statuses?: { name: string; local_address?: { socket_address?: { port_value?: number } } }[]
  }
  return (answer.listener_statuses ?? []).map(({ name, local_address }) => ({
    name,
    port: local_address?.socket_address?.port_value ?? 0,
  }))
}

/** Keeps the last lines of what a child writes. */
function tail(child: ChildProcess): () => string {
  const kept: string[] = []
  const keep = (chunk: Buffer): void => {
    kept.push(chunk.toString())
    if (kept.length > 400) kept.shift()
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return () => kept.join('')
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(late)
}

/** Starts Envoy and returns when it is live and has the named listeners. */
export async function startEnvoy(options: EnvoyOptions): Promise<Envoy> {
  const {
    bootstrap,
    listeners = [],
    concurrency = 1,
    timeoutMs = 60_000,
    logLevel = 'info',
    args = [],
  } = options
  const folder = mkdtempSync(join(tmpdir(), 'weir-envoy-'))
  const config = join(folder, 'bootstrap.yaml')
  const addressFile = join(folder, 'admin')
  writeFileSync(config, bootstrap)
  const child = spawn(
    envoyBinary(),
    [
      '-c',
      config,
      '--disable-hot-restart',
      '--concurrency',
      String(concurrency),
      '--admin-address-path',
      addressFile,
      '-l',
      logLevel,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const logs = tail(child)
  const closed = once(child, 'exit').then(() => rmSync(folder, { recursive: true, force: true }))
  const died = (): boolean => child.exitCode !== null || child.signalCode !== null
  const alive =
    <T>(look: () => Promise<T | undefined>) =>
    () => {
      if (died()) throw new Error(`Envoy ended with ${child.exitCode ?? child.signalCode}\n${logs()}`)
      return look()
    }

  async function stopWith(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await end(child, signal)
    await closed
  }

  try {
    const address = await poll(
      'the admin address',
      timeoutMs,
      logs,
      alive(async () => {
        const text = existsSync(addressFile) ? readFileSync(addressFile, 'utf8') : ''
        return text === '' ? undefined : text
      }),
    )
    const admin = `http://${address}`
    const get = async (path: string): Promise<string> => (await fetch(`${admin}${path}`)).text()
    const listed = async (): Promise<readonly Listener[]> =>
      parseListeners(await get('/listeners?format=json'))
    await poll(
      'readiness',
      timeoutMs,
      logs,
      alive(async () => ((await fetch(`${admin}/ready`)).ok ? true : undefined)),
    )
    for (const name of listeners)
      await poll(
        `listener ${name}`,
        timeoutMs,
        logs,
        alive(async () => ((await listed()).some((l) => l.name === name) ? true : undefined)),
      )
    return {
      pid: child.pid ?? 0,
      admin,
      get,
      logs,
      async listenerPort(name) {
        const found = (await listed()).find((listener) => listener.name === name)
        if (!found) throw new Error(`Envoy has no listener ${name}\n${logs()}`)
        return found.port
      },
      configDump: async () => JSON.parse(await get('/config_dump')) as unknown,
      async stat(name) {
        const exact = name.replace(/[^\w]/g, '\\$&')
        const line = (await get(`/stats?filter=${encodeURIComponent(`^${exact}$`)}`)).trim()
        return line === '' ? 0 : Number(line.slice(line.lastIndexOf(':') + 1))
      },
      stop: () => stopWith('SIGTERM'),
      kill: () => stopWith('SIGKILL'),
    }
  } catch (error) {
    await stopWith('SIGKILL')
    throw error
  }
}
