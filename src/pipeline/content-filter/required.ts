// What a text must contain for a rule to match at all. A rule that remembers something over any distance ("a quote was
// closed, later a function") makes an automaton large; the stretches between two such distances do not. So these are
// looked for first, those of all rules together, and a rule itself is tried only where they were found.
import { createRecent } from '#platform'

/** A pattern that every text with a match contains, and how telling it is; undefined where none can be told. */
type Required = { readonly source: string; readonly weight: number } | undefined

/** A stretch of a pattern: its source, how much of a text it pins down, and whether it remembers over any distance. */
type Piece = { readonly source: string; readonly weight: number; readonly far: boolean }

type Atom = Piece & {
  /** Takes nearly any character: `.`, `[^"]`, `\S`, or a group with one of these. */
  readonly wide: boolean
  /** What each of a group's alternatives requires. */
  readonly inner: Required
  /** The character that it stands for, exactly once. */
  readonly literal: string | undefined
  /** One of these is in every text that a group matches. */
  readonly factors: Factors
}

/** Literal strings of which every text with a match contains at least one; undefined where there are none such. */
type Factors = readonly string[] | undefined

/** More repetitions than this of a wide atom count as any distance: an automaton unrolls them. */
const fewRepetitions = 4

const quantifier = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y
const escape = /\\(?:x\{[\da-f]+\}|x[\da-f]{2}|[pP](?:\{\^?\w+\}|\w)|[0-7]{1,3}|.)/isy
const charClass = /\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]/sy
const groupStart = /\((?:\?(?:P?<\w+>|[imsU-]*:))?/y

const zeroWidth: ReadonlySet<string> = new Set([
  '^',
  '$',
  String.raw`\b`,
  String.raw`\B`,
  String.raw`\A`,
  String.raw`\z`,
])

/** Found in nearly every text. */
const common = /^(?:\.|\\[dDsSwWpP].*)$/s

/** Letters that mean something else to the compiler (`\\u003c`, `\\cJ`, `\\Q`), or a beginning of what is not read here. */
const unknownEscape = /^\\(?![dDsSwWbBAznrtfva])[A-Za-z]$/

class Unreadable extends Error {}

type Cursor = { readonly source: string; at: number }

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.source)
  if (found === null) return undefined
  cursor.at = pattern.lastIndex
  return found
}

