// A bounded memory of short texts.
import { createRecent } from '#platform'

export type RecentTexts = { has(text: string): boolean; add(text: string): void }

/** Of one generation. */
const mostTexts = 4096
/** Longer ones are not kept: few recur, and they would fill the memory. */
const longestText = 1024

export function createRecentTexts(): RecentTexts {
  const texts = createRecent<true>(mostTexts)
  return {
    has: (text) => texts.get(text) === true,
    add(text) {
      // A copy: the text may be a slice that would keep its whole request in memory.
      if (text.length <= longestText && texts.get(text) === undefined)
        texts.set(Buffer.from(text).toString(), true)
    },
  }
}
