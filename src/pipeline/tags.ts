// The tags of one request, each with everything that attached it (spec pipeline 2). Attaching is idempotent;
// provenance accumulates, because "who set this tag?" is the first question after a surprising decision.
import { type Tag, normaliseTag } from '#config'
import type { Located } from './decision.ts'

export type TagSource = {
  readonly stage: number
  readonly kind:
    | 'system'
    | 'security-policy'
    | 'global-filter'
    | 'flow-control'
    | 'rate-limit'
    | 'acl-profile'
    | 'content-filter-rule'
    | 'content-filter-profile'
    | 'action'
  readonly id: string
  readonly name: string
  readonly locations: readonly Located[]
}

/** The longest tag that is kept; a longer one is cut (spec pipeline 1.10). */
export const maxTagLength = 256

export type TagSet = {
  has(tag: string): boolean
  add(tag: string, source: TagSource): void
  addAll(tags: readonly string[], source: TagSource): void
  /** In the order in which they were attached. */
  names(): IterableIterator<string>
  sourcesOf(tag: string): readonly TagSource[]
  readonly size: number
}

class Tags implements TagSet {
  /** Nearly every tag has one source: only others cost a list. */
  readonly #sources = new Map<string, TagSource | TagSource[]>()

  has(tag: string): boolean {
    return this.#sources.has(tag)
  }
  add(tag: string, source: TagSource): void {
    const known = this.#sources.get(tag)
    if (known === undefined) this.#sources.set(tag, source)
    else if (Array.isArray(known)) known.push(source)
    else this.#sources.set(tag, [known, source])
  }
  addAll(tags: readonly string[], source: TagSource): void {
    for (const tag of tags) this.add(tag, source)
  }
  names(): IterableIterator<string> {
    return this.#sources.keys()
  }
  sourcesOf(tag: string): readonly TagSource[] {
    return [this.#sources.get(tag) ?? []].flat()
  }
  get size(): number {
    return this.#sources.size
  }
}

export const createTagSet = (): TagSet => new Tags()

/** `prefix:` and the normalised value; a missing value gives `nil` (spec pipeline 2, Name rule). */
export function qualifiedTag(prefix: string, value: string | number | undefined): Tag {
  if (value === undefined) return `${prefix}:nil` as Tag
  return `${prefix}:${normaliseTag(String(value).slice(0, maxTagLength - prefix.length - 1))}` as Tag
}

/** The first of `wanted` that the request has, or undefined. */
export function firstOf(tags: TagSet, wanted: readonly string[]): string | undefined {
  for (const tag of wanted) if (tags.has(tag)) return tag
  return undefined
}

/** All of `wanted` that the request has, sorted. */
export function allOf(tags: TagSet, wanted: readonly string[]): readonly string[] {
  return wanted.filter((tag) => tags.has(tag)).toSorted()
}
