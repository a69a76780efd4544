// The bytes of one file, or why there are none. Only regular files of a sensible size are opened: a pipe would block the
// process, and a mistake must not take all memory.
import { readFileSync, statSync } from 'node:fs'
import { whyUnreadable } from '#platform'

const largest = 64 * 1024 * 1024

/** What the system says, without the class of the error. */
export const messageOf = (error: unknown): string => String(error).replace(/^\w*Error: /, '')

export function fileBytes(path: string): Buffer | { readonly why: string } {
  try {
    const stat = statSync(path)
    if (!stat.isFile()) return { why: 'not a regular file' }
    if (stat.size > largest) return { why: `larger than ${String(largest / 2 ** 20)} MiB` }
    return readFileSync(path)
  } catch (error) {
    return { why: whyUnreadable(error) }
  }
}
