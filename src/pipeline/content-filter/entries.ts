// Which entry of a profile speaks for a parameter (spec pipeline 4.9, step 4): the exact name in the section, else in
// all sections, else the longest matching pattern in the section, else in all sections.
import type { ContentFilterProfile, Section, SectionEntry, SectionName } from '#config'
import { type Pattern, type PatternSet, compilePattern, compilePatternSet } from '#platform'

export type Entry = {
  readonly restrict: boolean
  readonly mask: boolean
  readonly ignoreRuleTags: ReadonlySet<string>
  /** The Matching Value as written; empty: everything matches. */
  readonly expected: string
  matches(value: string): boolean
}

function compileMatchingValue(source: string): (value: string) => boolean {
  if (source === '') return () => true
  const inverse = source.startsWith('!')
  const pattern: Pattern = compilePattern(inverse ? source.slice(1) : source)
  return (value) => pattern.test(value) !== inverse
}

function compileEntry(entry: SectionEntry): Entry {
  return {
    restrict: entry.restrict,
    mask: entry.mask,
    ignoreRuleTags: new Set(entry.ignoreRuleTags),
    expected: entry.matchingValue,
    matches: compileMatchingValue(entry.matchingValue),
  }
}

type Compiled = {
  readonly names: ReadonlyMap<string, Entry>
  /** By length of the key, longest first. */
  readonly patterns: readonly Entry[]
  readonly set: PatternSet
}

function compileSection(section: Section, lowerCase: boolean): Compiled {
  const patterns = section.regex.toSorted((a, b) => b.key.length - a.key.length)
  return {
    names: new Map(
      section.names.map((entry) => [lowerCase ? entry.key.toLowerCase() : entry.key, compileEntry(entry)]),
    ),
    patterns: patterns.map(compileEntry),
    set: compilePatternSet(
      patterns.map(({ key }) => key),
      { ignoreCase: true },
    ),
  }
}

function byPattern({ set, patterns }: Compiled, name: string): Entry | undefined {
  if (set.size === 0) return undefined
  let first = Infinity
  for (const i of set.match(name)) if (i < first) first = i
  return patterns[first]
}

type MaskedNames = (names: Iterable<string>) => ReadonlySet<string>

const none: ReadonlySet<string> = new Set()
/** Names that are looked at together before each is looked at alone: a request may have thousands, of which few are masked. */
const together = 64

/** Patterns that a joined text may not show: ends of the whole text, and flags that are switched off. */
const aboutWhole = /\\[Az]|\(\?[a-zA-Z]*-/

/** Finds the masked ones among many names. Joined by line breaks a name matches what it matches alone, or more. */
function compileMasked(own: Section, shared: Section, lowerCase: boolean): MaskedNames {
  const exact = new Set(
    [
      ...own.names.map((entry) => (lowerCase ? { ...entry, key: entry.key.toLowerCase() } : entry)),
      ...shared.names,
    ].flatMap(({ key, mask }) => (mask ? [key] : [])),
  )
  const patterns = [...own.regex, ...shared.regex].flatMap(({ key, mask }) => (mask ? [key] : []))
  const each = compilePatternSet(patterns, { ignoreCase: true })
  const many = compilePatternSet(patterns, { ignoreCase: true, lines: true })
  const size = patterns.some((pattern) => aboutWhole.test(pattern)) ? 1 : together
  if (exact.size === 0 && each.size === 0) return () => none
  return (names) => {
    const found = new Set<string>()
    let waiting: string[] = []
    const look = (): void => {
      if (size === 1 || many.match(waiting.join('\n')).length > 0)
        for (const name of waiting) if (each.match(name).length > 0) found.add(name)
      waiting = []
    }
    for (const name of names) {
      if (exact.has(name)) found.add(name)
      else if (each.size > 0 && waiting.push(name) === size) look()
    }
    if (waiting.length > 0) look()
    return found
  }
}

export type Entries = {
  /** No entry anywhere: nothing to look up. */
  readonly empty: boolean
  closest(section: SectionName, name: string): Entry | undefined
  /** Names that are masked: any entry that covers one does, whether or not its Matching Value matches (spec pipeline 6.5). */
  maskedAmong(section: SectionName, names: Iterable<string>): ReadonlySet<string>
  readonly masksAny: boolean
  readonly masksArguments: boolean
}

export function compileEntries(profile: ContentFilterProfile): Entries {
  const { sections } = profile
  const compiled: Readonly<Record<SectionName | 'allsections', Compiled>> = {
    headers: compileSection(sections.headers, true),
    cookies: compileSection(sections.cookies, false),
    args: compileSection(sections.args, false),
    path: compileSection(sections.path, false),
    plugins: compileSection(sections.plugins, false),
    allsections: compileSection(sections.allsections, false),
  }
  const all = [...Object.values(sections)].flatMap(({ names, regex }) => [...names, ...regex])
  const masksIn = (section: SectionName | 'allsections'): boolean =>
    [...sections[section].names, ...sections[section].regex].some(({ mask }) => mask)
  const masksAny = all.some(({ mask }) => mask)

  const masked: Readonly<Record<SectionName, MaskedNames>> = {
    headers: compileMasked(sections.headers, sections.allsections, true),
    cookies: compileMasked(sections.cookies, sections.allsections, false),
    args: compileMasked(sections.args, sections.allsections, false),
    path: compileMasked(sections.path, sections.allsections, false),
    plugins: compileMasked(sections.plugins, sections.allsections, false),
  }

  return {
    empty: all.length === 0,
    masksAny,
    masksArguments: masksIn('args') || masksIn('allsections'),
    closest: (section, name) =>
      compiled[section].names.get(name) ??
      compiled.allsections.names.get(name) ??
      byPattern(compiled[section], name) ??
      byPattern(compiled.allsections, name),
    maskedAmong: (section, names) => masked[section](names),
  }
}
