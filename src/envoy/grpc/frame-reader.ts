// Cuts what a socket delivers into frames (RFC 9113 section 4.1). A frame that lies whole in a chunk is handed on where it
// lies, without a copy; one that is cut in two is put together in a buffer of its own, which is never larger than a frame may be.
import { ConnectionError, clientPreface, headBytes, maxFrameBytes } from './frames.ts'

/** The one object that every frame is handed on in: it holds until the next. */
export type Frame = {
  type: number
  flags: number
  stream: number
  /** The payload is `bytes` from `start` to `end`; the bytes themselves are never written again. */
  bytes: Buffer
  start: number
  end: number
}

export type FrameReader = {
  /** Throws ConnectionError, also what `onFrame` throws; it is not to be used again then. */
  push(chunk: Buffer): void
}

const nothing = Buffer.alloc(0)

export function createFrameReader(onFrame: (frame: Frame) => void): FrameReader {
  const frame: Frame = { type: 0, flags: 0, stream: 0, bytes: nothing, start: 0, end: 0 }
  let prefaceSeen = 0
  /** A frame of which only a part has arrived: `have` bytes of it. */
  let partial = nothing
  let have = 0

  /** Bytes of the frame that begins at `at`, its head included. */
  const sizeAt = (bytes: Buffer, at: number): number => {
    const length = bytes.readUIntBE(at, 3)
    if (length > maxFrameBytes) throw new ConnectionError('frameSizeError', `a frame of ${length} bytes`)
    return headBytes + length
  }

  const deliver = (bytes: Buffer, at: number, size: number): void => {
    frame.type = bytes.readUInt8(at + 3)
    frame.flags = bytes.readUInt8(at + 4)
    frame.stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff
    frame.bytes = bytes
    frame.start = at + headBytes
    frame.end = at + size
    onFrame(frame)
  }

  /** Returns where the first frame begins. A peer that speaks something else is told at its first wrong byte. */
  const readPreface = (chunk: Buffer): number => {
    const seen = Math.min(chunk.length, clientPreface.length - prefaceSeen)
    if (clientPreface.compare(chunk, 0, seen, prefaceSeen, prefaceSeen + seen) !== 0)
      throw new ConnectionError('protocolError', 'this is no HTTP/2 client: the preface is missing')
    prefaceSeen += seen
    return seen
  }

  /** Goes on with the partial frame; returns where the next begins. */
  const complete = (chunk: Buffer, from: number): number => {
    let at = from
    for (;;) {
      const size = have < headBytes ? headBytes : sizeAt(partial, 0)
      if (have === size && size >= headBytes) {
        const whole = partial
        partial = nothing
        have = 0
        deliver(whole, 0, size)
        return at
      }
      if (at === chunk.length) return at
      if (partial.length < size) {
        const larger = Buffer.allocUnsafeSlow(size)
        partial.copy(larger, 0, 0, have)
        partial = larger
      }
      const copied = chunk.copy(partial, have, at, Math.min(chunk.length, at + size - have))
      have += copied
      at += copied
    }
  }

  return {
    push(chunk) {
      let at = prefaceSeen < clientPreface.length ? readPreface(chunk) : 0
      if (have > 0) at = complete(chunk, at)
      while (chunk.length - at >= headBytes) {
        const size = sizeAt(chunk, at)
        if (chunk.length - at < size) break
        deliver(chunk, at, size)
        at += size
      }
      if (at < chunk.length) complete(chunk, at)
    },
  }
}
