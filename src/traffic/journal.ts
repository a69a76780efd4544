// The journal of events: a file of JSON lines that is rotated by size. Whoever offers a line never waits: lines stand in a
// bounded queue until one writer has put them to disk. They are written in batches, because a write costs about as much as
// an event: a batch is closed when it is full, or a moment after its first line. Lines are encoded as they come: texts that
// wait for their batch would be moved about by the garbage collector, which costs as much as half of an event. While the disk
// is full or read-only the queue fills, then the newest lines are dropped and counted; once it can be written again the writer
// goes on where it stopped.
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

type Opened = { readonly handle: FileHandle; size: number }

/** Lines that are written together. */
type Batch = {
  readonly bytes: Buffer
  /** Where each line ends, its line break included. */
  readonly ends: number[]
  /** Lines that are on disk already. */
  written: number
}

/** Where the first `lines` lines end. */
const endOf = ({ ends }: Batch, lines: number): number => ends[lines - 1] ?? 0

function add({ bytes, ends }: Batch, line: string): void {
  const at = ends.at(-1) ?? 0
  const end = at + bytes.write(line, at)
  bytes[end] = lineFeed
  ends.push(end + 1)
}

type Cancel = () => void

const lineFeed = 10

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
  if (buffer[0] === lineFeed) return { handle, size }
  await handle.appendFile('\n')
  return { handle, size: size + 1 }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref())

/** Keeps the process alive: it must not end on its own while lines wait. */
const systemTimer = (ms: number, run: () => void): Cancel => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

const sizeOf = (line: string): number => Buffer.byteLength(line) + 1

/** How many of the lines that are not on disk yet fit into `room` bytes. */
function fitting(batch: Batch, room: number): number {
  const { ends, written } = batch
  const last = endOf(batch, written) + room
  let count = ends.length - written
  while (count > 0 && endOf(batch, written + count) > last) count--
  return count
}

export function openJournal(options: JournalOptions): Journal {
  const { file, maxBytes, keep, log, queueBytes = 64 * 1024 * 1024, retryMs = 1000 } = options
  const { delayMs = 100, batchBytes = 256 * 1024, after = systemTimer } = options
  /** Oldest first; lines are added to the last. */
  const batches: Batch[] = []
  /** The bytes of a batch that is written, for the next one. */
  let spare: Buffer | undefined
  /** The last batch is to be written although there is room in it. */
  let due = false
  let delay: Cancel | undefined
  const waiting = { lines: 0, bytes: 0 }
  let opened: Opened | undefined
  let writer: Promise<void> | undefined
  let stopping = false
  /** What had not been written when the journal was closed is lost, and nothing comes after it. */
  let stopped = false
  let failing = false
  const counts = { written: 0, dropped: 0, failures: 0 }

  async function close(): Promise<void> {
    const { handle } = opened ?? {}
    opened = undefined
    await handle?.close()
  }

  /** Takes the batch away once it is on disk; the last one begins anew. */
  function done(batch: Batch): void {
    if (batch.written < batch.ends.length) return
    if (batches.length > 1) {
      batches.shift()
      if (batch.bytes.length === batchBytes) spare = batch.bytes
    } else {
      batch.ends.length = 0
      batch.written = 0
    }
  }

  /** Writes the next `count` lines of the first batch. */
  async function append({ handle, size }: Opened, batch: Batch, count: number): Promise<number> {
    const to = batch.written + count
    const bytes = batch.bytes.subarray(endOf(batch, batch.written), endOf(batch, to))
    if (batches.length === 1 && to === batch.ends.length) due = false
    try {
      await handle.appendFile(bytes)
    } catch (error) {
      due = true
      // A disk that fills in the middle of a line must not leave half of it before the next.
      await handle.truncate(size).catch(() => undefined)
      throw error
    }
    if (stopped) return bytes.length
    batch.written = to
    waiting.lines -= count
    waiting.bytes -= bytes.length
    counts.written += count
    done(batch)
    return bytes.length
  }

  async function write(batch: Batch): Promise<void> {
    if (stopped) return
    opened ??= await openEnd(file)
    let count = fitting(batch, maxBytes - opened.size)
    if (count === 0 && opened.size > 0) {
      await close()
      await rotate(file, keep)
      opened = await openEnd(file)
      count = fitting(batch, maxBytes - opened.size)
    }
    // A line that is longer than a file stands alone.
    opened.size += await append(opened, batch, Math.max(1, count))
  }

  async function report(error: unknown): Promise<void> {
    counts.failures++
    if (!failing)
      log.error({ err: error, file, waiting: waiting.lines }, 'the event journal cannot be written')
    failing = true
    await close().catch(() => undefined)
  }

  /** The batch whose turn it is; none while lines may still be added to it. */
  function nextBatch(): Batch | undefined {
    const [first] = batches
    if (first === undefined || first.written === first.ends.length) return undefined
    return batches.length > 1 || due ? first : undefined
  }

  async function writeAll(): Promise<void> {
    for (let batch = nextBatch(); batch !== undefined; batch = nextBatch()) {
      try {
        await write(batch)
        if (failing) log.info({ file, dropped: counts.dropped }, 'the event journal is written again')
        failing = false
      } catch (error) {
        await report(error)
        if (stopping) break
        await pause(retryMs)
      }
      if (stopped) break
    }
    // Here and not when the promise is settled: whoever finds a batch due in between must find no writer.
    writer = undefined
  }

  /** Has everything written that waits. */
  function start(): void {
    delay?.()
    delay = undefined
    due = waiting.lines > 0
    if (due) writer ??= writeAll()
  }

  /** The batch that takes `size` more bytes. */
  function batchFor(size: number): Batch {
    const last = batches.at(-1)
    if (last !== undefined && endOf(last, last.ends.length) + size <= last.bytes.length) return last
    const bytes =
      size > batchBytes ? Buffer.allocUnsafeSlow(size) : (spare ?? Buffer.allocUnsafeSlow(batchBytes))
    if (bytes === spare) spare = undefined
    const batch: Batch = { bytes, ends: [], written: 0 }
    batches.push(batch)
    if (batches.length > 1) writer ??= writeAll()
    return batch
  }

  return {
    offer(line) {
      const bytes = sizeOf(line)
      if (stopping || waiting.bytes + bytes > queueBytes) {
        counts.dropped++
        return false
      }
      add(batchFor(bytes), line)
      waiting.lines++
      waiting.bytes += bytes
      delay ??= after(delayMs, start)
      return true
    },
    async flush() {
      start()
      while (writer !== undefined && !failing) await Promise.race([writer, pause(10)])
    },
    stats: () => ({ ...counts, waiting: waiting.lines }),
    async stop() {
      stopping = true
      start()
      // A writer that sleeps between attempts is not waited for: nothing has changed since its last one.
      if (writer !== undefined) await (failing ? Promise.race([writer, pause(retryMs + 100)]) : writer)
      stopped = true
      if (waiting.lines > 0) {
        counts.dropped += waiting.lines
        log.error({ file, lost: waiting.lines }, 'events were lost: the journal could not be written')
        batches.length = 0
        waiting.lines = 0
        waiting.bytes = 0
      }
      await close().catch(() => undefined)
    },
  }
}
