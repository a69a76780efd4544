// Keeps revocation lists (spec control-plane 1.1): fetches each URL when the lists that a policy names change and then every
// eight hours, and holds on to the last good list whatever happens. Who asks gets what is in force at once; a change is told.
import { type Revocations, revocationsOf } from '#config'
import type { Clock } from '#platform'
import type { GuardedFetch } from '../fetch/guarded-fetch.ts'
import { type KeptList, acceptLists } from './accept.ts'
import { type ListLog, createListWriter, readKeptLists } from './kept-lists.ts'
import { type AskingPolicy, type Source, type Unlisted, sourcesOf, unlistedCas } from './sources.ts'

/** Calls `run` after so many milliseconds, unless it is called off. */
export type Timers = { after(ms: number, run: () => void): { cancel(): void } }

export type CrlKeeperOptions = {
  /** Survives restarts, and is what filters read. */
  readonly file: string
  readonly fetch: GuardedFetch
  readonly clock: Clock
  readonly log: ListLog
  /** Milliseconds between two fetches of a URL, from 1000 on. */
  readonly intervalMs: number
  /** Something is revoked that was not before, or no longer is. Not called for what was read at the start. */
  readonly onChange: (revocations: Revocations) => void
  /** Default: the system's. */
  readonly timers?: Timers
  /** From 0 to 1. Default: Math.random. */
  readonly random?: () => number
}

export type CrlKeeper = {
  current(): Revocations
  /** From now on the lists of this policy are kept, and no others. Returns the CAs of which there is no list yet. */
  follow(policy: AskingPolicy): readonly Unlisted[]
  stats(): { readonly lists: number; readonly failures: number }
  /** Fetches nothing any more; resolves when what is in force is on disk. */
  stop(): Promise<void>
}

const longestTimerMs = 2 ** 31 - 1
/** The first pause after a failure while there is no list at all, and everybody is refused; then twice as long. */
const urgentMs = 60_000
const mostAtOnce = 4

export const systemTimers: Timers = {
  after(ms, run) {
    const timer = setTimeout(run, Math.min(ms, longestTimerMs)).unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

type Task = {
  readonly url: string
  readonly source: Source
  timer: { cancel(): void } | undefined
  /** In a row. */
  failures: number
}

export function createCrlKeeper(options: CrlKeeperOptions): CrlKeeper {
  const { file, fetch, clock, log, onChange, timers = systemTimers, random = Math.random } = options
  const intervalMs = Math.max(1000, options.intervalMs)
  const writer = createListWriter(file, log)
  let kept = readKeptLists(file, log)
  let revocations = revocationsOf(kept)
  const tasks = new Map<string, Task>()
  const queue: Task[] = []
  let running = 0
  let failures = 0
  let stopped = false

  const jittered = (): number => Math.round(intervalMs * (0.95 + 0.1 * random()))
  const listsAt = (url: string): readonly KeptList[] => kept.filter((list) => list.url === url)
  const isCurrent = (task: Task): boolean => !stopped && tasks.get(task.url) === task

  function replace(lists: readonly KeptList[]): void {
    kept = lists
    writer.save(() => kept)
    const next = revocationsOf(kept)
    if (next.revision === revocations.revision) return
    revocations = next
    onChange(next)
  }

  function wait(task: Task, ms: number): void {
    task.timer = timers.after(ms, () => {
      queue.push(task)
      work()
    })
  }

  function work(): void {
    while (running < mostAtOnce) {
      const task = queue.shift()
      if (task === undefined) return
      if (!isCurrent(task)) continue
      running++
      void fetchOne(task).finally(() => {
        running--
        work()
      })
    }
  }

  function failed(task: Task, reason: string): void {
    failures++
    const hasList = listsAt(task.url).length > 0
    const pause = hasList ? jittered() : Math.min(urgentMs * 2 ** Math.min(task.failures, 20), jittered())
    task.failures++
    log.warn(
      { url: task.url, reason, nextInMs: pause },
      hasList
        ? 'a revocation list could not be renewed; the last good one stays in force'
        : 'a revocation list could not be fetched',
    )
    wait(task, pause)
  }

  function succeeded(task: Task, lists: readonly KeptList[]): void {
    task.failures = 0
    const fresh = new Set(lists.map(({ ca }) => ca))
    for (const { ca, serials, thisUpdate, nextUpdate } of lists) {
      if (nextUpdate !== null && nextUpdate < clock.now())
        log.warn(
          { url: task.url, nextUpdate: new Date(nextUpdate) },
          'a revocation list is past its nextUpdate; it stays in force',
        )
      if (listsAt(task.url).find((one) => one.ca === ca)?.thisUpdate !== thisUpdate)
        log.info(
          { url: task.url, revoked: serials.length, thisUpdate: new Date(thisUpdate) },
          'a revocation list is in force',
        )
    }
    replace([...kept.filter(({ url, ca }) => url !== task.url || !fresh.has(ca)), ...lists])
    wait(task, jittered())
  }

  async function fetchOne(task: Task): Promise<void> {
    const { url, source } = task
    try {
      const fetched = await fetch(url, { signed: true })
      if (!isCurrent(task)) return
      if (!fetched.ok) {
        failed(task, fetched.reason)
        return
      }
      const { bytes } = fetched
      const accepted = acceptLists({ url, bytes, cas: source.cas, kept: listsAt(url), now: clock.now() })
      if (accepted.ok) succeeded(task, accepted.lists)
      else failed(task, accepted.reason)
    } catch (error) {
      // A defect of Weir: the list in force stays, and the next attempt comes as always.
      if (isCurrent(task)) failed(task, String(error))
    }
  }

  /** Milliseconds until the first fetch: what was fetched before a restart need not be fetched again at once. */
  function firstPause(url: string): number {
    const times = listsAt(url).map(({ fetched }) => fetched)
    if (times.length === 0) return 0
    return Math.min(Math.max(0, Math.min(...times) + jittered() - clock.now()), intervalMs)
  }

  function begin(url: string, source: Source): void {
    const before = tasks.get(url)
    if (before?.source.mark === source.mark) return
    before?.timer?.cancel()
    const task: Task = { url, source, timer: undefined, failures: 0 }
    const isRestart = before === undefined
    tasks.set(url, task)
    wait(task, isRestart ? firstPause(url) : 0)
  }

  return {
    current: () => revocations,
    follow(policy) {
      const sources = sourcesOf(policy)
      for (const [url, task] of tasks)
        if (!sources.has(url)) {
          task.timer?.cancel()
          tasks.delete(url)
        }
      const wanted = kept.filter(({ url, ca }) => sources.get(url)?.cas.some(({ id }) => id === ca))
      if (wanted.length !== kept.length) replace(wanted)
      for (const [url, source] of sources) begin(url, source)
      return unlistedCas(policy, revocations)
    },
    stats: () => ({ lists: kept.length, failures }),
    async stop() {
      stopped = true
      for (const { timer } of tasks.values()) timer?.cancel()
      tasks.clear()
      await writer.settled()
    },
  }
}
