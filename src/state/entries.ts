// The entries of the state in memory: key, kind, value and end, bounded in number. A million counters are columns of numbers
// and one string each, not a million objects, so that the garbage collector has little to walk over; the columns grow by pages
// and the key tables are split, so that no single request pays for copying or rehashing everything.
import { codeAt } from '#platform'
import { type ExpiryWheel, expiryWheel } from './expiry-wheel.ts'
import { ownedCopy } from './key.ts'

export const kinds = { count: 0, distinct: 1, ban: 2, sequence: 3, bucket: 4 } as const
export type Kind = (typeof kinds)[keyof typeof kinds]
const kindCount = 5

const pageBits = 13
const pageSize = 1 << pageBits
const pageMask = pageSize - 1

function newPage(size: number) {
  return {
    keys: Array.from({ length: size }, () => ''),
    kinds: new Uint8Array(size),
    ends: new Float64Array(size),
    values: new Float64Array(size),
    times: new Float64Array(size),
    links: new Int32Array(size),
  }
}
type Page = ReturnType<typeof newPage>

/** Tables by kind and by the end of the key. A power of two. */
const splits = 256

/** Spreads keys over the tables by their last characters, where addresses and session ids differ. */
function splitOf(key: string): number {
  const { length } = key
  let sum = length
  for (let i = Math.max(0, length - 8); i < length; i++) sum = Math.imul(sum, 31) + codeAt(key, i)
  return (sum ^ (sum >>> 11)) & (splits - 1)
}

/** Refreshed entries that an eviction may pass over before it takes what it has. */
const evictionTries = 16
/** Entries taken out per step of sweeping: more than a step can add, so that sweeping keeps up. */
const sweepStep = 4

export type Entries = {
  /** The live entry of a key; -1: there is none. */
  find(kind: Kind, key: string, now: number): number
  /** Opens an entry anew: value 0, no members, ends at `end`. What an ended one held is gone. */
  open(kind: Kind, key: string, end: number): number
  value(entry: number): number
  setValue(entry: number, value: number): void
  /** A second number: when a leaky bucket last accepted. */
  time(entry: number): number
  setTime(entry: number, time: number): void
  setEnd(entry: number, end: number): void
  /** Adds a member and returns how many there are; from `limit` on the number stands still. */
  addMember(entry: number, member: string, limit: number): number
  /** Removes a few ended entries. */
  sweep(now: number): void
  /** Drops what is too much; entries nearest their end go first. */
  trim(now: number): void
  has(kind: Kind): boolean
  stats(): { readonly keys: number; readonly members: number; readonly evictions: number }
}

/** Holds up to `max` entries and members of sets together. `start` is the clock's time now. */
export function openEntries(max: number, start: number): Entries {
  const pages: Page[] = []
  const tables: (Map<string, number> | undefined)[] = Array.from({ length: splits * kindCount })
  const sets = new Map<number, Set<string>>()
  const sizes = new Int32Array(kindCount)
  let created = 0
  /** Free entries are linked like those of a bucket; `entry + 1`, 0 for none. */
  let free = 0
  let keys = 0
  let members = 0
  let evictions = 0

  const spare = newPage(0)
  const page = (entry: number): Page => pages[entry >>> pageBits] ?? spare
  const links = {
    next: (entry: number): number => page(entry).links[entry & pageMask] ?? 0,
    link: (entry: number, next: number) => {
      page(entry).links[entry & pageMask] = next
    },
  }
  const wheel: ExpiryWheel = expiryWheel(start, links)
  const endOf = (entry: number): number => page(entry).ends[entry & pageMask] ?? 0
  const tableOf = (kind: number, key: string): number => kind * splits + splitOf(key)

  const allocate = (): number => {
    if (free !== 0) {
      const entry = free - 1
      free = links.next(entry)
      return entry
    }
    if (created === pages.length * pageSize) pages.push(newPage(pageSize))
    return created++
  }
  const dropMembers = (entry: number): void => {
    const set = sets.get(entry)
    if (set === undefined) return
    members -= set.size
    sets.delete(entry)
  }
  const remove = (entry: number): void => {
    const at = page(entry)
    const place = entry & pageMask
    const kind = at.kinds[place] ?? 0
    const key = at.keys[place] ?? ''
    tables[tableOf(kind, key)]?.delete(key)
    at.keys[place] = ''
    dropMembers(entry)
    links.link(entry, free)
    free = entry + 1
    keys--
    sizes[kind] = (sizes[kind] ?? 1) - 1
  }
  const evict = (now: number): boolean => {
    for (let tries = 1; ; tries++) {
      const bound = wheel.nearestEnd()
      const entry = wheel.takeNearest()
      if (entry === -1) return false
      const end = endOf(entry)
      // It lives longer than it was filed for: others are nearer to their end.
      if (end >= bound && tries < evictionTries) wheel.file(entry, end)
      else {
        remove(entry)
        if (end > now) evictions++
        return true
      }
    }
  }
  const overfull = (): boolean => keys + members > max
  const create = (kind: Kind, key: string): number => {
    const entry = allocate()
    const owned = ownedCopy(key)
    const table = tableOf(kind, owned)
    const map = (tables[table] ??= new Map())
    map.set(owned, entry)
    const at = page(entry)
    at.keys[entry & pageMask] = owned
    at.kinds[entry & pageMask] = kind
    keys++
    sizes[kind] = (sizes[kind] ?? 0) + 1
    return entry
  }

  return {
    find(kind, key, now) {
      const entry = tables[tableOf(kind, key)]?.get(key)
      return entry !== undefined && now < endOf(entry) ? entry : -1
    },
    open(kind, key, end) {
      const known = tables[tableOf(kind, key)]?.get(key)
      const entry = known ?? create(kind, key)
      const at = page(entry)
      const place = entry & pageMask
      at.ends[place] = end
      at.values[place] = 0
      at.times[place] = 0
      if (known === undefined) wheel.file(entry, end)
      else dropMembers(entry)
      return entry
    },
    value: (entry) => page(entry).values[entry & pageMask] ?? 0,
    setValue: (entry, value) => {
      page(entry).values[entry & pageMask] = value
    },
    time: (entry) => page(entry).times[entry & pageMask] ?? 0,
    setTime: (entry, time) => {
      page(entry).times[entry & pageMask] = time
    },
    setEnd: (entry, end) => {
      page(entry).ends[entry & pageMask] = end
    },
    addMember(entry, member, limit) {
      let set = sets.get(entry)
      if (set === undefined) sets.set(entry, (set = new Set()))
      if (set.size < limit && !set.has(member)) {
        set.add(ownedCopy(member))
        members++
      }
      return set.size
    },
    sweep(now) {
      for (let i = 0; i < sweepStep; i++) {
        const entry = wheel.takeDue(now)
        if (entry === -1) return
        const end = endOf(entry)
        if (now < end) wheel.file(entry, end)
        else remove(entry)
      }
    },
    trim(now) {
      while (overfull()) if (!evict(now)) return
    },
    has: (kind) => sizes[kind] !== 0,
    stats: () => ({ keys, members, evictions }),
  }
}
