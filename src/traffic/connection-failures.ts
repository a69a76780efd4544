// Connections that ended before there was a request: a handshake that failed, a name or a peer that no listener takes. They are
// no events, since an event is a request (spec traffic 1.1), but whose clients cannot connect wants to know why: they are
// counted by reason and written to the log, a few of them a second, because a scanner makes thousands.
import type { ConnectionFailure } from '#envoy'

export type ConnectionFailuresOptions = {
  /** Writes a line; `omitted` were not written since the one before. */
  readonly write: (failure: ConnectionFailure, reason: string, omitted: number) => void
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

export type ConnectionFailures = {
  readonly take: (failure: ConnectionFailure) => void
  /** How many by reason: a short word of Weir's or of OpenSSL. */
  stats(): ReadonlyMap<string, number>
}

const linesPerSecond = 5
/** OpenSSL has some hundreds; a client chooses some of them, and a metric must not grow without end. */
const maxReasons = 64

/** `TLS_error:|268435703:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end` says `wrong_version_number`. */
export function reasonOf({ kind, detail }: ConnectionFailure): string {
  if (kind === 'no_chain') return 'no_chain'
  const word = /OPENSSL_internal:([A-Z0-9_]{1,64})/.exec(detail)?.[1]
  if (word !== undefined) return word.toLowerCase()
  return /tim(?:e|ed)[ -]?out/i.test(detail) ? 'timeout' : 'other'
}

export function createConnectionFailures({ write, now }: ConnectionFailuresOptions): ConnectionFailures {
  const counts = new Map<string, number>()
  let second = Number.NEGATIVE_INFINITY
  let written = 0
  let omitted = 0

  function count(reason: string): void {
    const known = counts.has(reason) || counts.size < maxReasons ? reason : 'other'
    counts.set(known, (counts.get(known) ?? 0) + 1)
  }

  return {
    take(failure) {
      const reason = reasonOf(failure)
      count(reason)
      if (now() - second >= 1000) {
        second = now()
        written = 0
      }
      if (written === linesPerSecond) {
        omitted++
        return
      }
      written++
      write(failure, reason, omitted)
      omitted = 0
    },
    stats: () => new Map(counts),
  }
}
