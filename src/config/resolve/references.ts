// References between documents: an id becomes the entry, or a problem that names both.
import { unknownReference } from '../findings.ts'
import type { Report } from '../problem.ts'

/** The entries that may be referred to, with the words for a message. */
export type Target<T> = {
  readonly noun: string
  readonly namespace: string
  readonly entries: ReadonlyMap<string, T>
}

/** The entry, or undefined with a problem in the report. */
export function follow<T>(target: Target<T>, id: string, field: string, report: Report): T | undefined {
  const found = target.entries.get(id)
  if (found === undefined)
    report.problem(field, unknownReference(target.noun, id, target.namespace, target.entries.keys()))
  return found
}