/** The character that an escape or a plain character stands for; undefined: it is a place, or one of several. */
function literalOf(source: string): string | undefined {
  const code = /^\\x(?:\{([\da-f]+)\}|([\da-f]{2}))$/i.exec(source)
  if (code !== null) return String.fromCodePoint(Number.parseInt(code[1] ?? code[2] ?? '', 16))
  if (/^\\[^\w\s]$/.test(source)) return source.slice(1)
  return /^[^.^$\\[]$/u.test(source) ? source : undefined
}

const member = /\\x\{[\da-f]+\}|\\x[\da-f]{2}|\\?./gisy

/** The characters of a class that lists a few, without ranges. */
function membersOf(source: string): Factors {
  if (!source.startsWith('[') || source.startsWith('[^') || /[-:]/.test(source)) return undefined
  const members = (source.slice(1, -1).match(member) ?? []).map((one) =>
    one.length === 1 ? one : literalOf(one),
  )
  const known = members.filter((one) => one !== undefined)
  return known.length === members.length ? known : undefined
}

const single = (source: string, wide = false): Atom => ({
  source,
  weight: zeroWidth.has(source) || common.test(source) ? 0 : source.startsWith('[') ? 1 : 2,
  far: false,
  wide,
  inner: undefined,
  literal: literalOf(source),
  factors: membersOf(source),
})

function readAtom(cursor: Cursor): Atom {
  const start = cursor.source[cursor.at] ?? ''
  if (start === '\\') {
    const text = take(cursor, escape)?.[0]
    if (text === undefined || unknownEscape.test(text)) throw new Unreadable()
    return single(text, /^\\[DSWP]/.test(text))
  }
  if (start === '[') {
    const text = take(cursor, charClass)?.[0]
    if (text === undefined) throw new Unreadable()
    return single(text, text.startsWith('[^'))
  }
  if (start === '(') return readGroup(cursor)
  cursor.at++
  return single(start, start === '.')
}

function readGroup(cursor: Cursor): Atom {
  const from = cursor.at
  const opened = take(cursor, groupStart)
  // `(?i)` changes what follows it, which a part taken from there would lose.
  if (opened === undefined || (opened[0] === '(' && cursor.source[cursor.at] === '?')) throw new Unreadable()
  const branches = readBranches(cursor)
  if (cursor.source[cursor.at] !== ')') throw new Unreadable()
  cursor.at++
  const atoms = branches.flat()
  return {
    source: cursor.source.slice(from, cursor.at),
    weight: Math.min(...branches.map(weightOf)),
    far: atoms.some(({ far }) => far),
    wide: atoms.some(({ wide }) => wide),
    // Flags of the group would be lost as well.
    inner: /^\(\?[imsU-]+:/.test(opened[0]) ? undefined : requiredOf(branches),
    literal: undefined,
    factors: factorsIn(branches),
  }
}

function repeated(atom: Atom, [text, least, comma, most]: RegExpExecArray): Atom {
  const min = text[0] === '+' ? 1 : least === undefined ? 0 : Number(least)
  const max =
    text[0] === '?'
      ? 1
      : least === undefined
        ? Infinity
        : comma === undefined
          ? min
          : most
            ? Number(most)
            : Infinity
  return {
    source: atom.source + text,
    weight: atom.weight * Math.min(min, fewRepetitions),
    far: atom.far || (atom.wide && max > fewRepetitions),
    wide: atom.wide,
    inner: min > 0 ? atom.inner : undefined,
    literal: undefined,
    factors: min === 0 ? undefined : atom.literal === undefined ? atom.factors : [atom.literal],
  }
}

function readBranches(cursor: Cursor): readonly (readonly Atom[])[] {
  const branches: Atom[][] = [[]]
  while (cursor.at < cursor.source.length && cursor.source[cursor.at] !== ')') {
    if (cursor.source[cursor.at] === '|') {
      cursor.at++
      branches.push([])
      continue
    }
    const atom = readAtom(cursor)
    const times = take(cursor, quantifier)
    branches.at(-1)?.push(times === undefined ? atom : repeated(atom, times))
  }
  return branches
}

const weightOf = (atoms: readonly Piece[]): number => atoms.reduce((sum, { weight }) => sum + weight, 0)

/** The most telling stretch of a sequence between two atoms that reach far. */
function requiredIn(atoms: readonly Atom[]): Required {
  let best: Required
  const offer = (candidate: Required): void => {
    if (candidate !== undefined && candidate.weight > (best?.weight ?? 0)) best = candidate
  }
  let stretch: Atom[] = []
  const close = (): void => {
    offer({ source: stretch.map(({ source }) => source).join(''), weight: weightOf(stretch) })
    stretch = []
  }
  for (const atom of atoms) {
    if (!atom.far) {
      stretch.push(atom)
      continue
    }
    close()
    offer(atom.inner)
  }
  close()
  return best
}

function requiredOf(branches: readonly (readonly Atom[])[]): Required {
  const parts = branches.map(requiredIn).filter((part) => part !== undefined)
  if (parts.length < branches.length) return undefined
  const [only] = parts
  return {
    source: parts.length === 1 && only ? only.source : `(?:${parts.map(({ source }) => source).join('|')})`,
    weight: Math.min(...parts.map(({ weight }) => weight)),
  }
}

/** Rare in ordinary values, so that even alone it is worth looking for. */
const mark = /[<>(){}[\]|;='"\x60$\\*!~^]/
const shortestFactor = 3
/** What needs more strings than this is looked for as it is. */
const mostFactors = 100

/** How well a factor tells texts apart: by its worst string. */
const tells = (factors: readonly string[]): number =>
  Math.min(...factors.map((factor) => (mark.test(factor) ? shortestFactor : 0) + factor.length))

/** The most telling factors of a sequence. */
function factorsOf(atoms: readonly Atom[]): Factors {
  let best: Factors
  const offer = (candidate: readonly string[]): void => {
    if (candidate.length > mostFactors || tells(candidate) < shortestFactor) return
    if (best === undefined || tells(candidate) > tells(best)) best = candidate
  }
  let run = ''
  for (const { source, literal, factors } of atoms) {
    if (literal !== undefined) run += literal
    else if (!zeroWidth.has(source)) {
      offer([run])
      run = ''
      if (factors !== undefined) offer(factors)
    }
  }
  offer([run])
  return best
}

function factorsIn(branches: readonly (readonly Atom[])[]): Factors {
  const found = branches.map(factorsOf)
  const all = found.flatMap((factors) => factors ?? [])
  return found.includes(undefined) || all.length > mostFactors ? undefined : [...new Set(all)]
}

/** Reading a pattern takes as long as compiling it, and the next policy has nearly the same ones. */
const factorsRead = createRecent<{ readonly factors: Factors }>(8192)
/** Characters of a pattern that is remembered. */
const longestRead = 4096

/**
 * Strings of which every text with a match of the pattern contains at least one, in whatever case; undefined: none can be
 * told. An automaton that looks for strings alone stays small, however many there are.
 */
export function factorsOfPattern(source: string): readonly string[] | undefined {
  const known = factorsRead.get(source)
  if (known !== undefined) return known.factors
  const factors = readFactors(source)
  if (source.length <= longestRead) factorsRead.set(source, { factors })
  return factors
}

function readFactors(source: string): Factors {
  const cursor: Cursor = { source, at: 0 }
  try {
    const branches = readBranches(cursor)
    return cursor.at < source.length ? undefined : factorsIn(branches)
  } catch (error) {
    if (error instanceof Unreadable) return undefined
    throw error
  }
}

/** A part that pins down less is found in so many texts that looking for it saves nothing. */
const telling = 4

export type Analysis =
  /** The pattern reaches nowhere far: it can be looked for as it is. */
  | { readonly kind: 'near' }
  /** Only a text that contains `part` can have a match. */
  | { readonly kind: 'far'; readonly part: string }
  /** Nothing can be told: it has to be tried on every text. */
  | { readonly kind: 'unknown' }

/** Analyses a pattern that RE2 accepted; what this reader does not know is `unknown`. */
export function analyse(source: string): Analysis {
  const cursor: Cursor = { source, at: 0 }
  try {
    const branches = readBranches(cursor)
    if (cursor.at < source.length) return { kind: 'unknown' }
    if (!branches.flat().some(({ far }) => far)) return { kind: 'near' }
    const part = requiredOf(branches)
    return part === undefined || part.weight < telling
      ? { kind: 'unknown' }
      : { kind: 'far', part: part.source }
  } catch (error) {
    if (error instanceof Unreadable) return { kind: 'unknown' }
    throw error
  }
}
