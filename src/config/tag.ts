// The name rule of tags (spec pipeline 2), in the one place where text becomes a Tag.
import type { Tag } from './policy.ts'

/** Characters that one tag may have (spec pipeline 1.10). */
export const longestTag = 256

const isTag = (text: string): text is Tag => !/[^a-z0-9:-]/.test(text)

/** Lower-case; every character but `a-z`, `0-9` and `:` becomes `-`, one for one. */
export function normaliseTag(text: string): Tag {
  if (isTag(text)) return text
  const normal = text.toLowerCase().replace(/[^a-z0-9:]/gu, '-')
  if (isTag(normal)) return normal
  throw new TypeError(`not a tag after normalisation: ${normal}`)
}

/** The tags of one document list: an element with spaces is several tags. Each once, in order. */
export function tagsOf(list: readonly string[]): readonly Tag[] {
  const words = list.flatMap((element) => element.split(/\s+/)).filter((word) => word !== '')
  return [...new Set(words.map(normaliseTag))]
}
