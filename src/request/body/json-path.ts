// JSONPath (RFC 9535) as far as it names places in a JSON body: names, indexes, slices, `*`, `..`, unions and filters that
// compare with literals or regexes (`[?(@.kind =~ /^Query$/)]`). Own code, because the libraries for it evaluate filters as
// JavaScript or with backtracking regexes, over data that a client chose; regexes here are RE2's.
import { type Pattern, checkPattern, compilePattern } from '#platform'

export type Selector =
  | { readonly by: 'name'; readonly name: string }
  | { readonly by: 'index'; readonly index: number }
  | {
      readonly by: 'slice'
      readonly start: number | undefined
      readonly end: number | undefined
      readonly step: number
    }
  | { readonly by: 'all' }
  | { readonly by: 'filter'; readonly condition: Expression }

export type Segment = { readonly descend: boolean; readonly selectors: readonly Selector[] }

export type Scalar = string | number | boolean | null

export type Operand =
  | { readonly of: 'literal'; readonly value: Scalar }
  /** From the element that is filtered (`@`) or from the top (`$`). */
  | { readonly of: 'path'; readonly root: boolean; readonly segments: readonly Segment[] }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

export type Expression =
  | { readonly is: 'or' | 'and'; readonly parts: readonly Expression[] }
  | { readonly is: 'not'; readonly part: Expression }
  | { readonly is: 'exists'; readonly operand: Operand }
  | { readonly is: 'compare'; readonly left: Operand; readonly by: Comparison; readonly right: Operand }
  | { readonly is: 'match'; readonly left: Operand; readonly pattern: Pattern }

/** Thrown inside this file only; `parseJsonPath` turns it into undefined. */
class Unsupported extends Error {}

type Cursor = { readonly text: string; at: number }

const fail = (): never => {
  throw new Unsupported()
}

function skipSpace(cursor: Cursor): void {
  while (cursor.text[cursor.at] === ' ' || cursor.text[cursor.at] === '\t') cursor.at++
}

function take(cursor: Cursor, token: string): boolean {
  skipSpace(cursor)
  if (!cursor.text.startsWith(token, cursor.at)) return false
  cursor.at += token.length
  return true
}

/** What the sticky expression finds here; the text is the operator's, never a client's. */
function scan(cursor: Cursor, expression: RegExp): string | undefined {
  expression.lastIndex = cursor.at
  const found = expression.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

const namePart = /[\p{L}_$][\p{L}\p{N}_$-]*/uy
const integer = /-?\d+/y
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y

function readString(cursor: Cursor): string | undefined {
  skipSpace(cursor)
  const quote = cursor.text[cursor.at]
  if (quote !== '"' && quote !== "'") return undefined
  let value = ''
  for (cursor.at++; cursor.text[cursor.at] !== quote; cursor.at++) {
    if (cursor.at >= cursor.text.length) return fail()
    if (cursor.text[cursor.at] === '\\') cursor.at++
    value += cursor.text[cursor.at] ?? ''
  }
  cursor.at++
  return value
}

function readSlice(cursor: Cursor, start: number | undefined): Selector {
  const end = numberAt(cursor)
  const step = take(cursor, ':') ? (numberAt(cursor) ?? 1) : 1
  return { by: 'slice', start, end, step }
}

function numberAt(cursor: Cursor): number | undefined {
  skipSpace(cursor)
  const digits = scan(cursor, integer)
  return digits === undefined ? undefined : Number(digits)
}

function readSelector(cursor: Cursor): Selector {
  if (take(cursor, '*')) return { by: 'all' }
  if (take(cursor, '?')) return { by: 'filter', condition: readOr(cursor) }
  const name = readString(cursor)
  if (name !== undefined) return { by: 'name', name }
  const index = numberAt(cursor)
  if (take(cursor, ':')) return readSlice(cursor, index)
  return index === undefined ? fail() : { by: 'index', index }
}

function readBracket(cursor: Cursor): readonly Selector[] {
  const selectors = [readSelector(cursor)]
  while (take(cursor, ',')) selectors.push(readSelector(cursor))
  if (!take(cursor, ']')) fail()
  return selectors
}

function readSegments(cursor: Cursor): readonly Segment[] {
  const segments: Segment[] = []
  for (;;) {
    const descend = cursor.text.startsWith('..', cursor.at)
    const dotted = descend || cursor.text[cursor.at] === '.'
    if (dotted) cursor.at += descend ? 2 : 1
    if (cursor.text[cursor.at] === '[' && (descend || !dotted)) {
      cursor.at++
      segments.push({ descend, selectors: readBracket(cursor) })
    } else if (dotted) {
      const name = scan(cursor, namePart)
      if (name !== undefined) segments.push({ descend, selectors: [{ by: 'name', name }] })
      else if (take(cursor, '*')) segments.push({ descend, selectors: [{ by: 'all' }] })
      else fail()
    } else return segments
  }
}

const words: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
])

