// The journal of events: a file of JSON lines that is rotated by size. Whoever offers a line never waits: lines stand in a
// bounded queue until one writer has put them to disk. While the disk is full or read-only the queue fills, then the newest
// lines are dropped and counted; once it can be written again the writer goes on where it stopped.
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '#platform'

export type JournalOptions = {
  readonly file: string
  /** Bytes that a file may have; a longer line stands alone. */
  readonly maxBytes: number
  /** Rotated files that stay: `file.1` is the youngest. */
  readonly keep: number
  readonly log: Log
  /** Bytes that may wait; default 64 MiB. */
  readonly queueBytes?: number
  /** Milliseconds until the next attempt after a failure; default 1 s. */
  readonly retryMs?: number
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
  /** Resolves when what was offered so far is on its way to disk, or cannot be written. */
  flush(): Promise<void>
  stats(): JournalStats
  /** Writes what waits and closes the file; what cannot be written is counted as dropped. */
  stop(): Promise<void>
}

type Opened = { readonly handle: FileHandle; size: number }

/** Lines of one write. */
const batchLines = 1000

/** `file` becomes `file.1`, `file.1` becomes `file.2`, …; the oldest goes. */
export async function rotate(file: string, keep: number): Promise<void> {
  if (keep === 0) return rm(file, { force: true })
  await rm(`${file}.${String(keep)}`, { force: true })
  for (let n = keep - 1; n >= 0; n--) {
    const from = n === 0 ? file : `${file}.${String(n)}`
    try {
      await rename(from, `${file}.${String(n + 1)}`)
    } catch (error) {
      // A gap in the row is nothing to stop for; anything else is the writer's to report.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

async function openEnd(file: string): Promise<Opened> {
  await mkdir(dirname(file), { recursive: true })
  const handle = await open(file, 'a+')
  const { size } = await handle.stat()
  if (size === 0) return { handle, size }
  // A writer that was killed may have left half a line: it stays one broken line and not the head of the next.
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer[0] === 10) return { handle, size }
  await handle.appendFile('\n')
  return { handle, size: size + 1 }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

export function openJournal(options: JournalOptions): Journal {
  const { file, maxBytes, keep, log, queueBytes = 64 * 1024 * 1024, retryMs = 1000 } = options
  const queue: string[] = []
  let waitingBytes = 0
  let opened: Opened | undefined
  let writer: Promise<void> | undefined
  let stopping = false
  let failing = false
  const counts = { written: 0, dropped: 0, failures: 0 }

  async function close(): Promise<void> {
    const { handle } = opened ?? {}
    opened = undefined
    await handle?.close()
  }

  /** How many lines from the start of the queue fit into the file, and their text. */
  function nextBatch(room: number): { readonly lines: number; readonly text: Buffer } {
    let lines = 0
    let bytes = 0
    for (const line of queue.slice(0, batchLines)) {
      const more = Buffer.byteLength(line) + 1
      if (lines > 0 && bytes + more > room) break
      lines++
      bytes += more
      if (bytes >= room) break
    }
    return { lines, text: Buffer.from(`${queue.slice(0, lines).join('\n')}\n`) }
  }

  async function writeSome(): Promise<void> {
    opened ??= await openEnd(file)
    if (opened.size > 0 && opened.size + Buffer.byteLength(queue[0] ?? '') + 1 > maxBytes) {
      await close()
      await rotate(file, keep)
      opened = await openEnd(file)
    }
    const { lines, text } = nextBatch(maxBytes - opened.size)
    try {
      await opened.handle.appendFile(text)
    } catch (error) {
      // A disk that fills in the middle of a line must not leave half of it before the next.
      await opened.handle.truncate(opened.size).catch(() => undefined)
      throw error
    }
    opened.size += text.length
    queue.splice(0, lines)
    waitingBytes -= text.length
    counts.written += lines
  }

  async function report(error: unknown): Promise<void> {
    counts.failures++
    if (!failing)
      log.error({ err: error, file, waiting: queue.length }, 'the event journal cannot be written')
    failing = true
    await close().catch(() => undefined)
  }

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      try {
        await writeSome()
        if (failing) log.info({ file, dropped: counts.dropped }, 'the event journal is written again')
        failing = false
      } catch (error) {
        await report(error)
        if (stopping) return
        await pause(retryMs)
      }
    }
  }

  function start(): void {
    writer ??= writeAll().finally(() => {
      writer = undefined
    })
  }

  return {
    offer(line) {
      const bytes = Buffer.byteLength(line) + 1
      if (stopping || waitingBytes + bytes > queueBytes) {
        counts.dropped++
        return false
      }
      queue.push(line)
      waitingBytes += bytes
      start()
      return true
    },
    async flush() {
      while (writer !== undefined && !failing) await Promise.race([writer, pause(10)])
    },
    stats: () => ({ ...counts, waiting: queue.length }),
    async stop() {
      stopping = true
      if (queue.length > 0) start()
      // A writer that sleeps between attempts is not waited for: nothing has changed since its last one.
      if (writer !== undefined) await (failing ? Promise.race([writer, pause(retryMs + 100)]) : writer)
      if (queue.length > 0) {
        counts.dropped += queue.length
        log.error({ file, lost: queue.length }, 'events were lost: the journal could not be written')
        queue.length = 0
      }
      await close().catch(() => undefined)
    },
  }
}
