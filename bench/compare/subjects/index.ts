// Every server that can be measured.
import { coraza } from './coraza.ts'
import { noopGrpcJs, noopLean, plainEnvoy } from './envoy.ts'
import { modSecurity } from './modsecurity.ts'
import type { Subject } from './subject.ts'
import { weirEmpty, weirFilter, weirRedis, weirShipped, weirTwoFilters } from './weir.ts'

export type { Started, Subject } from './subject.ts'

export const subjects: readonly Subject[] = [
  plainEnvoy,
  noopGrpcJs,
  noopLean,
  weirFilter,
  weirEmpty,
  weirShipped,
  weirRedis,
  weirTwoFilters,
  modSecurity,
  coraza,
]

/** Throws on an id that the list does not have. */
export function subjectsOf(ids: readonly string[]): readonly Subject[] {
  return ids.map((id) => {
    const found = subjects.find((subject) => subject.id === id)
    if (found === undefined)
      throw new Error(`no server "${id}"; there are ${subjects.map((one) => one.id).join(', ')}`)
    return found
  })
}
