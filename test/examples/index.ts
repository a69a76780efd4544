// The worked examples of spec pipeline 9, chapter by chapter. A door decides where their requests go.
import type { Door } from '../support/door.ts'
import { aclExamples } from './acl.ts'
import { contentFilterExamples } from './content-filter.ts'
import { flowControlExamples, globalFilterExamples } from './filters.ts'
import { rateLimitExamples } from './limits.ts'
import { mappingExamples } from './mapping.ts'
import { recordExamples } from './record.ts'

/** The last number in the specification. */
export const lastExample = 112

export function workedExamples(door: Door): void {
  mappingExamples(door)
  globalFilterExamples(door)
  flowControlExamples(door)
  rateLimitExamples(door)
  aclExamples(door)
  contentFilterExamples(door)
  recordExamples(door)
}
