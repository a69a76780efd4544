// Identity of events: UUIDv7 (RFC 9562), whose order is that of the requests, so that stores can sort by it.
import { randomFillSync } from 'node:crypto'

const idBytes = 10

/** Random bytes for 256 ids; asking the system for each would cost as much as everything else about an event. */
const pool = Buffer.alloc(256 * idBytes)
/** The same in hexadecimal, of which `used` characters are gone. */
let digits = ''
let used = 0

function refill(): void {
  randomFillSync(pool)
  for (let at = 0; at < pool.length; at += idBytes) {
    // Version 7, variant 2.
    pool[at] = ((pool[at] ?? 0) & 0x0f) | 0x70
    pool[at + 2] = ((pool[at + 2] ?? 0) & 0x3f) | 0x80
  }
  digits = pool.toString('hex')
  used = 0
}

/** `ms`: milliseconds since the epoch. */
export function eventId(ms: number): string {
  if (used === digits.length) refill()
  const random = digits.slice(used, (used += 2 * idBytes))
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0').slice(-12)
  return `${time.slice(0, 8)}-${time.slice(8)}-${random.slice(0, 4)}-${random.slice(4, 8)}-${random.slice(8)}`
}
