// GraphQL documents inside a JSON body (spec pipeline 1.8): where the profile says with a JSONPath, or in every string
// that begins like one. Only the first kind can make a body malformed.
import { parseGraphql, looksLikeGraphql } from './graphql.ts'
import { type Segment, parseJsonPath } from './json-path.ts'
import { selectStrings } from './json-select.ts'
import { type Leaves, type ParseResult, createLeaves, maxArguments, parsed } from './leaves.ts'

/** Strings that only look like GraphQL, after which no more are tried: each costs what a small body does. */
const mostFailures = 16

/** Paths are few, and the same ones for every request of a site. */
const compiled = new Map<string, readonly Segment[] | undefined>()
const mostCompiled = 256

function segmentsOf(path: string): readonly Segment[] | undefined {
  if (!compiled.has(path)) {
    if (compiled.size >= mostCompiled) compiled.clear()
    compiled.set(path, parseJsonPath(path))
  }
  return compiled.get(path)
}

/** Documents that may be none: what cannot be read is passed over. */
function addLookalikes(maxDepth: number, leaves: Leaves): ParseResult {
  let failures = 0
  for (const { value } of leaves.found.slice()) {
    if (!looksLikeGraphql(value)) continue
    const own = createLeaves(maxArguments)
    const result = parseGraphql(value, maxDepth, own)
    if (result.kind !== 'parsed') {
      if (++failures >= mostFailures) break
      continue
    }
    for (const leaf of own.found)
      if (!leaves.node() || !leaves.add(leaf.name, leaf.value)) return leaves.stopped()
  }
  return parsed
}

function addSelected(
  text: string,
  segments: readonly Segment[],
  maxDepth: number,
  leaves: Leaves,
): ParseResult {
  const root: unknown = JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text)
  for (const document of selectStrings(root, segments)) {
    const result = parseGraphql(document, maxDepth, leaves)
    if (result.kind !== 'parsed') return result
  }
  return parsed
}

/** `text` has been read as JSON; `path` empty: documents are recognised by how they begin. */
export function addGraphql(text: string, path: string, maxDepth: number, leaves: Leaves): ParseResult {
  const segments = path === '' ? undefined : segmentsOf(path)
  return segments === undefined
    ? addLookalikes(maxDepth, leaves)
    : addSelected(text, segments, maxDepth, leaves)
}