function readOperand(cursor: Cursor): Operand {
  if (take(cursor, '@')) return { of: 'path', root: false, segments: readSegments(cursor) }
  if (take(cursor, '$')) return { of: 'path', root: true, segments: readSegments(cursor) }
  const text = readString(cursor)
  if (text !== undefined) return { of: 'literal', value: text }
  const digits = scan(cursor, number)
  if (digits !== undefined) return { of: 'literal', value: Number(digits) }
  const word = words.get(scan(cursor, namePart) ?? '')
  return word === undefined ? fail() : { of: 'literal', value: word }
}

function patternOf(source: string, ignoreCase: boolean): Pattern {
  return checkPattern(source) === undefined ? compilePattern(source, { ignoreCase }) : fail()
}

/** `/source/i`, or a quoted source. */
function readPattern(cursor: Cursor): Pattern {
  const quoted = readString(cursor)
  if (quoted !== undefined) return patternOf(quoted, false)
  if (!take(cursor, '/')) return fail()
  const start = cursor.at
  while (cursor.text[cursor.at] !== '/') {
    if (cursor.at >= cursor.text.length) return fail()
    cursor.at += cursor.text[cursor.at] === '\\' ? 2 : 1
  }
  const source = cursor.text.slice(start, cursor.at++).replaceAll('\\/', '/')
  return patternOf(source, scan(cursor, /[a-z]+/y)?.includes('i') === true)
}

const comparisons: readonly Comparison[] = ['==', '!=', '<=', '>=', '<', '>']

/** `match(@.x, "…")` is about the whole text, `search` about any part. */
function readFunction(cursor: Cursor, whole: boolean): Expression {
  const left = readOperand(cursor)
  if (!take(cursor, ',')) return fail()
  const source = readString(cursor) ?? fail()
  if (!take(cursor, ')')) return fail()
  return { is: 'match', left, pattern: patternOf(whole ? `^(?:${source})$` : source, false) }
}

function readTest(cursor: Cursor): Expression {
  if (take(cursor, '!')) return { is: 'not', part: readTest(cursor) }
  if (take(cursor, 'match(')) return readFunction(cursor, true)
  if (take(cursor, 'search(')) return readFunction(cursor, false)
  if (take(cursor, '(')) {
    const inner = readOr(cursor)
    return take(cursor, ')') ? inner : fail()
  }
  const left = readOperand(cursor)
  if (take(cursor, '=~')) {
    skipSpace(cursor)
    return { is: 'match', left, pattern: readPattern(cursor) }
  }
  const by = comparisons.find((candidate) => take(cursor, candidate))
  return by === undefined
    ? { is: 'exists', operand: left }
    : { is: 'compare', left, by, right: readOperand(cursor) }
}

function readAnd(cursor: Cursor): Expression {
  const parts = [readTest(cursor)]
  while (take(cursor, '&&')) parts.push(readTest(cursor))
  return { is: 'and', parts }
}

function readOr(cursor: Cursor): Expression {
  const parts = [readAnd(cursor)]
  while (take(cursor, '||')) parts.push(readAnd(cursor))
  return { is: 'or', parts }
}

/** The segments after `$`; undefined for what this file does not understand. */
export function parseJsonPath(path: string): readonly Segment[] | undefined {
  const cursor: Cursor = { text: path, at: 1 }
  if (!path.startsWith('$')) return undefined
  try {
    const segments = readSegments(cursor)
    return cursor.at === path.length ? segments : undefined
  } catch (error) {
    // The way out of a nested construct that is not supported.
    if (error instanceof Unsupported) return undefined
    throw error
  }
}
