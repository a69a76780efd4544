// What Weir counts. One interface, so that a counter in this process and one in Redis are the same thing
// to a stage. A stage collects all it wants to know into one exchange (spec pipeline 4.5: one round trip).

/** How a counter bans its source: while a ban lasts the counter stands still (spec pipeline 4.5, Ban mode). */
export type Ban = {
  /** The source is banned once the count is greater than this. */
  readonly above: number
  readonly forMs: number
}

/**
 * One question to the state. Windows are fixed: they start with the first event of a key and end `windowMs`
 * later; an event at exactly the end opens the next one. The answer is one number per operation:
 *
 * - `count`: adds one event; the count after it, or `bannedAnswer` while the key is banned (nothing is counted then).
 * - `distinct`: adds a value to the key's set; the size of the set after it, or `bannedAnswer`.
 * - `banned`: 1 while the key is banned (by `count` or `distinct` of the same key), else 0.
 * - `sequence`: the request matched the steps `matched` (ascending, from 0) of a sequence of `steps` steps.
 *   Progress p starts at 0. If p is the last step and was matched: 1 (complete; p stays). Else, if p was matched,
 *   p becomes p+1, and the first advance starts the window. Otherwise nothing changes. Answer 0 unless complete.
 * - `bucket`: the leaky bucket of spec pipeline 4.6; 1 accepted, 0 refused.
 */
export type StateOperation =
  | { readonly kind: 'count'; readonly key: string; readonly windowMs: number; readonly ban?: Ban }
  | {
      readonly kind: 'distinct'
      readonly key: string
      readonly value: string
      readonly windowMs: number
      readonly ban?: Ban
    }
  | { readonly kind: 'banned'; readonly key: string }
  | {
      readonly kind: 'sequence'
      readonly key: string
      readonly matched: readonly number[]
      readonly steps: number
      readonly windowMs: number
    }
  | { readonly kind: 'bucket'; readonly key: string; readonly ratePerSecond: number; readonly burst: number }

/** The answer of `count` and `distinct` for a banned key. */
export const bannedAnswer = -1

export type Exchange = {
  /** One number per operation, in the order asked. */
  readonly answers: readonly number[]
  /** The shared store did not answer in time and local counters took over (tag `state:local`). */
  readonly local: boolean
}

export type State = {
  /**
   * Never rejects. Answers at once where no network is involved: do not await what is not a promise.
   * `waitedMs`: how long the same request has waited for the state before; the deadline is for all its exchanges together.
   */
  exchange(operations: readonly StateOperation[], waitedMs?: number): Exchange | Promise<Exchange>
  close(): Promise<void>
}
