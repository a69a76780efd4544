// From the raw entries of one document to parsed ones, under their ids.
import type { DocumentKind } from '../documents/document.ts'
import { duplicate, finding } from '../findings.ts'
import { type Findings, type Report, reportAt } from '../problem.ts'
import { isObject } from '../schema/json.ts'
import { excessOf } from './excess.ts'
import type { Raw } from './read-folder.ts'

/** One document as it was read: its entries in order, and a report for each. */
export type Document<Parsed> = {
  readonly kind: DocumentKind<Parsed>
  readonly entries: ReadonlyMap<string, Parsed>
  /** Whether all of it could be read. */
  readonly complete: boolean
  /** Whether an entry of this id may stand in the document, right or wrong. */
  mayHave(id: string): boolean
  reportOn(id: string): Report
}

const nameOf = (raw: unknown, index: number): string =>
  isObject(raw) && typeof raw['id'] === 'string' && raw['id'] !== ''
    ? raw['id'].slice(0, 80)
    : `[${String(index)}]`

/** Reads every entry; those that are wrong are reported and left out. */
export function readEntries<Parsed extends { readonly id: string }>(
  kind: DocumentKind<Parsed>,
  raw: Raw | undefined,
  findings: Findings,
): Document<Parsed> {
  const file = raw?.file ?? `${kind.namespace}.json`
  const entries = new Map<string, Parsed>()
  const ids = new Map<string, number>()
  const reportOn = (entry: string): Report => reportAt(findings, { file, document: kind.namespace, entry })
  raw?.entries.forEach((value, index) => {
    const name = nameOf(value, index)
    const report = reportOn(name)
    if (!isObject(value)) {
      report.problem('', finding('must be an object', 'Write the entry as { "id": …, … }.'))
      return
    }
    const excess = excessOf(value)
    if (excess !== undefined) {
      report.problem('', excess)
      return
    }
    const first = ids.get(name)
    if (first === undefined) ids.set(name, index)
    else report.problem('id', duplicate('id', `[${String(first)}]`))
    const parsed = kind.read(value, report)
    if (parsed !== undefined && first === undefined) entries.set(parsed.id, parsed)
  })
  const known = raw?.complete ?? true
  const complete = known && entries.size === (raw?.entries.length ?? 0)
  return { kind, entries, complete, mayHave: (id) => !known || ids.has(id), reportOn }
}
