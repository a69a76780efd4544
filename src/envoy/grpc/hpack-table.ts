// The two tables of HPACK (RFC 7541 section 2.3): the static one of appendix A, and the dynamic one that a client fills.
import { type Field, fieldOf } from './hpack-field.ts'

const staticFields = `
:authority
:method|GET
:method|POST
:path|/
:path|/index.html
:scheme|http
:scheme|https
:status|200
:status|204
:status|206
:status|304
:status|400
:status|404
:status|500
accept-charset
accept-encoding|gzip, deflate
accept-language
accept-ranges
accept
access-control-allow-origin
age
allow
authorization
cache-control
content-disposition
content-encoding
content-language
content-length
content-location
content-range
content-type
cookie
date
etag
expect
expires
from
host
if-match
if-modified-since
if-none-match
if-range
if-unmodified-since
last-modified
link
location
max-forwards
proxy-authenticate
proxy-authorization
range
referer
refresh
retry-after
server
set-cookie
strict-transport-security
transfer-encoding
user-agent
vary
via
www-authenticate`

/** Index 1 is the first. */
export const staticTable: readonly Field[] = staticFields
  .trim()
  .split('\n')
  .map((line) => {
    const [name = '', value = ''] = line.split('|')
    return fieldOf(name, value)
  })

/** Bytes of the dynamic table that a client may use; the default, so no SETTINGS tells it (RFC 9113 section 6.5.2). */
export const maxTableBytes = 4096

/** Entries that fit: the smallest has 32 bytes. A power of two, so that the ring's index is a mask. */
const capacity = maxTableBytes / 32

export type DynamicTable = {
  /** 0 is the newest; undefined: there are not so many. */
  at(index: number): Field | undefined
  /** Makes room by letting go of the oldest; a field larger than the table empties it (RFC 7541 section 4.4). */
  add(field: Field): void
  /** Bytes from now on, at most `maxTableBytes` (RFC 7541 section 4.3). */
  resize(bytes: number): void
  readonly entries: readonly Field[]
}

export function createDynamicTable(): DynamicTable {
  const ring = Array.from<Field | undefined>({ length: capacity })
  /** Where the next goes. */
  let next = 0
  let count = 0
  let bytes = 0
  let limit = maxTableBytes

  const shrinkTo = (wanted: number): void => {
    while (bytes > wanted) {
      const oldest = (next - count) & (capacity - 1)
      bytes -= ring[oldest]?.size ?? 0
      ring[oldest] = undefined
      count--
    }
  }
  const at = (index: number): Field | undefined =>
    index < count ? ring[(next - 1 - index) & (capacity - 1)] : undefined

  return {
    at,
    add(field) {
      shrinkTo(Math.max(0, limit - field.size))
      if (field.size > limit) return
      ring[next] = field
      next = (next + 1) & (capacity - 1)
      count++
      bytes += field.size
    },
    resize(wanted) {
      limit = wanted
      shrinkTo(limit)
    },
    get entries() {
      return Array.from({ length: count }, (_, index) => at(index)).filter((field) => field !== undefined)
    },
  }
}
