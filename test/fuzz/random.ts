// Chance for tests: a small, fast generator that gives the same numbers for the same seed. Every input has a generator of
// its own, made of the run's seed and the input's number, so that one input of millions can be made again alone.

export type Random = {
  /** A whole number from 0 to `limit` - 1; 0 for a limit below 2. */
  below(limit: number): number
  /** True once in `times`. */
  oneIn(times: number): boolean
  /** Throws on an empty list. */
  pick<T>(list: readonly T[]): T
}

/** Mixes a number into a state of 32 bits (the finaliser of MurmurHash3). */
function mixed(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** sfc32, seeded by the run and the number of the input. */
export function createRandom(seed: number, index = 0): Random {
  let a = mixed(seed ^ 0x9e3779b9)
  let b = mixed(index ^ 0x243f6a88)
  let c = mixed(seed + Math.imul(index, 0x01000193))
  let counter = 1
  const next = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return t >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  const below = (limit: number): number => (limit < 2 ? 0 : next() % Math.floor(limit))
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick(list) {
      const item = list[below(list.length)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
  }
}
