// The content filter's second pass (spec pipeline 4.9, step 4): every value against all kept rules and libinjection.
// Nearly all requests are innocent, so all values are first scanned together, in one call to the set and one to
// libinjection; only where that finds something are the values looked at one by one, to say which and what.
import type { ContentFilterProfile, SectionName } from '#config'
import { type Parameter, type RequestView, variants } from '#request'
import type { Entries, Entry } from './entries.ts'
import { type InjectionDetector, mayInject } from './libinjection.ts'
import { parametersOf } from './parameters.ts'
import { plausible } from './plausible.ts'
import { isAlphanumeric } from './restrictions.ts'
import type { Signature, Signatures } from './signatures.ts'

export type Match = {
  readonly signature: Signature
  readonly section: SectionName
  readonly parameter: Parameter
  /** libinjection's; empty for rules. */
  readonly fingerprint: string
}

/** One parameter with every text that is to be examined for it. */
type Subject = {
  readonly section: SectionName
  readonly parameter: Parameter
  readonly texts: readonly string[]
}

const plainName = /^[\w.:[\]-]*$/
/** Names of plain characters that tell something all the same: prototypes, class loaders, the schema of GraphQL. */
const reachingName = /__proto__|prototype|classloader|class[.[]module|-__(?:schema|type)\b/i

/** A joined value is examined whole and in parts; a name with unusual characters is examined like a value. */
function textsOf(
  section: SectionName,
  parameter: Parameter,
  profile: ContentFilterProfile,
): readonly string[] {
  const { name, value, values } = parameter
  const texts = new Set<string>()
  const add = (text: string): void => {
    const exempt = profile.ignoreAlphanum && isAlphanumeric(text)
    for (const variant of variants(text, profile.decoding)) {
      if (!(exempt && variant === text) && variant !== '') texts.add(variant)
    }
  }
  add(value)
  if (values.length > 1) for (const single of values) add(single)
  if ((section === 'args' || section === 'cookies') && (!plainName.test(name) || reachingName.test(name)))
    add(name)
  return [...texts]
}

/** Browsers send the same header values again and again: those that were found innocent need no second look. */
export type InnocentHeaders = { has(value: string): boolean; add(value: string): void }

const mostInnocent = 4096
const longestInnocent = 1024

/** Bounded: a client that sends ever new values costs a scan each, not memory. One per compiled profile. */
export function createInnocentHeaders(): InnocentHeaders {
  const values = new Set<string>()
  return {
    has: (value) => values.has(value),
    add(value) {
      if (value.length > longestInnocent) return
      if (values.size >= mostInnocent) values.clear()
      values.add(Buffer.from(value).toString())
    },
  }
}

function subjectsOf(
  request: RequestView,
  profile: ContentFilterProfile,
  innocent: InnocentHeaders,
): readonly Subject[] {
  const subjects: Subject[] = []
  for (const { section, parameter } of parametersOf(request, profile.ignoreBody)) {
    if (section === 'plugins' || (section === 'headers' && innocent.has(parameter.value))) continue
    const texts = textsOf(section, parameter, profile)
    if (texts.length > 0) subjects.push({ section, parameter, texts })
  }
  return subjects
}

/**
 * Values are scanned together with line breaks between them: rules match `^` and `$` at line ends, and `scan` reads
 * `\A` and `\z` as these, so whatever a rule finds in a value it also finds in the joined text. The reverse does not
 * hold, hence the second look.
 */
const separator = '\n'

function matchRules({ section, parameter, texts }: Subject, { set, rules }: Signatures): readonly Match[] {
  const found = new Set<number>()
  for (const text of texts) for (const i of set.match(text)) found.add(i)
  return [...found]
    .toSorted((a, b) => a - b)
    .flatMap((i) => {
      const signature = rules[i]
      return signature === undefined ? [] : [{ signature, section, parameter, fingerprint: '' }]
    })
}

function matchInjections(
  { section, parameter, texts }: Subject,
  signatures: Signatures,
  detector: InjectionDetector,
): readonly Match[] {
  const found = new Map<Signature, string>()
  for (const text of texts) {
    if (!mayInject(text)) continue
    for (const { kind, fingerprint } of detector.inspect(text)) {
      if (!plausible(kind, text, fingerprint)) continue
      const signature = signatures.injections.get(kind)
      if (signature !== undefined && !found.has(signature)) found.set(signature, fingerprint)
    }
  }
  return [...found].map(([signature, fingerprint]) => ({ signature, section, parameter, fingerprint }))
}

/** The closest entry exempts a value that has the expected form from the rules that it names. */
function exempts(entry: Entry | undefined, parameter: Parameter, signature: Signature): boolean {
  if (entry === undefined || entry.ignoreRuleTags.size === 0) return false
  return signature.tags.some((tag) => entry.ignoreRuleTags.has(tag)) && entry.matches(parameter.value)
}

export type Examination = {
  readonly profile: ContentFilterProfile
  readonly entries: Entries
  readonly signatures: Signatures
  readonly detector: InjectionDetector
  readonly innocent: InnocentHeaders
}

/** All matches that no entry exempts, in order of appearance. */
export function examine(
  request: RequestView,
  { profile, entries, signatures, detector, innocent }: Examination,
): readonly Match[] {
  const subjects = subjectsOf(request, profile, innocent)
  const texts = [...new Set(subjects.flatMap((subject) => subject.texts))]
  const anyRule = signatures.scan.match(texts.join(separator)).length > 0
  const anyInjection = detector.any(texts.filter(mayInject))
  if (!anyRule && !anyInjection) {
    for (const { section, parameter } of subjects) if (section === 'headers') innocent.add(parameter.value)
    return []
  }
  return subjects.flatMap((subject) => {
    const matches = [
      ...(anyRule ? matchRules(subject, signatures) : []),
      ...(anyInjection ? matchInjections(subject, signatures, detector) : []),
    ]
    if (matches.length === 0 || entries.empty) return matches
    const entry = entries.closest(subject.section, subject.parameter.name)
    return matches.filter(({ signature }) => !exempts(entry, subject.parameter, signature))
  })
}
