// Undoes content-encoding for inspection (spec pipeline 1.8). Output is bounded before it is made, so that a small body
// cannot become a large one; of a larger one the beginning is kept.
import {
  type ZlibOptions,
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
} from 'node:zlib'

export type Decoded =
  | { readonly kind: 'plain'; readonly bytes: Uint8Array; readonly cut: boolean }
  /** A coding that Weir does not undo. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly coding: string }

/** `whole` false: what is broken off is read as far as it goes. */
type Undo = (bytes: Uint8Array, limit: number, whole: boolean) => Uint8Array

const optionsOf = (limit: number, whole: boolean): ZlibOptions => ({
  maxOutputLength: limit,
  finishFlush: whole ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
})

/** The standard says zlib; some senders mean the bare stream. */
function inflate(bytes: Uint8Array, limit: number, whole: boolean): Uint8Array {
  const first = bytes[0] ?? 0
  const wrapped = (first & 0x0f) === 8 && (first * 256 + (bytes[1] ?? 0)) % 31 === 0
  return (wrapped ? inflateSync : inflateRawSync)(bytes, optionsOf(limit, whole))
}

const gunzip: Undo = (bytes, limit, whole) => gunzipSync(bytes, optionsOf(limit, whole))

const unbrotli: Undo = (bytes, limit, whole) =>
  brotliDecompressSync(bytes, {
    maxOutputLength: limit,
    finishFlush: whole ? constants.BROTLI_OPERATION_FINISH : constants.BROTLI_OPERATION_FLUSH,
  })

const codings: ReadonlyMap<string, Undo> = new Map([
  ['gzip', gunzip],
  ['x-gzip', gunzip],
  ['deflate', inflate],
  ['br', unbrotli],
])

/** Times that a body may grow (spec pipeline 1.10). */
const largestGrowth = 100
const mostCodings = 3

type Undone = { readonly bytes: Uint8Array; readonly cut: boolean } | undefined

const isTooLarge = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'

/** zlib gives nothing of an output that is too large, so the input is cut until what it yields fits. */
function undoBounded(undo: Undo, bytes: Uint8Array, limit: number, whole: boolean): Undone {
  for (let length = bytes.length; length > 0; length >>>= 3) {
    try {
      return {
        bytes: undo(bytes.subarray(0, length), limit, whole && length === bytes.length),
        cut: length < bytes.length,
      }
    } catch (error) {
      // zlib has no other way to say that the data is bad; the caller reports it.
      if (!isTooLarge(error))
        return length < bytes.length ? { bytes: new Uint8Array(0), cut: true } : undefined
    }
  }
  return { bytes: new Uint8Array(0), cut: true }
}

/**
 * Undoes the codings that a `content-encoding` value lists, the last one first. At most `limit` bytes come out, and
 * at most 100 times the bytes given. `whole`: nothing of the body is missing, so that one that breaks off is malformed.
 */
export function undoCodings(
  bytes: Uint8Array,
  contentEncoding: string | undefined,
  limit: number,
  whole: boolean,
): Decoded {
  const listed = (contentEncoding ?? '').toLowerCase().split(',', mostCodings + 1)
  const names = listed.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity')
  if (names.length > mostCodings) return { kind: 'unknown' }
  const bound = Math.max(1, Math.min(limit, bytes.length * largestGrowth))
  let current = bytes
  let cut = false
  for (const name of names.toReversed()) {
    const undo = codings.get(name)
    if (undo === undefined) return { kind: 'unknown' }
    const undone = undoBounded(undo, current, bound, whole && !cut)
    if (undone === undefined) return { kind: 'malformed', coding: name }
    current = undone.bytes
    cut ||= undone.cut
  }
  return { kind: 'plain', bytes: current, cut }
}
