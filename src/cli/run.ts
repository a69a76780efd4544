// How a command that serves something lives: log, services, the end by a signal, and an exit code.
import { type Lifecycle, type Log, type Settings, createLifecycle, createLog } from '#platform'

export type Serving = { readonly log: Log; readonly life: Lifecycle; readonly settings: Settings }

export type RunOptions = {
  readonly settings: Settings
  readonly component: string
  /** Ends at once what would outlive this process. */
  readonly force?: () => void
}

/** Runs `start`, then waits for the end and stops everything backwards, also when `start` fails. */
export async function runServing(
  { settings, component, force }: RunOptions,
  start: (serving: Serving) => Promise<void>,
): Promise<number> {
  const { 'log.level': level, 'log.format': format } = settings.values
  const log = createLog({ level, format, component })
  const life = createLifecycle({ log, ...(force === undefined ? {} : { force }) })
  try {
    // A signal while things still start is obeyed at once, not after they have.
    const started = start({ log, life, settings })
    started.catch(() => undefined)
    await Promise.race([started, life.ended])
    const ending = await life.ended
    if (ending.why !== 'failed') return 0
    log.error({}, ending.reason)
    return 1
  } finally {
    await life.stop()
  }
}
