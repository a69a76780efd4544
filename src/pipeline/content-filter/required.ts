// What a text must contain for a rule to match at all. A rule that remembers something over any distance ("a quote was
// closed, later a function") makes an automaton large; the stretches between two such distances do not. So these are
// looked for first, those of all rules together, and a rule itself is tried only where they were found.

/** A pattern that every text with a match contains, and how telling it is; undefined where none can be told. */
type Required = { readonly source: string; readonly weight: number } | undefined

/** A stretch of a pattern: its source, how much of a text it pins down, and whether it remembers over any distance. */
type Piece = { readonly source: string; readonly weight: number; readonly far: boolean }

type Atom = Piece & {
  /** Takes nearly any character: `.`, `[^"]`, `\S`, or a group with one of these. */
  readonly wide: boolean
  /** What each of a group's alternatives requires. */
  readonly inner: Required
}

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

class Unreadable extends Error {}

type Cursor = { readonly source: string; at: number }

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.source)
  if (found === null) return undefined
  cursor.at = pattern.lastIndex
  return found
}

const single = (source: string, wide = false): Atom => ({
  source,
  weight: zeroWidth.has(source) || common.test(source) ? 0 : source.startsWith('[') ? 1 : 2,
  far: false,
  wide,
  inner: undefined,
})

function readAtom(cursor: Cursor): Atom {
  const start = cursor.source[cursor.at] ?? ''
  if (start === '\\') {
    const text = take(cursor, escape)?.[0]
    if (text === undefined || /^\\[QEC]$/.test(text)) throw new Unreadable()
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
