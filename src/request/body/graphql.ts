// GraphQL documents to leaves (spec pipeline 1.8), on the reference parser. That one calls itself for each level, so depth
// is counted by a scan of the text first; its tokens are bounded by its own setting.
import {
  type ArgumentNode,
  type ConstArgumentNode,
  type ConstDirectiveNode,
  type DefinitionNode,
  type DirectiveNode,
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  Kind,
  type SelectionNode,
  type ValueNode,
  type VariableDefinitionNode,
  parse,
} from 'graphql'
import { type Leaves, type ParseResult, malformedAt, maxNodes, parsed, tooDeep } from './leaves.ts'

/** Levels that the parser may call itself, whatever a profile allows. */
const deepest = 500

/** End of the string that begins at `at`; the text's end if it has none. */
function stringEnd(text: string, at: number): number {
  const block = text.startsWith('"""', at)
  const close = block ? '"""' : '"'
  for (let end = at + close.length; end < text.length; end++) {
    if (text[end] === '\\') end++
    else if (text.startsWith(close, end)) return end + close.length
    else if (!block && text[end] === '\n') return end
  }
  return text.length
}

/** Whether brackets nest more than `limit` deep. */
function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at) - 1
    else if (char === '#') {
      const end = text.indexOf('\n', at)
      at = end < 0 ? text.length : end
    } else if (char === '{' || char === '[' || char === '(') {
      if (++depth > limit) return true
    } else if (char === '}' || char === ']' || char === ')') depth--
  }
  return false
}

type Walk = { readonly leaves: Leaves; full: boolean }

function add(walk: Walk, name: string, value: string): void {
  if (!walk.full) walk.full = !walk.leaves.node() || !walk.leaves.add(name, value)
}

/** A string is its content; what holds others is written as in the document. */
function literal(value: ValueNode): string {
  return value.kind === Kind.STRING ? value.value : written(value)
}

function written(value: ValueNode): string {
  switch (value.kind) {
    case Kind.VARIABLE:
      return `$${value.name.value}`
    case Kind.NULL:
      return 'null'
    case Kind.STRING:
      return JSON.stringify(value.value)
    case Kind.LIST:
      return `[${value.values.map(written).join(', ')}]`
    case Kind.OBJECT:
      return `{${value.fields.map((field) => `${field.name.value}: ${written(field.value)}`).join(', ')}}`
    case Kind.INT:
    case Kind.FLOAT:
    case Kind.ENUM:
      return value.value
    case Kind.BOOLEAN:
      return String(value.value)
    default:
      return value satisfies never
  }
}

function addArguments(
  walk: Walk,
  prefix: string,
  args: readonly (ArgumentNode | ConstArgumentNode)[] | undefined,
): void {
  for (const { name, value } of args ?? []) add(walk, `${prefix}-${name.value}`, literal(value))
}

/** One without arguments is told by its name, as a field is. */
function addDirectives(
  walk: Walk,
  prefix: string,
  directives: readonly (DirectiveNode | ConstDirectiveNode)[] | undefined,
): void {
  for (const [i, directive] of (directives ?? []).entries()) {
    const name = directive.name.value
    if ((directive.arguments ?? []).length === 0) add(walk, `${prefix}-d${String(i)}`, name)
    else addArguments(walk, `${prefix}-d${String(i)}-${name}`, directive.arguments)
  }
}

function addField(walk: Walk, prefix: string, field: FieldNode): void {
  const own = `${prefix}-${field.name.value}`
  const { alias, selectionSet } = field
  if (alias !== undefined) add(walk, `${own}-alias`, alias.value)
  addArguments(walk, own, field.arguments)
  addDirectives(walk, own, field.directives)
  if (selectionSet !== undefined) addSelections(walk, own, selectionSet.selections)
  const leaf =
    alias === undefined &&
    selectionSet === undefined &&
    (field.arguments ?? []).length === 0 &&
    (field.directives ?? []).length === 0
  if (leaf) add(walk, prefix, field.name.value)
}

function addSelections(walk: Walk, prefix: string, selections: readonly SelectionNode[]): void {
  for (const [i, selection] of selections.entries()) {
    if (walk.full) return
    const own = `${prefix}-s${String(i)}`
    switch (selection.kind) {
      case Kind.FIELD:
        addField(walk, own, selection)
        break
      case Kind.FRAGMENT_SPREAD:
        add(walk, `${own}-frag`, selection.name.value)
        addDirectives(walk, own, selection.directives)
        break
      case Kind.INLINE_FRAGMENT:
        addDirectives(walk, own, selection.directives)
        addSelections(walk, own, selection.selectionSet.selections)
        break
      default:
        selection satisfies never
    }
  }
}

function addVariables(
  walk: Walk,
  prefix: string,
  variables: readonly VariableDefinitionNode[] | undefined,
): void {
  for (const { variable, defaultValue, directives } of variables ?? []) {
    const own = `${prefix}-${variable.name.value}`
    if (defaultValue !== undefined) add(walk, `${own}-defvalue`, literal(defaultValue))
    addDirectives(walk, own, directives)
  }
}

/** Definitions of a schema are no requests; of those that a server would refuse nothing is said. */
function addDefinition(walk: Walk, definition: DefinitionNode): void {
  if (definition.kind === Kind.OPERATION_DEFINITION) {
    const prefix = definition.name === undefined ? 'gdir' : `gdir-${definition.name.value}`
    addVariables(walk, prefix, definition.variableDefinitions)
    addDirectives(walk, prefix, definition.directives)
    addSelections(walk, prefix, definition.selectionSet.selections)
  } else if (definition.kind === Kind.FRAGMENT_DEFINITION) {
    const prefix = `gfrag-${definition.name.value}`
    addDirectives(walk, prefix, definition.directives)
    addSelections(walk, prefix, definition.selectionSet.selections)
  }
}

type Read = { readonly document: DocumentNode } | { readonly result: ParseResult }

function readDocument(text: string): Read {
  try {
    return { document: parse(text, { noLocation: true, maxLexicalTokens: maxNodes }) }
  } catch (error) {
    // The parser says in this way only that the text is no document, or too long a one.
    if (!(error instanceof GraphQLError)) return { result: malformedAt(text, 0) }
    if (error.message.includes('tokens')) {
      return { result: { kind: 'stopped', met: { bound: 'body', actual: maxNodes + 1, limit: maxNodes } } }
    }
    return { result: malformedAt(text, error.positions?.[0] ?? 0) }
  }
}

/** Adds the leaves of every operation and fragment of a document. */
export function parseGraphql(text: string, maxDepth: number, leaves: Leaves): ParseResult {
  const limit = Math.min(maxDepth, deepest)
  if (nestsDeeper(text, limit - 1)) return tooDeep(limit)
  const read = readDocument(text)
  if ('result' in read) return read.result
  const walk: Walk = { leaves, full: false }
  for (const definition of read.document.definitions) addDefinition(walk, definition)
  return walk.full ? leaves.stopped() : parsed
}

const operationWords = ['query', 'mutation', 'subscription', 'fragment']

/** Whether a string of a JSON body is to be read as a document: a word of GraphQL, then white space or a brace. */
export function looksLikeGraphql(value: string): boolean {
  const first = value.charCodeAt(0)
  // q, m, s, f: nearly every string is done here.
  if (first !== 0x71 && first !== 0x6d && first !== 0x73 && first !== 0x66) return false
  const word = operationWords.find((candidate) => value.startsWith(candidate))
  return word !== undefined && ' \t\n\r{'.includes(value[word.length] ?? 'x')
}
