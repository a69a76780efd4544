// Which seed a running process uses where the configuration names none: the setting, or the file of this machine. Commands
// that only look at a configuration (validate, inspect) ask for none and write nothing.
import type { SeedSource } from '#config'
import { type Settings, readMachineSeed } from '#platform'

/** Shorter ones can be guessed by trying. */
const fewestCharacters = 16

/** `onUse` is told once, when the seed of the file is used: its path, as the setting names it. */
export function seedSource(
  { values }: Pick<Settings, 'values'>,
  onUse: (file: string) => void = () => undefined,
): SeedSource {
  const given = values['masking.seed']
  const file = values['masking.seed_file']
  let found: { readonly ok: true; readonly seed: string } | undefined
  return () => {
    if (found !== undefined) return found
    if (given !== undefined) {
      if (given.length >= fewestCharacters) return (found = { ok: true, seed: given })
      return {
        ok: false,
        reason: `the setting masking.seed has only ${String(given.length)} characters`,
        remedy: `Give it ${String(fewestCharacters)} or more, random ones.`,
      }
    }
    const made = readMachineSeed(file)
    if (!made.ok) return made
    onUse(file)
    return (found = made)
  }
}
