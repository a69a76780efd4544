// The journal of events: a file of JSON lines that is rotated by size. Whoever offers a line never waits: lines stand in a
// bounded queue until one writer has put them to disk. They are written in batches, because a write costs about as much as
// an event: a batch is written when it is full, or a moment after its first line. While the disk is full or read-only the queue
// fills, then the newest lines are dropped and counted; once it can be written again the writer goes on where it stopped.
import type { Log } from '#platform'
import { type JournalFileOptions, createJournalFile } from './journal-file.ts'
import { createLineQueue } from './line-queue.ts'

export type JournalOptions = JournalFileOptions & {
  readonly log: Log
  /** Bytes that may wait; default 64 MiB. */
  readonly queueBytes?: number
  /** Milliseconds until the next attempt after a failure; default 1 s. */
  readonly retryMs?: number
  /** Milliseconds that a line waits for others, so that one write carries many; default 100. */
  readonly delayMs?: number
  /** Bytes of a batch, which is written without waiting once they are full; a longer line is a batch of its own. Default 256 KiB. */
  readonly batchBytes?: number
  /** The timer of `delayMs`; default: that of the system. */
  readonly after?: (ms: number, run: () => void) => Cancel
}

export type JournalStats = {
  readonly written: number
  readonly dropped: number
  readonly waiting: number
  readonly failures: number
}

export type Journal = {
  /** Takes one line without line break; false: dropped, because too many wait. */
  offer(line: string): boolean
  /** Writes what waits at once; resolves when it is on its way to disk, or cannot be written. */
  flush(): Promise<void>
  stats(): JournalStats
  /** Writes what waits and closes the file; what cannot be written is counted as dropped. */
  stop(): Promise<void>
}

type Cancel = () => void

/** Keeps the process alive: it must not end on its own while lines wait. */
const systemTimer = (ms: number, run: () => void): Cancel => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** Somebody who waits until so many lines are written. */
type Waiter = { readonly written: number; readonly tell: () => void }

export function openJournal(options: JournalOptions): Journal {
  const { file, log, queueBytes = 64 * 1024 * 1024, batchBytes = 256 * 1024 } = options
  const { retryMs = 1000, delayMs = 100, after = systemTimer } = options
  const target = createJournalFile(options)
  const queue = createLineQueue(queueBytes, batchBytes)
  const counts = { written: 0, dropped: 0, failures: 0 }
  /** What waits is to be written although its batch has room. */
  let due = false
  let delay: Cancel | undefined
  let writer: Promise<void> | undefined
  /** Ends the pause between two attempts; undefined: there is none. */
  let retry: (() => void) | undefined
  let failing = false
  let stopping = false
  let waiters: readonly Waiter[] = []

  const isDue = (): boolean => queue.hasFull || (due && queue.lines > 0)

  function tellWaiters(isReached: (waiter: Waiter) => boolean): void {
    const reached = waiters.filter(isReached)
    if (reached.length === 0) return
    waiters = waiters.filter((waiter) => !isReached(waiter))
    for (const { tell } of reached) tell()
  }

  async function write(): Promise<void> {
    const lines = queue.peek(await target.roomFor(queue.next))
    if (lines === undefined) return
    // What comes while these are written waits for its own moment.
    if (lines.count === queue.lines) due = false
    try {
      await target.append(lines.bytes)
    } catch (error) {
      due = true
      throw error
    }
    queue.remove(lines)
    counts.written += lines.count
    tellWaiters(({ written }) => written <= counts.written)
    if (failing) log.info({ file, dropped: counts.dropped }, 'the event journal is written again')
    failing = false
  }

  function failed(error: unknown): void {
    counts.failures++
    if (!failing) log.error({ err: error, file, waiting: queue.lines }, 'the event journal cannot be written')
    failing = true
    tellWaiters(() => true)
  }

  const pause = (): Promise<void> =>
    new Promise<void>((resolve) => {
      const cancel = systemTimer(retryMs, resolve)
      retry = () => {
        cancel()
        resolve()
      }
    }).then(() => {
      retry = undefined
    })

  async function writeAll(): Promise<void> {
    while (isDue()) {
      // An attempt that began before may have failed for what is mended by now.
      const isLastAttempt = stopping
      try {
        await write()
      } catch (error) {
        failed(error)
        if (isLastAttempt) break
        if (!stopping) await pause()
      }
    }
    // Here and not when the promise is settled: whoever finds lines due in between must find no writer.
    writer = undefined
  }

  function wakeWriter(): void {
    if (writer === undefined && isDue()) writer = writeAll()
  }

  /** Has everything written that waits. */
  function start(): void {
    delay?.()
    delay = undefined
    due = true
    wakeWriter()
  }

  return {
    offer(line) {
      if (stopping || !queue.add(line)) {
        counts.dropped++
        return false
      }
      delay ??= after(delayMs, start)
      if (queue.hasFull) wakeWriter()
      return true
    },
    async flush() {
      start()
      retry?.()
      if (queue.lines === 0) return
      const written = counts.written + queue.lines
      await new Promise<void>((tell) => {
        waiters = [...waiters, { written, tell }]
      })
    },
    stats: () => ({ ...counts, waiting: queue.lines }),
    async stop() {
      stopping = true
      start()
      retry?.()
      await writer
      if (queue.lines > 0) {
        counts.dropped += queue.lines
        log.error({ file, lost: queue.lines }, 'events were lost: the journal could not be written')
        queue.clear()
      }
      await target.close().catch(() => undefined)
    },
  }
}
