// Processes of a measured server: started, waited for, stopped by id; and what they took of the processors, which is
// the figure that a noisy machine spoils least.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

export type Running = {
  readonly pid: number
  /** What it wrote on both outputs so far. */
  text(): string
  stop(): Promise<void>
}

export type StartOptions = {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** It is ready once its output has this. */
  readonly ready?: RegExp
  /** Or once this port of 127.0.0.1 takes connections. */
  readonly port?: number
}

const startSeconds = 60

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function waitUntilReady(
  child: ChildProcess,
  text: () => string,
  { ready, port }: StartOptions,
): Promise<void> {
  for (const end = Date.now() + startSeconds * 1000; Date.now() < end; await pause(50)) {
    if (child.exitCode !== null || child.signalCode !== null) break
    if (ready !== undefined && !ready.test(text())) continue
    if (port !== undefined && !(await takesConnections(port))) continue
    return
  }
  child.kill('SIGKILL')
  throw new Error(`${String(child.spawnargs[0])} did not start: ${text().slice(-2000)}`)
}

/** Starts a program and waits until it is ready. */
export async function start(
  file: string,
  args: readonly string[],
  options: StartOptions = {},
): Promise<Running> {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  let kept = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      kept = (kept + chunk.toString('utf8')).slice(-64 * 1024)
    })
  const ended = once(child, 'close')
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
    await ended
    clearTimeout(late)
  }
  await waitUntilReady(child, () => kept, options)
  return { pid: child.pid ?? 0, text: () => kept, stop }
}

type Stat = { readonly parent: number; readonly ticks: number; readonly rssPages: number }

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
    // The name in parentheses may hold anything; fields are counted behind it.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return {
      parent: Number(fields[1]),
      ticks: Number(fields[11]) + Number(fields[12]),
      rssPages: Number(fields[21]),
    }
  } catch {
    return undefined
  }
}

/** A process and all that it started. */
export function treeOf(pid: number): readonly number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), statOf(Number(name))?.parent] as const),
  )
  const tree = [pid]
  for (const known of tree) for (const [one, parent] of parents) if (parent === known) tree.push(one)
  return tree
}

const microsecondsPerTick = 10_000
const bytesPerPage = 4096

/** What a process is called in the tables: the name of its program, of Weir's own its command. */
function nameOf(pid: number): string {
  const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0')
  const main = words.findIndex((word) => word.endsWith('/cli/main.ts'))
  return (main >= 0 ? words[main + 1] : words[0]?.split(/[ :]/)[0]?.split('/').at(-1)) ?? String(pid)
}

export type Usage = {
  /** Microseconds of processor time so far, by name. */
  readonly cpu: ReadonlyMap<string, number>
  /** Bytes of resident memory, by name. */
  readonly memory: ReadonlyMap<string, number>
}

/** What the trees of these processes took so far. */
export function usageOf(pids: readonly number[]): Usage {
  const cpu = new Map<string, number>()
  const memory = new Map<string, number>()
  for (const pid of pids.flatMap(treeOf)) {
    const stat = statOf(pid)
    if (stat === undefined) continue
    const name = nameOf(pid)
    cpu.set(name, (cpu.get(name) ?? 0) + stat.ticks * microsecondsPerTick)
    memory.set(name, (memory.get(name) ?? 0) + stat.rssPages * bytesPerPage)
  }
  return { cpu, memory }
}

/** Microseconds of processor time per request between two readings: of all processes, and of each. */
export function cpuPerRequest(
  before: Usage,
  after: Usage,
  requests: number,
): Readonly<Record<string, number>> {
  const spent = [...after.cpu].map(
    ([name, us]) => [`cpu µs: ${name}`, (us - (before.cpu.get(name) ?? 0)) / requests] as const,
  )
  return { 'cpu µs': spent.reduce((sum, [, us]) => sum + us, 0), ...Object.fromEntries(spent) }
}
