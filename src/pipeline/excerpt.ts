// Beginnings of texts that are too long to be written down whole.

/** Characters of a single value, whatever the record's size (spec traffic 1.7). */
const longestValue = 8192

/** The first characters; a pair of surrogates is not torn apart, because half of one is no text. */
export function excerptOf(text: string, limit: number): string {
  if (text.length <= limit) return text
  const last = text.charCodeAt(limit - 1)
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit)
}

/** The text, or its first characters and `...`. */
export const cut = (text: string, limit = longestValue): string =>
  text.length <= limit ? text : `${excerptOf(text, limit)}...`
