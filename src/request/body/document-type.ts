// What an XML document type declares (spec pipeline 1.8): external identifiers and entities, as values to look at. An
// external entity is an attack nearly always, and none is ever followed. What else stands there (comments, instructions,
// default values of attributes, which every parser fills in) is text to look at.

/** One declaration: `name` and its text after the name. */
type Cursor = { readonly text: string; at: number }

const isSpace = (char: string | undefined): boolean =>
  char === ' ' || char === '\n' || char === '\t' || char === '\r'

function skipSpace(cursor: Cursor): void {
  while (isSpace(cursor.text[cursor.at])) cursor.at++
}

/** Characters up to white space, a quote, or one of `[ ] >`. */
function readWord(cursor: Cursor): string {
  skipSpace(cursor)
  const start = cursor.at
  while (cursor.at < cursor.text.length && !' \n\t\r"\'[]>'.includes(cursor.text[cursor.at] ?? ''))
    cursor.at++
  return cursor.text.slice(start, cursor.at)
}

/** A quoted literal; undefined if the next thing is none. */
function readLiteral(cursor: Cursor): string | undefined {
  skipSpace(cursor)
  const quote = cursor.text[cursor.at]
  if (quote !== '"' && quote !== "'") return undefined
  const end = cursor.text.indexOf(quote, cursor.at + 1)
  if (end < 0) return undefined
  const literal = cursor.text.slice(cursor.at + 1, end)
  cursor.at = end + 1
  return literal
}

/** `SYSTEM "uri"` or `PUBLIC "id" "uri"`, written without quotes; undefined if there is none. */
function readExternal(cursor: Cursor): string | undefined {
  const start = cursor.at
  const kind = readWord(cursor)
  if (kind === 'SYSTEM') return `SYSTEM ${readLiteral(cursor) ?? ''}`
  if (kind === 'PUBLIC') {
    const id = readLiteral(cursor) ?? ''
    const uri = readLiteral(cursor)
    return uri === undefined ? `PUBLIC ${id}` : `PUBLIC ${id} ${uri}`
  }
  cursor.at = start
  return undefined
}

type Value = readonly [name: string, value: string]

/** Past the `>` that ends the declaration, quotes respected. */
function skipDeclaration(cursor: Cursor): void {
  while (cursor.at < cursor.text.length && cursor.text[cursor.at] !== '>') {
    const char = cursor.text[cursor.at]
    if (char === '"' || char === "'") {
      if (readLiteral(cursor) === undefined) cursor.at = cursor.text.length
    } else cursor.at++
  }
  cursor.at++
}

function readEntity(cursor: Cursor): readonly Value[] {
  const start = cursor.at
  cursor.at += entity.length
  const first = readWord(cursor)
  const name = first === '%' ? readWord(cursor) : first
  const external = readExternal(cursor)
  const literal = external === undefined ? readLiteral(cursor) : undefined
  skipDeclaration(cursor)
  if (external !== undefined) {
    return [
      [`entity/${name}`, external],
      [`entity_raw/${name}`, cursor.text.slice(start, cursor.at)],
    ]
  }
  return literal === undefined ? [] : [[`_XMLENTITY_VALUE_${name}`, literal]]
}

const entity = '<!ENTITY'

/** What ends at its own mark, wherever quotes and `>` stand in it. */
const marked = [
  ['<!--', '-->'],
  ['<?', '?>'],
] as const

/** Past the comment or instruction that begins at the cursor; false: neither does. */
function skipMarked(cursor: Cursor): boolean {
  for (const [begin, mark] of marked) {
    if (!cursor.text.startsWith(begin, cursor.at)) continue
    const end = cursor.text.indexOf(mark, cursor.at + begin.length)
    cursor.at = end < 0 ? cursor.text.length : end + mark.length
    return true
  }
  return false
}

/** Reads the text between `<!DOCTYPE` and its `>`, which the parser has found to be balanced. `beside` gets what is no value. */
export function* readDocumentType(text: string, beside: (text: string) => void): Generator<Value> {
  const cursor: Cursor = { text, at: 0 }
  const root = readWord(cursor)
  const start = cursor.at
  const external = readExternal(cursor)
  if (external !== undefined) {
    yield [`entity/${root}`, external]
    yield [`entity_raw/${root}`, text.slice(start, cursor.at).trim()]
  }
  while (cursor.at < text.length) {
    const next = text.indexOf('<', cursor.at)
    if (next < 0) return
    cursor.at = next
    if (text.startsWith(entity, next)) {
      yield* readEntity(cursor)
      continue
    }
    if (!skipMarked(cursor)) skipDeclaration(cursor)
    // Without the brackets, which are the document's and not the text's.
    beside(text.slice(next + 2, cursor.at - 1))
  }
}
