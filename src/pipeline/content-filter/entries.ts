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

export type Entries = {
  /** No entry anywhere: nothing to look up. */
  readonly empty: boolean
  closest(section: SectionName, name: string): Entry | undefined
  /** Any entry that covers the name masks it, whether or not its Matching Value matches (spec pipeline 6.5). */
  masks(section: SectionName, name: string): boolean
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

  const masked = ({ names, patterns, set }: Compiled, name: string): boolean =>
    names.get(name)?.mask === true ||
    (set.size > 0 && set.match(name).some((i) => patterns[i]?.mask === true))

  return {
    empty: all.length === 0,
    masksAny,
    masksArguments: masksIn('args') || masksIn('allsections'),
    closest: (section, name) =>
      compiled[section].names.get(name) ??
      compiled.allsections.names.get(name) ??
      byPattern(compiled[section], name) ??
      byPattern(compiled.allsections, name),
    masks: (section, name) =>
      masksAny && (masked(compiled[section], name) || masked(compiled.allsections, name)),
  }
}
