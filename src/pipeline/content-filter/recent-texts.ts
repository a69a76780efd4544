// A bounded memory of short texts. Two generations instead of a list in order of use: what was asked for lately survives,
// a client that sends ever new texts costs neither memory nor what others left here for long.

export type RecentTexts = { has(text: string): boolean; add(text: string): void }

/** Of one generation. */
const mostTexts = 4096
/** Longer ones are not kept: few recur, and they would fill the memory. */
const longestText = 1024

export function createRecentTexts(): RecentTexts {
  let young = new Set<string>()
  let old = new Set<string>()
  const remember = (text: string): void => {
    if (young.size >= mostTexts) {
      old = young
      young = new Set()
    }
    young.add(text)
  }
  return {
    has(text) {
      if (young.has(text)) return true
      if (!old.has(text)) return false
      remember(text)
      return true
    },
    add(text) {
      // A copy: the text may be a slice that would keep its whole request in memory.
      if (text.length <= longestText && !young.has(text)) remember(Buffer.from(text).toString())
    },
  }
}
