// What the worked examples are written against: somewhere to send requests to, and a way to say what must come out. There
// are two such doors, this process (below) and a real Envoy (envoy-door.ts), so the tables stand once for both.
import { test } from '@jest/globals'
import type { Decision } from '#pipeline'
import { type Documents, type Request, type Site, type SiteOptions, site } from './base.ts'
import { type Expected, check } from './expect.ts'

export type Door = {
  /** A site under B with these documents replaced; its counters are new and its clock stands still. */
  site(changes?: Documents, options?: SiteOptions): Site
  check(decision: Decision, expected: Expected): void
  /**
   * A test. Its name begins with the number of the example, if it is one of the numbered. `onlyInProcess` says why it
   * cannot be sent through Envoy.
   */
  example(says: string, run: () => unknown, onlyInProcess?: string): void
  /** An example that waits for another room. */
  pending(says: string): void
}

/** Examples of one request. The last column: why it cannot be sent through Envoy. */
export type Row = readonly [
  says: string,
  request: Request | string,
  expected: Expected,
  documents?: Documents,
  onlyInProcess?: string,
]

/** Why an example stays in the process, where several share the reason. */
export const onlyInspect = 'only `weir inspect` can say that a client is human'

export function rowsThrough({ site, check, example }: Door, rows: readonly Row[]): void {
  for (const [says, request, expected, documents, onlyInProcess] of rows)
    example(says, async () => check(await site(documents).send(request), expected), onlyInProcess)
}

/** The number that a name begins with. */
export const numberOf = (says: string): number | undefined => {
  const [, number] = /^(\d+) /.exec(says) ?? []
  return number === undefined ? undefined : Number(number)
}

export type ProcessDoor = Door & {
  /** Examples that have a test, also one that is pending. */
  readonly numbers: ReadonlySet<number | undefined>
}

export function processDoor(): ProcessDoor {
  const numbers = new Set<number | undefined>()
  return {
    numbers,
    site,
    check,
    example(says, run) {
      numbers.add(numberOf(says))
      test(says, async () => {
        await run()
      })
    },
    pending(says) {
      numbers.add(numberOf(says))
      test.todo(says)
    },
  }
}
