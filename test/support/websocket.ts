// The server's side of a WebSocket, as much of RFC 6455 as short text frames need: it says back what it is told.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

const textFrame = (text: Buffer): Buffer => Buffer.concat([Buffer.from([0x81, text.length]), text])

/** Undefined: more has to come. Clients mask what they send. */
function readFrame(
  bytes: Buffer,
): { readonly opcode: number; readonly text: Buffer; readonly end: number } | undefined {
  const length = (bytes[1] ?? 0) & 0x7f
  const end = 6 + length
  if (bytes.length < end) return undefined
  const mask = bytes.subarray(2, 6)
  const text = Buffer.from(bytes.subarray(6, end).map((byte, i) => byte ^ (mask[i % 4] ?? 0)))
  return { opcode: (bytes[0] ?? 0) & 0x0f, text, end }
}

const close = 8

/** For `upgrade` of an HTTP server. Greets first, so that a test sees a frame that no client asked for. */
export function acceptWebSocket({ headers }: IncomingMessage, socket: Duplex): void {
  const accept = acceptOf(headers['sec-websocket-key'] ?? '')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.write(textFrame(Buffer.from('hello')))
  let pending = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    for (let frame = readFrame(pending); frame; frame = readFrame(pending)) {
      pending = pending.subarray(frame.end)
      if (frame.opcode === close) socket.end(Buffer.from([0x88, 0]))
      else socket.write(textFrame(Buffer.from(`you said ${frame.text.toString()}`)))
    }
  })
  socket.on('error', () => socket.destroy())
}
