// Fields that many documents share, with their words.
import { type TProperties, Type } from 'typebox'
import { checkPattern } from '#platform'
import { badPattern, finding } from '../findings.ts'
import type { Tag } from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Schema } from '../schema/json.ts'
import { longestTag, tagsOf } from '../tag.ts'

const idWords = 'an id of 1 to 64 letters, digits, "_" or "-"'

export const id = Type.String({
  pattern: '^[A-Za-z0-9_-]{1,64}$',
  description: 'Unique in its document; how other documents refer to the entry.',
  expected: idWords,
})

/** The id of an entry of another document, named by its namespace. */
export const reference = (refersTo: string, description: string, more: Pick<Schema, 'waitsFor'> = {}) =>
  Type.String({ description, refersTo, expected: 'the id of an entry', ...more })

/** As `reference`; null and the empty string stand for none. */
export const optionalReference = (refersTo: string, description: string) =>
  Type.Union([Type.String(), Type.Null()], { description, refersTo, expected: 'the id of an entry or null' })

export const tagList = (description: string) =>
  Type.Array(Type.String(), { description: `${description} Default: none.`, expected: 'a list of tags' })

const identity = {
  id,
  name: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 250,
      description: 'Shown in reasons, tags and the console. Default: the id.',
      expected: 'a string of 1 to 250 characters',
    }),
  ),
  description: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: 'For people. Default: empty.' }),
  ),
  tags: Type.Optional(tagList('User tags; a value with spaces is several tags.')),
}

/** Fields of exports by older products, accepted everywhere (spec control-plane 1.0). */
const ignored = ['routing_profile', 'custom_listener', 'last_activated', 'mdate']

type Names = {
  /** Other name → field. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Further fields without effect. */
  readonly ignored?: readonly string[]
}

/** Schema of an entry: identity, the kind's own fields, nothing else. */
export function entrySchema<Own extends TProperties>(fields: Own, names: Names = {}) {
  const legacy = [...ignored, ...(names.ignored ?? [])].filter((name) => !(name in fields))
  return Type.Object(
    { ...identity, ...fields },
    { additionalProperties: false, aliases: names.aliases ?? {}, ignored: legacy },
  )
}

/** Schema of an object inside an entry. */
export function partSchema<Own extends TProperties>(
  fields: Own,
  options: Names & Pick<Schema, 'description' | 'expected' | 'waitsFor'> = {},
) {
  return Type.Object(fields, { additionalProperties: false, ...options })
}

/** The identity of an entry of the right shape. */
export const identityOf = (entry: { readonly id: string; readonly name?: string }) => ({
  id: entry.id,
  name: entry.name ?? entry.id,
})

/** Normalises a list of tags; reports those that are too long. */
export function readTags(list: readonly string[] | undefined, field: string, report: Report): readonly Tag[] {
  const tags = tagsOf(list ?? [])
  for (const tag of tags) {
    if (tag.length <= longestTag) continue
    report.problem(
      field,
      finding(
        `tag of more than ${longestTag} characters`,
        `Shorten the tag that begins with "${tag.slice(0, 40)}".`,
      ),
    )
  }
  return tags
}

/** Reports a pattern that RE2 refuses. */
export function readPattern(source: string, field: string, report: Report): string {
  const problem = checkPattern(source)
  if (problem !== undefined) report.problem(field, badPattern(problem))
  return source
}
