// Calls wait here for their turn, those of all connections of a server in one row. Without it they would wait in the kernel, where
// nobody knows for how long: a filter that cannot keep up would work on calls that Envoy has given up, and answer nobody in time.
//
// What waits too long is refused at once, so that what is admitted is answered soon. How long is too long follows Facebook's variant
// of CoDel ("Fail at Scale", ACM Queue 13/8): a burst may wait for a while, a row that has not been empty for so long only briefly.
// A short row is never cut: a few clients with long bodies make others wait, but are no more than a filter can take.
import type { Limits } from './limits.ts'
import type { Stream } from './stream.ts'

/** The connection of a call. */
export type Party = {
  /** Calls the method, or refuses the call because it waited too long. */
  serve(stream: Stream, tooLate: boolean): void
  /** Some of its calls have had their turn. */
  settle(): void
}

export type Turns = { add(party: Party, stream: Stream): void; readonly waiting: number }

type Turn = { readonly party: Party; readonly stream: Stream; readonly since: number }

/** Milliseconds after which the sockets are read again: what arrives meanwhile gets its time, and resets take effect. */
const sliceMs = 4

export type TurnsOptions = Pick<Limits, 'burstWaitMs' | 'standingWaitMs' | 'shortRow'> & {
  /** Monotonic, in milliseconds. */
  readonly now: () => number
  /** Runs what it is given once the sockets have been read. */
  readonly later: (run: () => void) => void
}

export function createTurns(options: TurnsOptions): Turns {
  const { burstWaitMs, standingWaitMs, shortRow, now, later } = options
  let row: Turn[] = []
  let head = 0
  let lastEmpty = 0

  function slice(): void {
    const begin = now()
    const served = new Set<Party>()
    for (let at = begin; head < row.length && at - begin < sliceMs; at = now()) {
      const turn = row[head++]
      if (turn === undefined || turn.stream.closed) continue
      const longest = at - lastEmpty > burstWaitMs ? standingWaitMs : burstWaitMs
      turn.party.serve(turn.stream, row.length - head >= shortRow && at - turn.since > longest)
      served.add(turn.party)
    }
    row = head === row.length ? [] : row.slice(head)
    head = 0
    for (const party of served) party.settle()
    if (row.length > 0) later(slice)
  }

  return {
    add(party, stream) {
      const since = now()
      row.push({ party, stream, since })
      if (row.length > 1) return
      lastEmpty = since
      later(slice)
    },
    get waiting() {
      return row.length - head
    },
  }
}
