// JSON files as people write them. JSON.parse decides what is JSON, but its errors often name no place, and a key that
// stands twice in one object passes it, the last one winning. So the text is walked once more, token by token and
// without recursion, for the line and column of either.

import { messageOf } from './file-bytes.ts'

export type TextProblem = { readonly line: number; readonly column: number; readonly why: string }

export type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: TextProblem }

const space = /[ \t\r\n]*/y
const scalar = /(?:true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)(?![A-Za-z0-9_.+-])/y
const plainText = /[^"\\\u0000-\u001f]*/y
const escape = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y

/** End of a match of a sticky expression at `at`; undefined when it does not match there. */
function endOf(expression: RegExp, text: string, at: number): number | undefined {
  expression.lastIndex = at
  return expression.test(text) ? expression.lastIndex : undefined
}

/** What is wrong and where, in UTF-16 units from 0. */
type Fault = { readonly at: number; readonly why: string }

const isFault = (read: number | Fault): read is Fault => typeof read !== 'number'

/** End of the string whose quote is at `start`. */
function readString(text: string, start: number): number | Fault {
  let at = start + 1
  for (;;) {
    at = endOf(plainText, text, at) ?? at
    if (text[at] === '"') return at + 1
    if (text[at] === '\\') {
      const end = endOf(escape, text, at)
      if (end === undefined) return { at, why: 'bad escape in a string' }
      at = end
    } else if (at < text.length) return { at, why: 'line break or control character in a string' }
    else return { at: start, why: 'string without an end' }
  }
}

/** What may stand next. */
type Due = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or ]' | ', or }' | 'end'

const words: Readonly<Record<Due, string>> = {
  value: 'a value',
  'value or ]': 'a value or "]"',
  key: 'a key in double quotes',
  'key or }': 'a key in double quotes or "}"',
  ':': '":" after the key',
  ', or ]': '"," or "]"',
  ', or }': '"," or "}"',
  end: 'the end of the file',
}

function expected(due: Due, text: string, at: number): Fault {
  const found = text.slice(at, at + 20).split(/[\s,:{}[\]]/, 1)[0] ?? ''
  const shown = at >= text.length ? 'the end of the file' : `'${found === '' ? (text[at] ?? '') : found}'`
  return { at, why: `expected ${words[due]}, found ${shown}` }
}

/** The keys seen in each open object; undefined for a list. The innermost is last. */
type Levels = (Set<string> | undefined)[]

function afterValue(levels: Levels): Due {
  if (levels.length === 0) return 'end'
  return levels.at(-1) === undefined ? ', or ]' : ', or }'
}

/** The first place where the text is no JSON, or repeats a key of the same object. */
function findFault(text: string): Fault | undefined {
  const levels: Levels = []
  let due: Due = 'value'
  let at = 0
  for (;;) {
    at = endOf(space, text, at) ?? at
    if (due === 'end' && at === text.length) return undefined
    const c = text[at]
    const valueDue = due === 'value' || due === 'value or ]'
    const keyDue = due === 'key' || due === 'key or }'
    let end: number | Fault = at + 1
    if (valueDue && c === '{') {
      levels.push(new Set())
      due = 'key or }'
    } else if (valueDue && c === '[') {
      levels.push(undefined)
      due = 'value or ]'
    } else if ((c === '}' && due.endsWith('}')) || (c === ']' && due.endsWith(']'))) {
      levels.pop()
      due = afterValue(levels)
    } else if (c === ',' && due.startsWith(',')) due = levels.at(-1) === undefined ? 'value' : 'key'
    else if (c === ':' && due === ':') due = 'value'
    else if (c === '"' && keyDue) {
      end = readString(text, at)
      if (isFault(end)) return end
      const key = String(JSON.parse(text.slice(at, end)))
      if (levels.at(-1)?.has(key) === true) return { at, why: `duplicate key "${key.slice(0, 80)}"` }
      levels.at(-1)?.add(key)
      due = ':'
    } else if (valueDue) {
      end = c === '"' ? readString(text, at) : (endOf(scalar, text, at) ?? expected(due, text, at))
      if (isFault(end)) return end
      due = afterValue(levels)
    } else return expected(due, text, at)
    at = end
  }
}

/** Line and column count from 1, columns in UTF-16 units. */
function problemAt(text: string, { at, why }: Fault): TextProblem {
  const before = text.slice(0, at)
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n'), why }
}

export function parseJson(text: string): Parsed {
  const fault = findFault(text)
  if (fault !== undefined) return { ok: false, problem: problemAt(text, fault) }
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (error) {
    return { ok: false, problem: problemAt(text, { at: text.length, why: messageOf(error) }) }
  }
}
