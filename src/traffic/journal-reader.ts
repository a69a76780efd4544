// Reading the journal: the last lines, and what follows, across rotations. A rotated file is recognised by its inode: what
// is left in the old one is read to its end before the new one is opened.
import { type FileHandle, open, stat } from 'node:fs/promises'

/** The last `count` lines of the journal, oldest first, and where following goes on. */
export type Tail = { readonly lines: readonly string[]; readonly position: Position }

export type Position = { readonly inode: number; readonly offset: number }

const chunkBytes = 64 * 1024

const nowhere: Position = { inode: 0, offset: 0 }

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whole lines at the end of a file, at most `count`. */
async function lastLines(handle: FileHandle, size: number, count: number): Promise<readonly string[]> {
  let text = Buffer.alloc(0)
  let at = size
  while (at > 0) {
    const from = Math.max(0, at - chunkBytes)
    const chunk = Buffer.alloc(at - from)
    await handle.read(chunk, 0, chunk.length, from)
    text = Buffer.concat([chunk, text])
    at = from
    let breaks = 0
    for (const byte of text) if (byte === 10) breaks++
    if (breaks > count) break
  }
  const lines = text.toString('utf8').split('\n')
  lines.pop()
  return (at > 0 ? lines.slice(1) : lines).slice(-count)
}

/** Reads backwards through the rotated files until `count` lines are found. `keep`: how many there may be. */
export async function readTail(file: string, count: number, keep: number): Promise<Tail> {
  let lines: readonly string[] = []
  let position = nowhere
  for (let n = 0; n <= keep; n++) {
    const handle = await openIfThere(n === 0 ? file : `${file}.${String(n)}`)
    if (handle === undefined) {
      if (n === 0) continue
      break
    }
    try {
      const { size, ino } = await handle.stat()
      if (n === 0) position = { inode: ino, offset: size }
      if (lines.length < count) lines = [...(await lastLines(handle, size, count - lines.length)), ...lines]
    } finally {
      await handle.close()
    }
    if (lines.length >= count) break
  }
  return { lines, position }
}

export type FollowOptions = {
  readonly file: string
  readonly from: Position
  readonly onLine: (line: string) => void
  readonly signal: AbortSignal
  /** Milliseconds between looks; default 200. */
  readonly everyMs?: number
}

type Reading = { handle: FileHandle; inode: number; offset: number; rest: Buffer }

async function readOn(reading: Reading, onLine: (line: string) => void): Promise<void> {
  const chunk = Buffer.alloc(chunkBytes)
  for (;;) {
    const { bytesRead } = await reading.handle.read(chunk, 0, chunk.length, reading.offset)
    if (bytesRead === 0) return
    reading.offset += bytesRead
    const bytes = Buffer.concat([reading.rest, chunk.subarray(0, bytesRead)])
    const end = bytes.lastIndexOf(10)
    reading.rest = Buffer.from(bytes.subarray(end + 1))
    if (end > 0) for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) onLine(line)
  }
}

async function inodeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).ino
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })

/** Calls `onLine` for every line that is added, until the signal; waits for a file that is not there yet. */
export async function followJournal({
  file,
  from,
  onLine,
  signal,
  everyMs = 200,
}: FollowOptions): Promise<void> {
  let reading: Reading | undefined
  try {
    while (!signal.aborted) {
      const inode = await inodeOf(file)
      if (reading !== undefined) {
        await readOn(reading, onLine)
        if (inode !== undefined && inode !== reading.inode) {
          await reading.handle.close()
          reading = undefined
        }
      }
      if (reading === undefined && inode !== undefined) {
        const handle = await openIfThere(file)
        if (handle !== undefined) {
          const { ino } = await handle.stat()
          const offset = ino === from.inode ? from.offset : 0
          reading = { handle, inode: ino, offset, rest: Buffer.alloc(0) }
          continue
        }
      }
      await pause(everyMs, signal)
    }
  } finally {
    await reading?.handle.close()
  }
}
