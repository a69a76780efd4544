// Time as a parameter: whatever needs "now" gets a Clock, so that tests and `weir inspect` can move it.

/** Milliseconds since the Unix epoch. */
export type Clock = { now(): number }

export const systemClock: Clock = { now: () => Date.now() }

/** A clock that stands still until it is moved. */
export function manualClock(start: number): Clock & { advance(ms: number): void } {
  let now = start
  return {
    now: () => now,
    advance(ms) {
      now += ms
    },
  }
}
