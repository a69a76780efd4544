// JSON files as people write them: syntax errors with line and column, and a key that stands twice in one object is an
// error, because JSON.parse would silently keep the last one.

export type TextProblem = { readonly line: number; readonly column: number; readonly why: string }

export type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: TextProblem }

function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset)
  const lastBreak = before.lastIndexOf('\n')
  return { line: before.split('\n').length, column: offset - lastBreak }
}

/** V8 says `… at position 17 (line 2 column 3)`, or nothing of a place when the text ends too early. */
function syntaxProblem(text: string, error: unknown): TextProblem {
  const message = error instanceof Error ? error.message : String(error)
  const position = /at position (\d+)/.exec(message)?.[1]
  const offset = position === undefined ? text.length : Number(position)
  return {
    ...placeOf(text, offset),
    why: message.replace(/ \(line \d+ column \d+\)/, '').replace(/ at position \d+.*/, ''),
  }
}

/** End of the string that begins at the quote at `start`; the text is known to be valid. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

type Level = { readonly keys: Set<string> | undefined; expectsKey: boolean }

/** The first key that occurs twice in one object of a text that is valid JSON. */
function duplicateKey(text: string): TextProblem | undefined {
  const levels: Level[] = []
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    const level = levels.at(-1)
    if (c === '{') levels.push({ keys: new Set(), expectsKey: true })
    else if (c === '[') levels.push({ keys: undefined, expectsKey: false })
    else if (c === '}' || c === ']') levels.pop()
    else if (c === ',' && level !== undefined) level.expectsKey = level.keys !== undefined
    else if (c === '"') {
      const end = endOfString(text, at)
      if (level?.expectsKey === true) {
        const key = String(JSON.parse(text.slice(at, end + 1)))
        if (level.keys?.has(key) === true)
          return { ...placeOf(text, at), why: `duplicate key "${key.slice(0, 80)}"` }
        level.keys?.add(key)
        level.expectsKey = false
      }
      at = end
    }
  }
  return undefined
}

export function parseJson(text: string): Parsed {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return { ok: false, problem: syntaxProblem(text, error) }
  }
  const problem = duplicateKey(text)
  return problem === undefined ? { ok: true, value } : { ok: false, problem }
}
