// The pipeline, top to bottom. The order is the list: a stage sees the tags of those above it, and a final verdict
// keeps those below from running (spec pipeline 4). Mapping and initialisation come before, in pipeline.ts.
import type { Stage } from '../stage.ts'
import { acl } from './acl.ts'
import { contentFilter } from './content-filter.ts'
import { flowControl } from './flow-control.ts'
import { globalFilters } from './global-filters.ts'
import { globalRateLimits } from './global-rate-limits.ts'
import { rateLimits } from './rate-limits.ts'

export const stages: readonly Stage[] = [
  globalFilters, // tags and acts on any property; no state
  flowControl, // tags completed sequences; one exchange if a step is met
  globalRateLimits, // bans and limits of every site; one exchange
  rateLimits, // the address's rate and the limits of the path; one exchange
  acl, // lists of tags
  contentFilter, // restrictions and signatures over all values
]
