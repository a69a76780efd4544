// What a peer may cost. Sizes are promised in SETTINGS where HTTP/2 has one for them (RFC 9113 section 6.5.2); the rest answers
// section 10.5: frames that are cheap to send and make no progress are paid from an allowance that time and answered calls refill.

const kib = 1024
const mib = 1024 * kib

export type Limits = {
  /** Bytes of one request message; more is RESOURCE_EXHAUSTED. */
  readonly maxMessageBytes: number
  /** Bytes of half-received messages, over all connections of a server; more is RESOURCE_EXHAUSTED. */
  readonly maxHeldBytes: number
  /** Bytes of the fields of one request as SETTINGS_MAX_HEADER_LIST_SIZE counts them; more is RESOURCE_EXHAUSTED. */
  readonly maxHeaderListBytes: number
  /** CONTINUATION frames of one header block; more ends the connection. Together with the size of a frame it bounds the block. */
  readonly maxContinuations: number
  /** Streams of a connection, counting those whose method still works although the peer reset them; more is REFUSED_STREAM. */
  readonly maxConcurrentStreams: number
  /** Flow-control windows for what a peer sends. */
  readonly streamWindow: number
  readonly connectionWindow: number
  /** Bytes that the kernel did not take yet, at which no further calls are answered and the window stays closed. */
  readonly maxUnsentBytes: number
  /** Bytes of answers that wait for the peer's flow-control windows; more ends the connection. */
  readonly maxBlockedBytes: number
  /** How long a peer may take nothing of what waits for it, in ms. */
  readonly stallMs: number
  /** How long a client may take to say its preface and SETTINGS, in ms. */
  readonly handshakeMs: number
  readonly maxConnections: number
  /** How long a call may wait for its turn, in ms: while there is a burst, and while the row has not been empty for so long. */
  readonly burstWaitMs: number
  readonly standingWaitMs: number
  /** With fewer calls behind it, none is refused for its waiting. */
  readonly shortRow: number
  /** The allowance in points (see `costs`): at most so many, refilled by so many a second and by each answered call. */
  readonly patience: { readonly most: number; readonly perSecond: number; readonly perAnswer: number }
}

export const defaultLimits: Limits = {
  // The largest inspection buffer (64 MiB) and its headers (spec control-plane 2.6).
  maxMessageBytes: 80 * mib,
  maxHeldBytes: 512 * mib,
  maxHeaderListBytes: 32 * kib,
  maxContinuations: 8,
  maxConcurrentStreams: 1024,
  streamWindow: 4 * mib,
  connectionWindow: 16 * mib,
  maxUnsentBytes: 1 * mib,
  maxBlockedBytes: 16 * mib,
  stallMs: 30_000,
  handshakeMs: 10_000,
  maxConnections: 1024,
  burstWaitMs: 200,
  standingWaitMs: 20,
  shortRow: 64,
  patience: { most: 20_000, perSecond: 2000, perAnswer: 4 },
}

/** Points for what makes no progress by itself. */
export const costs = {
  ping: 1,
  settings: 20,
  windowUpdate: 1,
  priority: 1,
  unknownFrame: 1,
  /** DATA that neither ends the request nor brings more than a few bytes of it. */
  smallData: 1,
  /** A frame for a stream that is closed. */
  lateFrame: 1,
  /** A stream that the peer reset before its answer. */
  reset: 2,
  /** A stream that had to be reset: refused, malformed. */
  streamError: 5,
} as const

export type Costly = keyof typeof costs

/** DATA of fewer bytes is small. */
export const smallDataBytes = 64

export type Patience = {
  /** False: it is at its end. `now` in ms. */
  spend(what: Costly, now: number): boolean
  answered(): void
}

export function createPatience({ most, perSecond, perAnswer }: Limits['patience'], begin: number): Patience {
  let left = most
  let since = begin
  return {
    spend(what, now) {
      left = Math.min(most, left + (Math.max(0, now - since) / 1000) * perSecond)
      since = now
      left -= costs[what]
      return left >= 0
    },
    answered() {
      left = Math.min(most, left + perAnswer)
    },
  }
}

/** A number of bytes that several share. */
export type Budget = {
  /** False: so much is not left, and nothing was taken. */
  take(bytes: number): boolean
  give(bytes: number): void
  readonly taken: number
}

export function createBudget(most: number): Budget {
  let taken = 0
  return {
    take(bytes) {
      if (taken + bytes > most) return false
      taken += bytes
      return true
    },
    give(bytes) {
      taken -= bytes
    },
    get taken() {
      return taken
    },
  }
}
