// Whether a JSONPath (RFC 9535) is written well. Only the form is checked here; whoever reads bodies evaluates it.

export type PathProblem = { readonly offset: number; readonly why: string }

const longest = 1024

/** One segment from `at` on: what it looks like, as sticky expressions over a configuration text. */
const segments = [
  /\.\.?(?:\*|[\p{L}_$][\p{L}\p{N}_$-]*)/uy,
  /(?:\.\.)?\[\s*(?:\*|-?\d+|-?\d*:-?\d*(?::-?\d*)?|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:\s*,\s*(?:\*|-?\d+|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))*\s*\]/uy,
]
const filterStart = /(?:\.\.)?\[\s*\?/uy

/** End of a filter selector `[?…]` that begins at `from`: brackets balanced, strings and regexes skipped. */
function filterEnd(path: string, from: number): number | undefined {
  let depth = 0
  for (let at = from; at < path.length; at++) {
    const char = path[at]
    if (char === '"' || char === "'" || (char === '/' && /[~(,\s=]/.test(path[at - 1] ?? ''))) {
      const end = closing(path, at)
      if (end === undefined) return undefined
      at = end
    } else if (char === '[' || char === '(') depth++
    else if (char === ']' || char === ')') depth--
    if (depth === 0) return at + 1
  }
  return undefined
}

function closing(path: string, from: number): number | undefined {
  for (let at = from + 1; at < path.length; at++) {
    if (path[at] === '\\') at++
    else if (path[at] === path[from]) return at
  }
  return undefined
}

function segmentEnd(path: string, at: number): number | undefined {
  for (const segment of segments) {
    segment.lastIndex = at
    if (segment.test(path)) return segment.lastIndex
  }
  filterStart.lastIndex = at
  return filterStart.test(path) ? filterEnd(path, path.indexOf('[', at)) : undefined
}

/** Undefined when the path is well formed. `offset` counts UTF-16 units from 0. */
export function checkJsonPath(path: string): PathProblem | undefined {
  if (path.length > longest) return { offset: longest, why: `longer than ${longest} characters` }
  if (!path.startsWith('$')) return { offset: 0, why: 'must begin with $' }
  let at = 1
  while (at < path.length) {
    const end = segmentEnd(path, at)
    if (end === undefined)
      return { offset: at, why: 'not a segment (.name, ..name, [n], ["name"], [*], [?(…)])' }
    at = end
  }
  return undefined
}
