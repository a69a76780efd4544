// Regular expressions as Weir uses them: RE2 only, so that matching is linear in the input whatever an
// operator writes. A pattern is checked when a document is read and compiled when it is published.
// Nothing that an operator writes runs as a JavaScript RegExp; a few fixed ones of Weir's own do, each linear.
import RE2 from 're2'
import { createRecent } from './recent.ts'
import { createShared } from './shared.ts'

export type PatternFlags = {
  /** Letters match whatever their case. */
  readonly ignoreCase?: boolean
  /** `^` and `$` match at line ends, `.` matches newlines (content filter rules, spec pipeline 4.9). */
  readonly lines?: boolean
}

/** Why a pattern was refused; `offset` counts characters of the source from 0. */
export type PatternProblem = { readonly offset: number; readonly why: string }

/** What PCRE has and RE2 has not, so that the message can name the construct and its place. */
const unsupported: readonly (readonly [RegExp, string])[] = [
  [/\(\?=/, 'look-ahead (?= is not supported'],
  [/\(\?!/, 'negative look-ahead (?! is not supported'],
  [/\(\?<=/, 'look-behind (?<= is not supported'],
  [/\(\?<!/, 'negative look-behind (?<! is not supported'],
  [/\(\?>/, 'atomic group (?> is not supported'],
  [/\\[1-9]|\\k[<{']|\(\?P=/, 'back-reference is not supported'],
  [/[*+?}]\+/, 'possessive quantifier is not supported'],
]

/** Escapes are blanked out with their length kept, so that `\(?=` is not taken for a look-ahead. */
const withoutEscapes = (source: string): string =>
  source.replace(/\\[^1-9k]/g, '__').replace(/\[\^?\]?[^\]]*(?:\]|$)/g, (c) => '_'.repeat(c.length))

/** Characters that a pattern may have; longer ones are lists that belong elsewhere, and cost seconds to refuse. */
const longest = 65_536

/** What RE2 took lately: the next policy has nearly the same patterns. */
const taken = createRecent<true>(8192)
const longestTaken = 1024

/** Checks that RE2 takes the pattern. */
export function checkPattern(source: string): PatternProblem | undefined {
  if (source.length > longest) return { offset: longest, why: `longer than ${String(longest)} characters` }
  if (taken.get(source)) return undefined
  try {
    new RE2(source, 'u')
    if (source.length <= longestTaken) taken.set(source, true)
    return undefined
  } catch (error) {
    const plain = withoutEscapes(source)
    for (const [construct, why] of unsupported) {
      const found = construct.exec(plain)
      if (found) return { offset: found.index, why }
    }
    return explained(String(error).replace(/^\w*Error: /, ''), source)
  }
}

/** RE2 says `why: fragment`. The fragment tells the place, and is not repeated when it is the whole pattern. */
function explained(message: string, source: string): PatternProblem {
  const [, why = message, fragment = ''] = /^([^:]*): (.*)$/s.exec(message) ?? []
  // RE2 is given slashes escaped, and repeats them so.
  const plain = fragment.replaceAll('\\/', '/')
  if (plain === '' || plain === source.replaceAll('\\/', '/')) return { offset: 0, why }
  const offset = Math.max(source.indexOf(fragment), source.indexOf(plain), 0)
  return { offset, why: `${why}: ${plain.slice(0, 80)}` }
}

function withFlags(source: string, flags: PatternFlags): string {
  const inline = `${flags.ignoreCase ? 'i' : ''}${flags.lines ? 'sm' : ''}`
  return inline === '' ? source : `(?${inline}:${source})`
}

/** Texts in UTF-8, as RE2 reads them: the native module takes three times as long to convert a string by itself. */
const bytesOf = (value: string | Buffer): Buffer => (typeof value === 'string' ? Buffer.from(value) : value)

/** One compiled pattern, searched unanchored. */
export type Pattern = {
  readonly source: string
  test(value: string): boolean
  /** The first part of the value that matches. */
  find(value: string): string | undefined
}

/** Compiles a pattern that `checkPattern` accepted; throws SyntaxError otherwise. */
export function compilePattern(source: string, flags: PatternFlags = {}): Pattern {
  const regex = new RE2(withFlags(source, flags), 'u')
  return { source, test: (value) => regex.test(bytesOf(value)), find: (value) => regex.exec(value)?.[0] }
}

/**
 * Bytes that the automaton of one set may take. It is built while texts are read and starts over when it is full, so that
 * this bounds what a client can make a process keep; the second is for sets that cannot begin with the first, of thousands of
 * patterns.
 */
const usualMemory = 16 * 1024 * 1024
const largestMemory = 256 * 1024 * 1024

/** Many patterns, matched in one pass over the value. */
export type PatternSet = {
  readonly size: number
  /** Indexes of the patterns found, ascending. Strings are matched as UTF-8; a Buffer saves the conversion where several sets read one value. */
  match(value: string | Buffer): readonly number[]
}

const none: readonly number[] = []

const tooLittle = (error: unknown): boolean => String(error).includes('could not be compiled')

function compileSet(sources: readonly string[], maxMem = usualMemory): InstanceType<typeof RE2.Set> {
  try {
    return new RE2.Set(sources, 'u', { maxMem })
  } catch (error) {
    // Each was taken alone, so that this is about all of them.
    if (!tooLittle(error)) throw error
    if (maxMem < largestMemory) return compileSet(sources, largestMemory)
    const memory = `${String(largestMemory / 2 ** 20)} MiB`
    throw new Error(`${String(sources.length)} expressions need more than ${memory} together`, {
      cause: error,
    })
  }
}

const sets = createShared<PatternSet>()

const patternSet = (set: InstanceType<typeof RE2.Set>, size: number): PatternSet => ({
  size,
  match: (value) => set.match(bytesOf(value)),
})

/**
 * Compiles the patterns into one automaton; an index of `match` is the pattern's place in the list. The same patterns are the
 * same set, also for the next policy: its automaton has met the traffic. Throws SyntaxError for a pattern that `checkPattern`
 * refuses, and an Error where all together need too much memory.
 */
export function compilePatternSet(sources: readonly string[], flags: PatternFlags = {}): PatternSet {
  if (sources.length === 0) return { size: 0, match: () => none }
  const whole = sources.map((source) => withFlags(source, flags))
  return sets.get(JSON.stringify(whole), () => patternSet(compileSet(whole), whole.length))
}
