// Who gets which kinds: Envoys those of `resources.ts`, filters those of `filter-resources.ts`. A filter that asks for
// certificates gets none, whatever it knows.
import { type DeliveredKind, filterKinds } from './filter-resources.ts'
import type { Role } from './node.ts'
import { kinds } from './resources.ts'

export const kindsOf: Readonly<Record<Role, readonly DeliveredKind[]>> = { envoy: kinds, filter: filterKinds }

/** In the order of a publish. */
export const deliveredKinds: readonly DeliveredKind[] = [...filterKinds, ...kinds]
