// Requests as bytes, for what no HTTP client would send: HTTP/1 heads as written, HTTP/2 frames made by hand.
import { connect } from 'node:net'

export type Outcome = {
  /** Statuses of the answers, in order; HTTP/2: only that of the stream, as far as it is in the static table. */
  readonly statuses: readonly number[]
  readonly text: string
  readonly ended: 'closed' | 'reset' | 'idle'
}

/** Milliseconds without a byte after which nothing more is expected, once all has come that was. */
const quietMs = 250
/** Milliseconds for what is expected. */
const patienceMs = 30_000

type Seen = 'more is expected' | 'all that is expected' | 'the end'

/** Sends bytes and reads until the peer closes, or falls silent when all has come that was expected. */
function exchange(port: number, bytes: Buffer, see: (received: Buffer) => Seen): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1')
    let timer: NodeJS.Timeout | undefined
    const finish = (ended: Outcome['ended']): void => {
      clearTimeout(timer)
      socket.destroy()
      const text = Buffer.concat(chunks).toString('latin1')
      resolve({ statuses: statusesIn(text), text, ended })
    }
    const look = (): void => {
      clearTimeout(timer)
      const seen = see(Buffer.concat(chunks))
      if (seen === 'the end') finish('closed')
      else timer = setTimeout(() => finish('idle'), seen === 'more is expected' ? patienceMs : quietMs)
    }
    socket.on('connect', () => {
      socket.write(bytes)
      look()
    })
    socket.on('data', (chunk) => {
      chunks.push(chunk)
      look()
    })
    socket.on('close', () => finish('closed'))
    socket.on('error', () => finish('reset'))
  })
}

const statusesIn = (text: string): readonly number[] =>
  [...text.matchAll(/(?:^|\n|\w)HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))

/** HTTP/1 as written; the connection is read to its end, or until nothing follows so many answers. */
export const sendBytes = (port: number, bytes: Buffer, answers = 1): Promise<Outcome> =>
  exchange(port, bytes, (received) =>
    statusesIn(received.toString('latin1')).length < answers ? 'more is expected' : 'all that is expected',
  )

export type FieldLine = readonly [name: string, value: string]

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const types = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 } as const
const endStream = 1
const endHeaders = 4

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** An HPACK integer with a prefix of 7 bits, as lengths have. */
function hpackLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length])
  const bytes = [127]
  let rest = length - 127
  for (; rest >= 128; rest >>= 7) bytes.push((rest & 127) | 128)
  return Buffer.from([...bytes, rest])
}

/** Literal, not indexed, not Huffman-coded: bytes arrive as written, whatever they are. */
const literal = ([name, value]: FieldLine): Buffer => {
  const parts = [name, value].map((text) => Buffer.from(text, 'latin1'))
  return Buffer.concat([Buffer.from([0]), ...parts.flatMap((part) => [hpackLength(part.length), part])])
}

export type Stream = {
  readonly fields: readonly FieldLine[]
  readonly body?: string
  readonly trailers?: readonly FieldLine[]
}

/** One request on stream 1 of an HTTP/2 connection without TLS. */
export function http2Bytes({ fields, body, trailers }: Stream): Buffer {
  const block = (lines: readonly FieldLine[], last: boolean): Buffer =>
    frame(types.headers, endHeaders | (last ? endStream : 0), 1, Buffer.concat(lines.map(literal)))
  return Buffer.concat([
    Buffer.from(preface),
    frame(types.settings, 0, 0, Buffer.alloc(0)),
    block(fields, body === undefined && trailers === undefined),
    ...(body === undefined
      ? []
      : [frame(types.data, trailers === undefined ? endStream : 0, 1, Buffer.from(body, 'latin1'))]),
    ...(trailers === undefined ? [] : [block(trailers, true)]),
  ])
}

/** Whether the stream or the connection has ended. */
function streamEnded(received: Buffer): boolean {
  for (let at = 0; at + 9 <= received.length;) {
    const length = received.readUIntBE(at, 3)
    if (at + 9 + length > received.length) return false
    const type = received[at + 3]
    const flags = received[at + 4] ?? 0
    const stream = received.readUInt32BE(at + 5) & 0x7fffffff
    if (type === types.goaway || (stream === 1 && type === types.reset)) return true
    if (stream === 1 && (type === types.data || type === types.headers) && (flags & endStream) !== 0)
      return true
    at += 9 + length
  }
  return false
}

export const sendStream = (port: number, stream: Stream): Promise<Outcome> =>
  exchange(port, http2Bytes(stream), (received) => (streamEnded(received) ? 'the end' : 'more is expected'))
