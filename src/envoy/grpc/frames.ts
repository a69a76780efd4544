// The words of HTTP/2's framing layer (RFC 9113, sections 4, 6 and 7) and how frames are written. Reading them is
// frame-reader.ts, what they mean is connection.ts.

/** RFC 9113 section 6, in the order of their numbers. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const

/** RFC 9113 section 7. */
export const errorCode = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const

export type ErrorCode = keyof typeof errorCode

/** RFC 9113 section 6.5.2. */
export const settingId = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const

/** What a client sends first (RFC 9113 section 3.4). */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

/** Bytes of a frame's head (RFC 9113 section 4.1). */
export const headBytes = 9
/** The largest payload that either side sends: nobody is told of another limit (RFC 9113 section 4.2). */
export const maxFrameBytes = 16_384
/** Initial size of every flow-control window (RFC 9113 section 6.9.2). */
export const defaultWindow = 65_535
/** The largest window and the largest stream id. */
export const max31 = 0x7fff_ffff

/** The peer broke the protocol; the connection ends with this code (RFC 9113 section 5.4.1). */
export class ConnectionError extends Error {
  readonly code: ErrorCode
  constructor(code: ErrorCode, message: string) {
    super(message)
    this.name = 'ConnectionError'
    this.code = code
  }
}

/** Writes a frame's head and returns where its payload begins. */
export function writeHead(
  into: Buffer,
  at: number,
  { length, type, flags = 0, stream = 0 }: { length: number; type: number; flags?: number; stream?: number },
): number {
  into.writeUIntBE(length, at, 3)
  into[at + 3] = type
  into[at + 4] = flags
  into.writeUInt32BE(stream, at + 5)
  return at + headBytes
}

function frame(head: { type: number; flags?: number; stream?: number }, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + payload.length)
  payload.copy(bytes, writeHead(bytes, 0, { ...head, length: payload.length }))
  return bytes
}

const word = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** RFC 9113 section 6.5 */
export function settingsFrame(values: Readonly<Partial<Record<keyof typeof settingId, number>>>): Buffer {
  const payload = Buffer.allocUnsafe(6 * Object.keys(values).length)
  let at = 0
  for (const [name, id] of Object.entries(settingId)) {
    const value = values[name as keyof typeof settingId]
    if (value === undefined) continue
    at = payload.writeUInt32BE(value, payload.writeUInt16BE(id, at))
  }
  return frame({ type: frameType.settings }, payload)
}

export const settingsAck = frame({ type: frameType.settings, flags: flag.ack }, Buffer.alloc(0))

/** RFC 9113 section 6.7; eight bytes of the sender's choice. */
export const pingFrame = (data: Buffer, kind: 'question' | 'answer'): Buffer =>
  frame({ type: frameType.ping, flags: kind === 'answer' ? flag.ack : 0 }, data)

/** RFC 9113 section 6.4 */
export const resetFrame = (stream: number, code: ErrorCode): Buffer =>
  frame({ type: frameType.rstStream, stream }, word(errorCode[code]))

/** RFC 9113 section 6.8: streams above `last` were not and will not be worked on. The reason is for people. */
export const goawayFrame = (last: number, code: ErrorCode, reason = ''): Buffer =>
  frame({ type: frameType.goaway }, Buffer.concat([word(last), word(errorCode[code]), Buffer.from(reason)]))

/** RFC 9113 section 6.9; stream 0 is the connection. */
export const windowUpdateFrame = (stream: number, increment: number): Buffer =>
  frame({ type: frameType.windowUpdate, stream }, word(increment))
