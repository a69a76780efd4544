// The seed with which this machine masks values and hashes sessions where the configuration names none. Made by whichever
// process needs it first, and read by all others, so that they agree and a restart changes nothing: the file appears whole
// and at once, under its name only if there is none yet.
import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

export type MachineSeed =
  | { readonly ok: true; readonly seed: string; /** By this process, just now. */ readonly made: boolean }
  /** `reason` names the file and what is wrong with it; `remedy` is a sentence. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string }

/** Shorter ones can be guessed by trying. */
const fewestCharacters = 16

const fieldOf = (error: unknown, field: 'code' | 'message'): unknown =>
  typeof error === 'object' && error !== null && field in error
    ? (error as Readonly<Record<string, unknown>>)[field]
    : undefined

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (fieldOf(error, 'code') === 'ENOENT') return undefined
    throw error
  }
}

/** False: another process was faster. */
function make(file: string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.${randomBytes(8).toString('hex')}`
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
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

/** The seed in `file`, which is made if there is none: 64 hex digits, for its owner only. Never throws. */
export function readMachineSeed(file: string): MachineSeed {
  const path = resolve(file)
  const refused = (reason: string): MachineSeed => ({
    ok: false,
    reason: `the seed of this machine, ${path}, ${reason}`,
    remedy: `Let Weir read and write this file, name another with the setting masking.seed_file, or give a secret of ${String(fewestCharacters)} or more characters as masking.seed.`,
  })
  try {
    const known = read(path)
    const made = known === undefined && make(path)
    const seed = known ?? read(path) ?? ''
    return seed.length < fewestCharacters
      ? refused(`holds ${seed === '' ? 'nothing' : `only ${String(seed.length)} characters`}`)
      : { ok: true, seed, made }
  } catch (error) {
    return refused(`cannot be used: ${String(fieldOf(error, 'message') ?? error)}`)
  }
}
