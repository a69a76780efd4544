// Puts a header block together from HEADERS and CONTINUATION (RFC 9113 sections 4.3, 6.2 and 6.10). The usual block is one frame and
// is read where it lies. The number of frames is bounded, and with it what an endless block can cost (section 10.5).
import { ConnectionError, flag, frameType } from './frames.ts'
import type { Frame } from './frame-reader.ts'

export type Block = {
  readonly stream: number
  readonly endStream: boolean
  /** The stream that the PRIORITY part names; it may not be the stream itself. */
  readonly dependsOn: number | undefined
  bytes: Buffer
  start: number
  end: number
}

export type BlockReader = {
  /** A block is open: nothing but its CONTINUATION may come. */
  readonly open: boolean
  /** Takes HEADERS or CONTINUATION; returns the block once it is whole. Throws ConnectionError. */
  take(frame: Frame): Block | undefined
}

const broken = (reason: string): never => {
  throw new ConnectionError('protocolError', reason)
}

/** Where the payload begins and ends without its padding (RFC 9113 section 6.1). */
export function withoutPadding(frame: Frame): { readonly start: number; readonly end: number } {
  const { flags, bytes, start, end } = frame
  if ((flags & flag.padded) === 0) return { start, end }
  if (start === end)
    throw new ConnectionError('frameSizeError', 'a padded frame without a length of its padding')
  const padding = bytes.readUInt8(start)
  if (padding > end - start - 1) broken('more padding than frame')
  return { start: start + 1, end: end - padding }
}

const priorityBytes = 5

function readHeaders(frame: Frame): Block {
  const { stream, flags, bytes } = frame
  const { start, end } = withoutPadding(frame)
  const block = { stream, endStream: (flags & flag.endStream) !== 0, bytes, end }
  if ((flags & flag.priority) === 0) return { ...block, dependsOn: undefined, start }
  if (end - start < priorityBytes)
    throw new ConnectionError('frameSizeError', 'HEADERS without their priority')
  return { ...block, dependsOn: bytes.readUInt32BE(start) & 0x7fff_ffff, start: start + priorityBytes }
}

export function createBlockReader(maxContinuations: number): BlockReader {
  let block: Block | undefined
  let parts: Buffer[] = []

  return {
    get open() {
      return block !== undefined
    },
    take(frame) {
      if (frame.type === frameType.headers) {
        const begun = readHeaders(frame)
        if (frame.flags & flag.endHeaders) return begun
        block = begun
        parts = [begun.bytes.subarray(begun.start, begun.end)]
        return undefined
      }
      if (block === undefined || block.stream !== frame.stream)
        return broken('CONTINUATION of no header block that is open')
      if (parts.length > maxContinuations)
        throw new ConnectionError('enhanceYourCalm', 'a header block in too many frames')
      parts.push(frame.bytes.subarray(frame.start, frame.end))
      if ((frame.flags & flag.endHeaders) === 0) return undefined
      const whole = block
      whole.bytes = Buffer.concat(parts)
      whole.start = 0
      whole.end = whole.bytes.length
      block = undefined
      parts = []
      return whole
    },
  }
}
