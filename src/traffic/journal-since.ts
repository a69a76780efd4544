// The events of the journal since a moment, oldest first: its files are read forward, line by line, and those that were
// last written before that moment not at all.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** When a file was last written, in milliseconds; undefined: there is none. */
async function lastWritten(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** The files of a journal that may hold such events, oldest first. */
async function filesSince(file: string, keep: number, since: number): Promise<readonly string[]> {
  const found: string[] = []
  for (let n = 0; n <= keep; n++) {
    const one = n === 0 ? file : `${file}.${String(n)}`
    const written = await lastWritten(one)
    if (written === undefined && n > 0) break
    if (written !== undefined && written >= since) found.unshift(one)
  }
  return found
}

/** The event of a line; undefined for half a line, which a process leaves that was killed. */
function eventOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const event: unknown = JSON.parse(line)
    return typeof event === 'object' && event !== null
      ? (event as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/**
 * @param keep how many rotated files there may be
 * @param since milliseconds since 1970
 * @returns whether there is a journal; `onEvent` had every event since then
 */
export async function readSince(
  file: string,
  { keep, since }: { readonly keep: number; readonly since: number },
  onEvent: (event: Readonly<Record<string, unknown>>) => void,
): Promise<boolean> {
  // Without the Z: events have microseconds.
  const from = new Date(since).toISOString().slice(0, -1)
  for (const one of await filesSince(file, keep, since)) {
    const lines = createInterface({ input: createReadStream(one), crlfDelay: Infinity })
    for await (const line of lines) {
      const event = eventOf(line)
      const at = event?.['timestamp']
      // RFC 3339 in UTC: the order of the texts is that of the moments.
      if (event !== undefined && typeof at === 'string' && at >= from) onEvent(event)
    }
  }
  return (await lastWritten(file)) !== undefined
}
