// The frames of answers (gRPC over HTTP/2, "Responses"). Header blocks name nothing in a dynamic table (RFC 7541 section 6.2.2), so
// they are the same bytes for every call of every connection: made once, copied, and given the stream's number.
import { flag, frameType, headBytes, writeHead } from './frames.ts'
import type { Outbox } from './outbox.ts'
import { type Status, statusNumber } from './status.ts'

/** The static table's indexes of the names used here (RFC 7541 appendix A). */
const name = { status: 8, contentLength: 28, contentType: 31 } as const
/** `:status 200` whole. */
const status200 = 0x88

/** A length whose prefix has 7 bits (RFC 7541 section 5.1); texts here have less than 16,384 bytes. */
const lengthOf = (length: number): readonly number[] =>
  length < 127
    ? [length]
    : length - 127 < 128
      ? [127, length - 127]
      : [127, ((length - 127) & 127) | 128, (length - 127) >> 7]

const text = (value: string): readonly number[] => [
  ...lengthOf(value.length),
  ...Buffer.from(value, 'latin1'),
]

/** A literal field without indexing. */
const field = (key: number | string, value: string): readonly number[] => [
  ...(typeof key === 'string' ? [0, ...text(key)] : key < 15 ? [key] : [15, key - 15]),
  ...text(value),
]

const contentType = field(name.contentType, 'application/grpc')

function headers(end: 'last' | 'more', block: readonly number[]): Buffer {
  const bytes = Buffer.alloc(headBytes + block.length)
  const flags = flag.endHeaders | (end === 'last' ? flag.endStream : 0)
  bytes.set(block, writeHead(bytes, 0, { length: block.length, type: frameType.headers, flags }))
  return bytes
}

const dataHead = Buffer.alloc(headBytes)
writeHead(dataHead, 0, { length: 0, type: frameType.data })

const begin = headers('more', [status200, ...contentType])
const trailers = headers('last', field('grpc-status', '0'))
const prefixBytes = 5
/** HEADERS, the head of DATA, and the message's prefix. */
const upToMessage = Buffer.concat([begin, dataHead, Buffer.alloc(prefixBytes)])
const dataAt = begin.length
const prefixAt = dataAt + headBytes

/** Bytes of DATA that a message needs. */
export const dataBytes = (message: Uint8Array): number => prefixBytes + message.length

/** The whole answer of a call: for messages that fit a frame and the windows. */
export function writeAnswer(outbox: Outbox, stream: number, message: Uint8Array): void {
  const { length } = message
  let at = outbox.reserve(upToMessage.length + length + trailers.length)
  const { slab } = outbox
  slab.set(upToMessage, at)
  slab.writeUInt32BE(stream, at + 5)
  slab.writeUIntBE(prefixBytes + length, at + dataAt, 3)
  slab.writeUInt32BE(stream, at + dataAt + 5)
  slab.writeUInt32BE(length, at + prefixAt + 1)
  at += upToMessage.length
  slab.set(message, at)
  at += length
  slab.set(trailers, at)
  slab.writeUInt32BE(stream, at + 5)
}

function writeFor(outbox: Outbox, stream: number, frame: Buffer): void {
  const at = outbox.reserve(frame.length)
  outbox.slab.set(frame, at)
  outbox.slab.writeUInt32BE(stream, at + 5)
}

/** The beginning and the end of an answer whose message has to be cut. */
export const writeBegin = (outbox: Outbox, stream: number): void => writeFor(outbox, stream, begin)
export const writeTrailers = (outbox: Outbox, stream: number): void => writeFor(outbox, stream, trailers)

/** The message with its prefix, as the body that `writeData` sends piece by piece. */
export function bodyOf(message: Uint8Array): Buffer {
  const body = Buffer.allocUnsafe(dataBytes(message))
  body[0] = 0
  body.writeUInt32BE(message.length, 1)
  body.set(message, prefixBytes)
  return body
}

export function writeData(outbox: Outbox, stream: number, piece: Buffer, end: 'last' | 'more'): void {
  const at = outbox.reserve(headBytes + piece.length)
  const flags = end === 'last' ? flag.endStream : 0
  outbox.slab.set(
    piece,
    writeHead(outbox.slab, at, { length: piece.length, type: frameType.data, flags, stream }),
  )
}

const mostMessageBytes = 512

/** grpc-message is UTF-8 in which all but printable ASCII is percent-encoded (gRPC over HTTP/2, "Responses"). */
function statusMessage(message: string): string {
  let encoded = ''
  for (const byte of Buffer.from(message).subarray(0, mostMessageBytes))
    encoded +=
      byte < 0x20 || byte > 0x7e || byte === 0x25
        ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
        : String.fromCharCode(byte)
  return encoded
}

/** An answer of trailers only. */
export function writeStatus(outbox: Outbox, stream: number, status: Status, message: string): void {
  const block = [
    status200,
    ...contentType,
    ...field('grpc-status', String(statusNumber[status])),
    ...field('grpc-message', statusMessage(message)),
    ...(status === 'UNIMPLEMENTED' ? field('grpc-accept-encoding', 'identity') : []),
  ]
  writeFor(outbox, stream, headers('last', block))
}

/** The beginning of an answer to who does not speak gRPC. */
export function writeHttpStatus(
  outbox: Outbox,
  stream: number,
  status: number,
  { bytes, end }: { readonly bytes: number; readonly end: 'last' | 'more' },
): void {
  const block = [
    ...field(name.status, String(status)),
    ...field(name.contentType, 'text/plain'),
    ...field(name.contentLength, String(bytes)),
  ]
  writeFor(outbox, stream, headers(end, block))
}
