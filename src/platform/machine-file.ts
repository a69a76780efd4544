// A file that this machine makes once and every process reads: whichever needs it first writes it, so that all agree and a
// restart changes nothing. The file appears whole and at once, under its name only if there is none yet.
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export const fieldOf = (error: unknown, field: 'code' | 'message'): unknown =>
  typeof error === 'object' && error !== null && field in error
    ? (error as Readonly<Record<string, unknown>>)[field]
    : undefined

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (fieldOf(error, 'code') === 'ENOENT') return undefined
    throw error
  }
}

/** False: another process was faster. */
function make(file: string, content: () => string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    writeFileSync(draft, content(), { mode: 0o600, flag: 'wx' })
    // Unlike a rename, a link does not replace what is there.
    linkSync(draft, file)
    return true
  } catch (error) {
    if (fieldOf(error, 'code') === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * What stands in `file`; if there is none, what `content` makes is put there, for its owner only. Throws the errors of the
 * file system.
 */
export function readOrMake(
  file: string,
  content: () => string,
): { readonly text: string; /** By this process, just now. */ readonly made: boolean } {
  const known = read(file)
  const made = known === undefined && make(file, content)
  return { text: known ?? read(file) ?? '', made }
}
