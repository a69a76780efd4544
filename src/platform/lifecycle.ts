// The life of a process: services start in order, and what started is stopped backwards, whatever the reason to stop.
// SIGTERM, SIGINT and the death of the parent ask for an orderly end; a second signal does not wait for it.
import type { Log } from './log.ts'

export type Ending =
  | { readonly why: 'signal'; readonly signal: NodeJS.Signals }
  /** The process that started this one is gone. */
  | { readonly why: 'orphaned' }
  | { readonly why: 'failed'; readonly reason: string }

export type Lifecycle = {
  /**
   * Starts a service and keeps how it is stopped; what `start` throws passes through. Once the end has begun nothing
   * starts any more: the promise rejects.
   */
  start<T>(name: string, start: () => T | Promise<T>, stop: (service: T) => unknown): Promise<T>
  /** Resolves once, when the process is to end. */
  readonly ended: Promise<Ending>
  /** Asks for the end as a signal would. */
  fail(reason: string): void
  /** Stops what started, last first. A service that fails to stop is logged and the next one is stopped. */
  stop(): Promise<void>
}

export type LifecycleOptions = {
  readonly log: Log
  /** Called when a second signal came, before the process exits: ends what would outlive it. */
  readonly force?: () => void
}

/** A terminal and a parent that passes signals on both deliver the same Ctrl-C: this close together it is one. */
const sameSignalMs = 400

const exitCodes: Partial<Readonly<Record<NodeJS.Signals, number>>> = { SIGINT: 130, SIGTERM: 143 }

export function createLifecycle({ log, force }: LifecycleOptions): Lifecycle {
  const running: { readonly name: string; readonly stop: () => unknown }[] = []
  const { promise: ended, resolve } = Promise.withResolvers<Ending>()
  let firstAt = 0
  let stopped = false

  const onSignal = (signal: NodeJS.Signals): void => {
    const now = performance.now()
    if (firstAt === 0) {
      firstAt = now
      log.info({ signal }, 'stopping')
      resolve({ why: 'signal', signal })
    } else if (now - firstAt > sameSignalMs) {
      log.warn({ signal }, 'a second signal: not waiting any longer')
      force?.()
      process.exit(exitCodes[signal] ?? 1)
    }
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  if (process.connected) process.once('disconnect', () => resolve({ why: 'orphaned' }))

  const stopAll = async (): Promise<void> => {
    for (let service = running.pop(); service !== undefined; service = running.pop()) {
      try {
        await service.stop()
      } catch (error) {
        log.error({ err: error, service: service.name }, 'did not stop in order')
      }
    }
  }

  return {
    ended,
    async start(name, start, stop) {
      if (stopped) throw new Error(`${name} does not start: this process ends`)
      const service = await start()
      running.push({ name, stop: () => stop(service) })
      if (stopped) await stopAll()
      return service
    },
    fail: (reason) => resolve({ why: 'failed', reason }),
    async stop() {
      stopped = true
      await stopAll()
    },
  }
}
