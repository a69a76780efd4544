// The target of a request and what is made of it (spec pipeline 1.5). `path` is the one form that expressions are
// matched against, so that a spelling cannot choose the rules that apply.
import { createParameterList } from './parameters.ts'
import { decodePath, decodeQuery } from './percent.ts'
import type { Parameters, Uri } from './request.ts'

/** Dot segments resolved first, then runs of slashes merged: the order in which Envoy does it. */
function normalise(path: string): string {
  if (!path.includes('//') && !path.includes('/.')) return path
  const kept: string[] = []
  const segments = path.split('/')
  for (const [i, segment] of segments.entries()) {
    const dots = segment === '.' || segment === '..'
    if (segment === '..' && kept.length > 1) kept.pop()
    if (!dots) kept.push(segment)
    else if (i === segments.length - 1) kept.push('')
  }
  const merged = kept.filter((segment, i) => segment !== '' || i === 0 || i === kept.length - 1).join('/')
  return merged === '' && path.startsWith('/') ? '/' : merged
}

/** Parts of a path that are told apart; all that follows is in the last one. A path of slashes must not cost thousands. */
const mostParts = 1000

/** The segments that are not empty, as received. */
export function pathSegments(rawPath: string): readonly string[] {
  const segments: string[] = []
  for (let start = 0; start < rawPath.length;) {
    const slash = segments.length + 1 < mostParts ? rawPath.indexOf('/', start) : -1
    const end = slash < 0 ? rawPath.length : slash
    if (end > start) segments.push(rawPath.slice(start, end))
    start = end + 1
  }
  return segments
}

function readParts(rawPath: string): Parameters {
  const parts = createParameterList(' ')
  parts.add('path', rawPath, 'path')
  for (const [i, segment] of pathSegments(rawPath).entries())
    parts.add(`part${String(i + 1)}`, decodePath(segment), 'path')
  return parts.finish()
}

/** Reads the target of a request line. Never fails: what is malformed stays as it is. */
export function readUri(target: string): Uri {
  const mark = target.indexOf('?')
  const rawPath = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? undefined : target.slice(mark)
  const path = normalise(decodePath(rawPath))
  return {
    rawPath,
    query,
    path,
    uri: query === undefined ? path : path + decodeQuery(query),
    rawUri: target,
    parts: readParts(rawPath),
  }
}
