// Keys and values of counters come from requests, so their length is the client's choice. Long ones are replaced
// by a digest before they are kept: what a counter costs must not depend on what somebody sends.
import { hash } from 'node:crypto'

/** Characters up to which a text is kept as it is; an address, a session id or a user name stays readable in Redis. */
const readable = 120

/** The text itself, or `#` and the SHA-256 of a long one: at most 120 characters either way. */
export function boundedKey(text: string): string {
  return text.length <= readable ? text : `#${hash('sha256', text, 'base64url')}`
}

const scratch = Buffer.allocUnsafe(readable * 4)

/**
 * A copy that owns its characters. A key is usually glued from pieces of the request, and V8 keeps the pieces, and with
 * them the whole header block they were cut from, for as long as the key lives.
 */
export function ownedCopy(text: string): string {
  if (text.length > readable) return text
  const copy = scratch.toString('utf8', 0, scratch.write(text))
  // A lone surrogate does not survive UTF-8; such a text stays itself, or its counter would never be found again.
  return copy === text ? copy : text
}
