// The session of a request (spec pipeline 3.3): what an application knows its visitor by. The key is used for counting
// inside the filter; only salted hashes of it leave.
import { hash } from 'node:crypto'
import type { SecurityPolicy, Selector } from '#config'
import { type SelectorSource, readSelector } from './selectors.ts'
import type { Session } from './transaction.ts'

/** Visitors come back: their hashes are kept for a while. */
const mostKept = 8192
const longestKept = 256
let kept = new Map<string, string>()

function sha224(text: string): string {
  const known = kept.get(text)
  if (known !== undefined) return known
  const digest = hash('sha224', text, 'hex')
  if (kept.size >= mostKept) kept = new Map()
  // A copy: the text may be glued to pieces of its request.
  if (text.length <= longestKept) kept.set(Buffer.from(text).toString(), digest)
  return digest
}

const kinds = { headers: 'header', cookies: 'cookie', args: 'argument', plugins: 'plugin' } as const

const idName = (selector: Selector): string =>
  selector.in === 'attrs' ? selector.attribute : `${kinds[selector.in]}_${selector.name}`

/** The first main selector with a value and all others with one; nothing found or configured: the client address. */
export function readSession(source: SelectorSource, policy: SecurityPolicy, seed: string): Session {
  const values: string[] = []
  const ids: { name: string; value: string }[] = []
  const take = (selector: Selector): boolean => {
    const value = readSelector(source, selector)
    if (value === undefined) return false
    values.push(value)
    ids.push({ name: idName(selector), value: sha224(seed + value) })
    return true
  }
  policy.session.some(take)
  for (const selector of policy.sessionIds) take(selector)
  if (values.length === 0) values.push(source.request.ip)
  const key = values.join('\x1f')
  const [only] = ids
  return { key, hash: only !== undefined && ids.length === 1 ? only.value : sha224(seed + key), ids }
}
