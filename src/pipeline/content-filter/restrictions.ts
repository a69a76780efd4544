// The content filter's restrictions (spec pipeline 4.9, steps 2 and 4, first pass): what a request may look like,
// whatever it means. The first violation ends the pass.
import type { ContentFilterProfile, SectionName } from '#config'
import type { Parameter, RequestView } from '#request'
import type { RestrictionTrigger } from '../decision.ts'
import type { Entries } from './entries.ts'
import { examinedIn, sectionOf, sectionOrder } from './parameters.ts'

export type Restriction = Pick<
  RestrictionTrigger,
  'type' | 'section' | 'name' | 'value' | 'actual' | 'expected'
> & {
  /** Answered with this status whatever the profile's action says. */
  readonly status?: number
}

/** Sections in the words of triggers and reasons. */
const sectionWord: Record<SectionName, string> = {
  headers: 'headers',
  cookies: 'cookies',
  args: 'arguments',
  path: 'path',
  plugins: 'plugins',
}

const ofBody = (type: string, actual: string, expected: string): Restriction => ({
  type,
  section: 'body',
  name: '',
  value: '',
  actual,
  expected,
})

/** Kinds that are parsed whole: one that does not fit the buffer cannot be judged (spec control-plane 2.6). */
function overflows(
  request: RequestView,
  overflow: 'auto' | 'reject' | 'partial',
  bodyLimit: number,
): Restriction | undefined {
  const { body } = request
  if (!body.partial || overflow === 'partial') return undefined
  const whole = body.declared !== undefined && body.declared !== 'multipart_form'
  if (overflow === 'auto' && !whole) return undefined
  return { ...ofBody('too large', `more than ${String(bodyLimit)}`, String(bodyLimit)), status: 413 }
}

/** Step 2: the declared kind must be one of the listed, and parse. */
function wrongContentType(request: RequestView, profile: ContentFilterProfile): Restriction | undefined {
  const { contentTypes } = profile
  const { body } = request
  if (contentTypes.length === 0 || !body.present) return undefined
  const expected = contentTypes.join(', ')
  if (body.mediaType === undefined) return ofBody('malformed body', 'no content type specified', expected)
  if (body.declared === undefined || !contentTypes.includes(body.declared)) {
    return ofBody('malformed body', `content type is ${body.mediaType}`, expected)
  }
  return body.malformed === undefined ? undefined : ofBody('malformed body', body.malformed, 'well-formed')
}

export function restrictBody(
  request: RequestView,
  profile: ContentFilterProfile,
  overflow: 'auto' | 'reject' | 'partial',
  bodyLimit: number,
): Restriction | undefined {
  if (profile.ignoreBody) return undefined
  return overflows(request, overflow, bodyLimit) ?? wrongContentType(request, profile)
}

/** A malformed body, and the bounds that hold whatever the documents say (spec pipeline 1.8, 1.10). */
function restrictShape(request: RequestView, profile: ContentFilterProfile): Restriction | undefined {
  const { body } = request
  if (profile.ignoreBody) return undefined
  if (body.malformed !== undefined && !profile.ignore.some((tag) => tag === 'malformed-body')) {
    return ofBody('malformed body', body.malformed, 'well-formed')
  }
  if (body.tooDeep !== undefined)
    return ofBody('too deep', String(body.tooDeep.actual), String(body.tooDeep.limit))
  if (body.tooLarge !== undefined) {
    const { what, actual, limit } = body.tooLarge
    if (what === 'arguments')
      return { ...ofBody('too many', String(actual), String(limit)), section: 'arguments' }
    return ofBody('too large', String(actual), String(limit))
  }
  const { maxBodySize } = profile
  if (maxBodySize !== undefined && body.size > maxBodySize)
    return ofBody('too large', String(body.size), String(maxBodySize))
  return undefined
}

function restrictCounts(request: RequestView, profile: ContentFilterProfile): Restriction | undefined {
  for (const section of sectionOrder) {
    const { maxCount } = profile.sections[section]
    const count = sectionOf(request, section).size
    if (section === 'path' || maxCount === undefined || count <= maxCount) continue
    return {
      type: 'too many',
      section: sectionWord[section],
      name: '',
      value: '',
      actual: String(count),
      expected: String(maxCount),
    }
  }
  return undefined
}

export const isAlphanumeric = (value: string): boolean => /^[A-Za-z0-9]*$/.test(value)

function restrictValue(
  section: SectionName,
  { name, value, place, lengthExempt }: Parameter,
  { sections, ignoreAlphanum }: ContentFilterProfile,
  entries: Entries,
): Restriction | undefined {
  const where = { section: place, name, value }
  const { maxLength } = sections[section]
  // A character takes at most three bytes of UTF-8 per unit of length.
  if (maxLength !== undefined && !lengthExempt && value.length * 3 > maxLength) {
    const length = Buffer.byteLength(value)
    if (length > maxLength)
      return { type: 'too large', ...where, actual: String(length), expected: String(maxLength) }
  }
  if (entries.empty || (ignoreAlphanum && isAlphanumeric(value))) return undefined
  const entry = entries.closest(section, name)
  if (entry?.restrict !== true || entry.matches(value)) return undefined
  return { type: 'restricted', ...where, actual: value, expected: entry.expected }
}

function restrictValues(
  request: RequestView,
  profile: ContentFilterProfile,
  entries: Entries,
): Restriction | undefined {
  for (const section of sectionOrder) {
    for (const parameter of examinedIn(request, section, profile.ignoreBody)) {
      const restriction = restrictValue(section, parameter, profile, entries)
      if (restriction !== undefined) return restriction
    }
  }
  return undefined
}

/** Step 4, first pass. */
export function restrictParameters(
  request: RequestView,
  profile: ContentFilterProfile,
  entries: Entries,
): Restriction | undefined {
  return (
    restrictShape(request, profile) ??
    restrictCounts(request, profile) ??
    restrictValues(request, profile, entries)
  )
}

const counted = new Set(['too many', 'too large', 'too deep'])

/** The reason in the grammar of spec pipeline 6.3. */
export function restrictionReason(profile: ContentFilterProfile, r: Restriction): string {
  const name = r.name === '' || r.name === 'RAW_BODY' ? '' : ` "${r.name}"`
  const detail = counted.has(r.type) ? `${r.actual} > ${r.expected}` : `${r.actual}, expected ${r.expected}`
  const section = r.type.endsWith(r.section) ? '' : ` ${r.section}`
  return `Content filter restriction: ${profile.name}: ${r.type}${section}${name} (${detail})`
}
