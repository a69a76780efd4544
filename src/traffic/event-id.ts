// Identity of events: UUIDv7 (RFC 9562), whose order is that of the requests, so that stores can sort by it.
import { randomFillSync } from 'node:crypto'

/** Random bytes for 256 ids; asking the system for each would cost as much as everything else about an event. */
const pool = Buffer.alloc(256 * 10)
let used = pool.length

/** `ms`: milliseconds since the epoch. */
export function eventId(ms: number): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, (used += 10))
  random[0] = ((random[0] ?? 0) & 0x0f) | 0x70
  random[2] = ((random[2] ?? 0) & 0x3f) | 0x80
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0').slice(-12) + random.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
