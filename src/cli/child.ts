// A child process that is kept running: started again at once when it dies, with growing pauses when it dies again and
// again, and stopped in order. It gets a process group of its own, so that a Ctrl-C in a terminal reaches the supervisor
// alone, which then stops things in their order.
import type { ChildProcess } from 'node:child_process'
import type { Log } from '#platform'
import { type ChildMessage, isChildMessage } from './messages.ts'

export type ChildOptions = {
  readonly name: string
  readonly log: Log
  readonly spawn: () => ChildProcess
  /** Resolves when a freshly started process serves. */
  readonly whenReady: (child: ChildProcess) => Promise<void>
  readonly onMessage?: (message: ChildMessage) => void
  /** Before SIGTERM: lets running work end. */
  readonly drain?: () => Promise<void>
  /** Milliseconds after SIGTERM until SIGKILL. */
  readonly patienceMs: number
}

export type Child = {
  readonly name: string
  /** The first process serves; rejects when it ended before it did. */
  readonly ready: Promise<void>
  pid(): number | undefined
  stop(): Promise<void>
  /** SIGKILL, and no new one. */
  kill(): void
}

/** Milliseconds before the n-th start in a row of processes that died young. */
const pauses = [0, 250, 500, 1000, 2000, 5000] as const
const longestPause = 5000
/** Who lived this long is started at once again. */
const youthMs = 10_000

const alive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

/** How a process ended, in words. */
const endOf = (code: number | null, signal: NodeJS.Signals | null): string =>
  signal === null ? `exit code ${String(code)}` : `signal ${signal}`

/** Resolves when a Node child has said that it serves. */
export const saysReady = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    const listen = (message: unknown): void => {
      if (!isChildMessage(message) || message.kind !== 'ready') return
      child.off('message', listen)
      resolve()
    }
    child.on('message', listen)
  })

export function keepRunning(options: ChildOptions): Child {
  const { name, log, spawn, whenReady, onMessage, drain, patienceMs } = options
  const first = Promise.withResolvers<void>()
  // Whoever does not wait for it must not end the supervisor.
  first.promise.catch(() => undefined)
  let current: ChildProcess | undefined
  let stopping = false
  let served = false
  let deaths = 0
  let timer: NodeJS.Timeout | undefined

  function died(startedAt: number, how: string): void {
    current = undefined
    if (stopping) {
      first.reject(new Error(`${name} was stopped`))
      return
    }
    if (!served) {
      first.reject(new Error(`${name} did not start (${how}): see the lines above`))
      return
    }
    deaths = performance.now() - startedAt > youthMs ? 0 : deaths + 1
    const pause = pauses[Math.max(0, deaths - 1)] ?? longestPause
    log.warn({ child: name, pause }, `${name} ended with ${how}; starting it again`)
    timer = setTimeout(start, pause)
  }

  function start(): void {
    const startedAt = performance.now()
    const child = spawn()
    current = child
    const { promise: over, resolve: end } = Promise.withResolvers<string>()
    child.once('error', (error) => end(error.message))
    child.once('exit', (code, signal) => end(endOf(code, signal)))
    void over.then((how) => died(startedAt, how))
    if (onMessage !== undefined)
      child.on('message', (message) => {
        if (isChildMessage(message)) onMessage(message)
      })
    whenReady(child).then(
      () => {
        log.info({ child: name, pid: child.pid }, served ? `${name} serves again` : `${name} serves`)
        served = true
        first.resolve()
      },
      // Its end is told by `exit`; not becoming ready alone is nothing to act upon.
      (error: unknown) => log.debug({ err: error, child: name }, 'not ready'),
    )
  }

  async function stop(): Promise<void> {
    stopping = true
    clearTimeout(timer)
    const child = current
    if (child === undefined || !alive(child)) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (drain !== undefined && served) await drain()
    child.kill('SIGTERM')
    const late = setTimeout(() => {
      log.warn({ child: name }, `${name} does not end; killing it`)
      child.kill('SIGKILL')
    }, patienceMs)
    await gone
    clearTimeout(late)
  }

  start()
  return {
    name,
    ready: first.promise,
    pid: () => current?.pid,
    stop,
    kill() {
      stopping = true
      clearTimeout(timer)
      current?.kill('SIGKILL')
    },
  }
}
