// The content filter's second pass (spec pipeline 4.9, step 4): every value against all kept rules and libinjection.
// Nearly all requests are innocent, so all texts are first scanned together, in one search for the rules and one for
// libinjection; only where that finds something are they looked at one by one, to say which and what.
import type { ContentFilterProfile, SectionName } from '#config'
import type { Parameter, RequestView } from '#request'
import type { Entries, Entry } from './entries.ts'
import type { InjectionDetector } from './libinjection.ts'
import { examinedIn, sectionOrder } from './parameters.ts'
import { plausible } from './plausible.ts'
import type { RecentTexts } from './recent-texts.ts'
import type { Signature, Signatures } from './signatures.ts'
import { mayInject } from './suspicion.ts'
import { addVariants, candidatesIn, rulesIn } from './texts.ts'

export type Match = {
  readonly signature: Signature
  readonly section: SectionName
  readonly parameter: Parameter
  /** libinjection's; empty for rules. */
  readonly fingerprint: string
}

export type Examination = {
  readonly profile: ContentFilterProfile
  readonly entries: Entries
  readonly signatures: Signatures
  readonly detector: InjectionDetector
  /** Values of headers, cookies and paths that were found innocent: clients send the same ones again and again. */
  readonly innocent: RecentTexts
}

const plainName = /^[\w.:[\]-]*$/
/** Names of plain characters that tell something all the same: prototypes, class loaders, the schema of GraphQL. */
const reachingName = /__proto__|prototype|classloader|class[.[]module|-__(?:schema|type)\b/i

const tellingName = (section: SectionName, name: string): boolean =>
  (section === 'args' || section === 'cookies') && (!plainName.test(name) || reachingName.test(name))

/** Adds what is to be examined: a joined value whole and in parts; a name that tells something like a value. */
function addTexts(
  texts: Set<string>,
  section: SectionName,
  { name, value, values }: Parameter,
  profile: ContentFilterProfile,
): void {
  addVariants(texts, value, profile)
  if (values.length > 1) for (const single of values) addVariants(texts, single, profile)
  if (tellingName(section, name)) addVariants(texts, name, profile)
}

/** What recurs from request to request; a name that is examined as well makes the value one of a kind. */
const recurs = (section: SectionName, { name, values }: Parameter): boolean =>
  section !== 'args' && values.length === 1 && !tellingName(section, name)

/** Calls back for every parameter that rules run on and that is not known to be innocent. */
function eachSuspect(
  request: RequestView,
  { profile, innocent }: Examination,
  visit: (section: SectionName, parameter: Parameter) => void,
): void {
  for (const section of sectionOrder) {
    // No rule runs on plugins.
    if (section === 'plugins') continue
    for (const parameter of examinedIn(request, section, profile.ignoreBody)) {
      if (section !== 'args' && innocent.has(parameter.value) && recurs(section, parameter)) continue
      visit(section, parameter)
    }
  }
}

/** One parameter with every text that is to be examined for it. */
type Subject = {
  readonly section: SectionName
  readonly parameter: Parameter
  readonly texts: ReadonlySet<string>
}

function subjectsOf(request: RequestView, examination: Examination): readonly Subject[] {
  const subjects: Subject[] = []
  eachSuspect(request, examination, (section, parameter) => {
    const texts = new Set<string>()
    addTexts(texts, section, parameter, examination.profile)
    if (texts.size > 0) subjects.push({ section, parameter, texts })
  })
  return subjects
}

function matchRules(
  { section, parameter, texts }: Subject,
  signatures: Signatures,
  candidates: readonly number[],
): readonly Match[] {
  return rulesIn(texts, signatures, candidates).flatMap((i) => {
    const signature = signatures.rules[i]
    return signature === undefined ? [] : [{ signature, section, parameter, fingerprint: '' }]
  })
}

type Injections = ReadonlyMap<string, ReadonlyMap<Signature, string>>

const none: Injections = new Map()

/** By text: which of libinjection's checks it fails, and how. */
function findInjections(texts: readonly string[], { signatures, detector }: Examination): Injections {
  const suspects = texts.filter(mayInject)
  const kinds = detector.kindsIn(suspects)
  if (kinds.size === 0) return none
  const found = new Map<string, Map<Signature, string>>()
  for (const { kind, fingerprint, index } of detector.find(suspects, plausible, kinds)) {
    const signature = signatures.injections.get(kind)
    const text = suspects[index]
    if (signature === undefined || text === undefined) continue
    const known = found.get(text)
    if (known === undefined) found.set(text, new Map([[signature, fingerprint]]))
    else known.set(signature, fingerprint)
  }
  return found
}

function matchInjections({ section, parameter, texts }: Subject, injections: Injections): readonly Match[] {
  const found = new Map<Signature, string>()
  for (const text of texts) {
    for (const [signature, fingerprint] of injections.get(text) ?? [])
      if (!found.has(signature)) found.set(signature, fingerprint)
  }
  return [...found].map(([signature, fingerprint]) => ({ signature, section, parameter, fingerprint }))
}

/** The closest entry exempts a value that has the expected form from the rules that it names. */
function exempts(entry: Entry | undefined, parameter: Parameter, signature: Signature): boolean {
  if (entry === undefined || entry.ignoreRuleTags.size === 0) return false
  return signature.tags.some((tag) => entry.ignoreRuleTags.has(tag)) && entry.matches(parameter.value)
}

/** All matches that no entry exempts, in order of appearance. */
export function examine(request: RequestView, examination: Examination): readonly Match[] {
  const { profile, entries, signatures, innocent } = examination
  const distinct = new Set<string>()
  const recurring: string[] = []
  eachSuspect(request, examination, (section, parameter) => {
    addTexts(distinct, section, parameter, profile)
    if (recurs(section, parameter)) recurring.push(parameter.value)
  })
  if (distinct.size === 0) return []
  const texts = [...distinct]
  const candidates = candidatesIn(texts, signatures)
  const injections = findInjections(texts, examination)
  if (candidates.length === 0 && injections.size === 0) {
    for (const value of recurring) innocent.add(value)
    return []
  }
  return subjectsOf(request, examination).flatMap((subject) => {
    const matches = [
      ...(candidates.length > 0 ? matchRules(subject, signatures, candidates) : []),
      ...(injections.size > 0 ? matchInjections(subject, injections) : []),
    ]
    if (matches.length === 0 && recurs(subject.section, subject.parameter))
      innocent.add(subject.parameter.value)
    if (matches.length === 0 || entries.empty) return matches
    const entry = entries.closest(subject.section, subject.parameter.name)
    return matches.filter(({ signature }) => !exempts(entry, subject.parameter, signature))
  })
}
