// Which names a document may have: those that are read, those that only later versions read, and nothing else.
import { closest } from '../closest.ts'
import { documents, notUsedNamespaces } from '../documents/index.ts'
import { finding } from '../findings.ts'
import type { Finding } from '../problem.ts'

const read: readonly string[] = documents.map(({ namespace }) => namespace)
const unused: readonly string[] = notUsedNamespaces
const known = [...read, ...unused]

export function useOf(namespace: string): 'read' | 'unused' | 'unknown' {
  if (read.includes(namespace)) return 'read'
  return unused.includes(namespace) ? 'unused' : 'unknown'
}

/** `extension` goes into the suggestion, `.json`. */
export function notDocument(namespace: string, extension: string): Finding {
  const near = closest(namespace, known)
  const suggestion = near === undefined ? '' : `Did you mean "${near}${extension}"? `
  return finding(
    'not a document of the configuration',
    `${suggestion}Move it out of the folder; known are ${known.join(', ')} with .json, .yaml or .yml.`,
  )
}

export const notList = finding('must be a list of entries', 'Write the entries in one list: [ {…}, {…} ].')
