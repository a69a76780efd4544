// References between documents: an id becomes the entry, or a problem that names both.
import { unknownReference } from '../findings.ts'
import type { Report } from '../problem.ts'

/** The entries that may be referred to, with the words for a message. */
export type Target<T> = {
  readonly noun: string
  readonly namespace: string
  readonly entries: ReadonlyMap<string, T>
  /** Whether an entry of this id is there but wrong: that has been reported already, and one problem is enough. */
  mayHave(id: string): boolean
}

/** The entry; undefined when it is not there, or is wrong, with a problem in the report that says so. */
export function follow<T>(target: Target<T>, id: string, field: string, report: Report): T | undefined {
  const found = target.entries.get(id)
  if (found === undefined && !target.mayHave(id))
    report.problem(field, unknownReference(target.noun, id, target.namespace, target.entries.keys()))
  return found
}
