// The salt of masked values and session ids (spec pipeline 6.5, 7.7). Profiles ship with a placeholder, because a secret
// that everybody can read is none: a running filter puts one of its own in its place.
import type { ContentFilterProfileEntry } from '../documents/content-filter-profiles.ts'
import { finding } from '../findings.ts'
import type { Document } from '../read/read-entries.ts'

/** Where a seed comes from that no document names; asked only if one is needed. */
export type SeedSource = () =>
  | { readonly ok: true; readonly seed: string }
  | { readonly ok: false; readonly reason: string; readonly remedy: string }

export const placeholderSeed = 'CHANGEME'

type Profiles = Document<ContentFilterProfileEntry>

/** Without a source placeholders stay, with a warning where the operator's own entries have them. */
export function withSeeds(own: Profiles, all: Profiles, source: SeedSource | undefined): Profiles {
  const open = [...all.entries.values()].filter(({ maskingSeed }) => maskingSeed === placeholderSeed)
  if (open.length === 0) return all
  if (source === undefined) {
    for (const { id } of open)
      if (own.entries.has(id))
        own
          .reportOn(id)
          .warning(
            'masking_seed',
            finding(
              'masking_seed is CHANGEME',
              'Set a random secret, or each machine makes one of its own, and the same visitor has another session id on each.',
            ),
          )
    return all
  }
  const made = source()
  if (!made.ok) {
    for (const { id } of open)
      all
        .reportOn(id)
        .problem(
          'masking_seed',
          finding(
            `masking_seed is CHANGEME, and ${made.reason}`,
            `Set a random secret here. Or: ${made.remedy}`,
          ),
        )
    return all
  }
  const entries = new Map(all.entries)
  for (const profile of open) entries.set(profile.id, { ...profile, maskingSeed: made.seed })
  return { ...all, entries }
}
