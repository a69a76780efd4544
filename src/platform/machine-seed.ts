// The seed with which this machine masks values and hashes sessions where the configuration names none.
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { fieldOf, readOrMake } from './machine-file.ts'

export type MachineSeed =
  | { readonly ok: true; readonly seed: string; /** By this process, just now. */ readonly made: boolean }
  /** `reason` names the file and what is wrong with it; `remedy` is a sentence. */
  | { readonly ok: false; readonly reason: string; readonly remedy: string }

/** Shorter ones can be guessed by trying. */
const fewestCharacters = 16

/** The seed in `file`, which is made if there is none: 64 hex digits, for its owner only. Never throws. */
export function readMachineSeed(file: string): MachineSeed {
  const path = resolve(file)
  const refused = (reason: string): MachineSeed => ({
    ok: false,
    reason: `the seed of this machine, ${path}, ${reason}`,
    remedy: `Let Weir read and write this file, name another with the setting masking.seed_file, or give a secret of ${String(fewestCharacters)} or more characters as masking.seed.`,
  })
  try {
    const { text, made } = readOrMake(path, () => `${randomBytes(32).toString('hex')}\n`)
    const seed = text.trim()
    return seed.length < fewestCharacters
      ? refused(`holds ${seed === '' ? 'nothing' : `only ${String(seed.length)} characters`}`)
      : { ok: true, seed, made }
  } catch (error) {
    return refused(`cannot be used: ${String(fieldOf(error, 'message') ?? error)}`)
  }
}
