// When entries end, in buckets of a quarter of a second on one ring. Filing an entry, and finding the bucket that ends next,
// cost the same whatever the number of entries: there is no sorted structure and no sweep over everything.
// An entry is filed once and may live longer than filed (a bucket that leaks on, a window that began anew): whoever
// takes it out looks at its true end and files it again.

const tickMs = 250
/** 18 hours of ticks; what ends later is filed at the horizon and again from there. */
const ringSize = 2 ** 18

export type ExpiryWheel = {
  /** Files an entry (an integer from 0) that ends at `end`, in milliseconds of the clock. */
  file(entry: number, end: number): void
  /** Takes out one entry whose bucket ended before `now`; -1: there is none. */
  takeDue(now: number): number
  /** Takes out one entry of the bucket that ends next; -1: the wheel is empty. */
  takeNearest(): number
  /** The end of that bucket; entries that end later are filed too early in it. */
  nearestEnd(): number
}

/** The next entry of a bucket, kept by whoever keeps the entries; `next` is `entry + 1`, 0 for none. */
export type Links = { next(entry: number): number; link(entry: number, next: number): void }

const lowestBit = (word: number): number => 31 - Math.clz32(word & -word)

/** Which ring places hold something: one bit each, and one bit for each 32 of them. */
function occupancy() {
  const words = new Uint32Array(ringSize / 32)
  const summary = new Uint32Array(ringSize / 1024)

  /** The first occupied place from `from` up to the ring's end. */
  const firstFrom = (from: number): number => {
    const word = from >>> 5
    const here = (words[word] ?? 0) & (-1 << (from & 31))
    if (here !== 0) return word * 32 + lowestBit(here)
    const start = word + 1
    for (let i = start >>> 5, mask = -1 << (start & 31); i < summary.length; i++, mask = -1) {
      const group = (summary[i] ?? 0) & mask
      if (group === 0) continue
      const found = i * 32 + lowestBit(group)
      return found * 32 + lowestBit(words[found] ?? 0)
    }
    return -1
  }

  return {
    set(place: number) {
      const word = place >>> 5
      words[word] = (words[word] ?? 0) | (1 << (place & 31))
      summary[word >>> 5] = (summary[word >>> 5] ?? 0) | (1 << (word & 31))
    },
    clear(place: number) {
      const word = place >>> 5
      words[word] = (words[word] ?? 0) & ~(1 << (place & 31))
      if (words[word] === 0) summary[word >>> 5] = (summary[word >>> 5] ?? 0) & ~(1 << (word & 31))
    },
    firstFrom,
  }
}

export function expiryWheel(start: number, links: Links): ExpiryWheel {
  const heads = new Int32Array(ringSize)
  const occupied = occupancy()
  /** The tick before which the ring is empty; places are ticks modulo the ring, counted from here. */
  let cursor = Math.floor(start / tickMs)
  let size = 0

  const nearest = (): number => {
    const from = cursor % ringSize
    const found = occupied.firstFrom(from)
    if (found !== -1) return cursor + (found - from)
    return cursor + (occupied.firstFrom(0) + ringSize - from)
  }
  const take = (tick: number): number => {
    const place = tick % ringSize
    const head = heads[place] ?? 0
    const rest = links.next(head - 1)
    heads[place] = rest
    if (rest === 0) occupied.clear(place)
    size--
    return head - 1
  }

  return {
    file(entry, end) {
      const tick = Math.min(Math.max(Math.floor(end / tickMs), cursor), cursor + ringSize - 1)
      const place = tick % ringSize
      const head = heads[place] ?? 0
      links.link(entry, head)
      heads[place] = entry + 1
      if (head === 0) occupied.set(place)
      size++
    },
    takeDue(now) {
      const current = Math.floor(now / tickMs)
      if (size === 0) {
        cursor = Math.max(cursor, current)
        return -1
      }
      const tick = nearest()
      cursor = Math.max(cursor, Math.min(tick, current))
      return tick < current ? take(tick) : -1
    },
    takeNearest: () => (size === 0 ? -1 : take(nearest())),
    nearestEnd: () => (size === 0 ? Infinity : (nearest() + 1) * tickMs),
  }
}
