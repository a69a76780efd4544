// The journal on disk: a file of lines and those rotated away from it. One writer at a time; what fails throws, closes the file,
// and leaves whole lines behind.
import { type FileHandle, access, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export type JournalFileOptions = {
  readonly file: string
  /** Bytes that a file may have; a longer line stands alone. */
  readonly maxBytes: number
  /** Rotated files that stay: `file.1` is the youngest. */
  readonly keep: number
}

export type JournalFile = {
  /** Bytes that fit, at least `least`: the next file is begun where they do not. */
  roomFor(least: number): Promise<number>
  /** Appends whole lines. */
  append(lines: Uint8Array): Promise<void>
  close(): Promise<void>
}

type Opened = { readonly handle: FileHandle; readonly inode: number; size: number }

const lineFeed = 10

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )

/**
 * `file` becomes `file.1`, `file.1` becomes `file.2`, …; the oldest goes. Files behind a gap stay where they are, so that attempts
 * that fail halfway do not push one file after the other over the edge.
 */
export async function rotate(file: string, keep: number): Promise<void> {
  if (keep === 0) return rm(file, { force: true })
  const nameOf = (n: number): string => (n === 0 ? file : `${file}.${String(n)}`)
  let free = 1
  while (free < keep && (await isThere(nameOf(free)))) free++
  for (let n = free - 1; n >= 0; n--) {
    try {
      await rename(nameOf(n), nameOf(n + 1))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

async function openEnd(file: string): Promise<Opened> {
  await mkdir(dirname(file), { recursive: true })
  const handle = await open(file, 'a+')
  try {
    const { size, ino: inode } = await handle.stat()
    if (size === 0) return { handle, inode, size }
    // A writer that was killed may have left half a line: it stays one broken line and not the head of the next.
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
    if (buffer[0] === lineFeed) return { handle, inode, size }
    await handle.appendFile('\n')
    return { handle, inode, size: size + 1 }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Opens nothing before something is to be written. */
export function createJournalFile({ file, maxBytes, keep }: JournalFileOptions): JournalFile {
  let opened: Opened | undefined

  async function close(): Promise<void> {
    const { handle } = opened ?? {}
    opened = undefined
    await handle?.close()
  }

  /** The file of that name: somebody may have moved or removed the one that was opened. */
  async function current(): Promise<Opened> {
    if (opened !== undefined) {
      const found = await stat(file).catch((error: unknown) => {
        if (isMissing(error)) return undefined
        throw error
      })
      if (found?.ino !== opened.inode) await close()
    }
    opened ??= await openEnd(file)
    return opened
  }

  async function failed(error: unknown): Promise<never> {
    await close().catch(() => undefined)
    throw error
  }

  return {
    async roomFor(least) {
      try {
        const { size } = await current()
        if (size === 0 || size + least <= maxBytes) return Math.max(least, maxBytes - size)
        await close()
        await rotate(file, keep)
        const next = await current()
        return Math.max(least, maxBytes - next.size)
      } catch (error) {
        return failed(error)
      }
    },
    async append(lines) {
      try {
        const to = (opened ??= await openEnd(file))
        try {
          await to.handle.appendFile(lines)
        } catch (error) {
          // A disk that fills in the middle of a line must not leave half of it before the next.
          await to.handle.truncate(to.size).catch(() => undefined)
          throw error
        }
        to.size += lines.length
      } catch (error) {
        await failed(error)
      }
    },
    close,
  }
}
