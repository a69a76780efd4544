// The arithmetic that memory and Redis share word for word; the scripts in `scripts.ts` repeat it in Lua and the contract
// suite compares them.

/** Members up to which a distinct set grows; then its size stands still, which is over any sensible limit. */
export const maxMembers = 100_000

/**
 * Excess of a leaky bucket after one more request, in thousandths of a request (spec pipeline 4.6): with whole rates and
 * milliseconds every step is exact, so "10 ms apart at 100 a second" is accepted and 9 ms is not.
 */
export const leak = (excess: number, ratePerSecond: number, elapsedMs: number): number =>
  Math.max(0, excess - ratePerSecond * elapsedMs + 1000)

const longestKeepMs = 86_400_000

/** Milliseconds after which a bucket that accepted now is as good as a new one: between 1 ms and a day. */
export const bucketKeepMs = (excess: number, ratePerSecond: number): number =>
  ratePerSecond > 0
    ? Math.min(longestKeepMs, Math.max(1, Math.ceil((excess + 1000) / ratePerSecond)))
    : longestKeepMs
