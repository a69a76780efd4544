// Every server that can be measured.
import { coraza } from './coraza.ts'
import { noopGrpcJs, noopLean, plainEnvoy } from './envoy.ts'
import { modSecurity } from './modsecurity.ts'
import { startOrigin } from '../origin.ts'
import type { Started, Subject } from './subject.ts'
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

export type Alive = Started & { readonly subject: Subject }

/** Starts these servers in front of one origin, and stops them whatever happens. */
export async function withServers<T>(
  ids: readonly string[],
  use: (servers: readonly Alive[]) => Promise<T>,
): Promise<T> {
  const origin = await startOrigin()
  const alive: Alive[] = []
  try {
    for (const subject of subjectsOf(ids))
      alive.push({ subject, ...(await subject.start({ originPort: origin.port })) })
    return await use(alive)
  } finally {
    for (const one of alive.toReversed()) await one.stop()
    await origin.stop()
  }
}
