// Answers within the peer's flow-control windows (RFC 9113 sections 5.2 and 6.9). The usual answer fits and is written at once;
// of one that does not fit, the rest waits on its stream until WINDOW_UPDATE or SETTINGS make room.
import {
  bodyOf,
  dataBytes,
  writeAnswer,
  writeBegin,
  writeData,
  writeHttpStatus,
  writeStatus,
  writeTrailers,
} from './answers.ts'
import { ConnectionError, defaultWindow, max31, maxFrameBytes } from './frames.ts'
import type { Outbox } from './outbox.ts'
import type { Refusal } from './status.ts'
import type { Stream } from './stream.ts'

export type Sender = {
  /** The window that new streams begin with (SETTINGS_INITIAL_WINDOW_SIZE of the peer). */
  readonly initialWindow: number
  /** Bytes of answers that wait for a window. */
  readonly blockedBytes: number
  answer(stream: Stream, message: Uint8Array): void
  refuse(stream: Stream, refusal: Refusal): void
  /** The stream was closed: what it had to send is dropped. */
  forget(stream: Stream): void
  /** WINDOW_UPDATE of the connection; throws ConnectionError. */
  widen(increment: number): void
  /** WINDOW_UPDATE of a stream; false: it is larger than a window may be. */
  widenStream(stream: Stream, increment: number): boolean
  /** SETTINGS_INITIAL_WINDOW_SIZE changes every stream's window, also below zero (RFC 9113 section 6.9.2). */
  setInitialWindow(size: number, streams: Iterable<Stream>): void
  /** Sends what fits by now. */
  pump(): void
}

/** @param onSent the last byte of a stream's answer has been handed to the outbox. */
export function createSender(outbox: Outbox, onSent: (stream: Stream) => void): Sender {
  let initialWindow = defaultWindow
  let window = defaultWindow
  let blockedBytes = 0
  /** In the order in which they began to wait. */
  const blocked = new Set<Stream>()
  let wider = false

  const forget = (stream: Stream): void => {
    if (stream.unsent === undefined) return
    blockedBytes -= stream.unsent.body.length - stream.unsent.at
    stream.unsent = undefined
    blocked.delete(stream)
  }

  const send = (stream: Stream): void => {
    const { unsent } = stream
    if (unsent === undefined) return
    const { body, last } = unsent
    while (unsent.at < body.length) {
      const size = Math.min(window, stream.sendWindow, maxFrameBytes, body.length - unsent.at)
      if (size <= 0) return
      const piece = body.subarray(unsent.at, unsent.at + size)
      unsent.at += size
      blockedBytes -= size
      window -= size
      stream.sendWindow -= size
      writeData(outbox, stream.id, piece, last === 'data' && unsent.at === body.length ? 'last' : 'more')
    }
    forget(stream)
    if (last === 'trailers') writeTrailers(outbox, stream.id)
    onSent(stream)
  }

  const sendLater = (stream: Stream, body: Buffer, last: 'trailers' | 'data'): void => {
    stream.unsent = { body, at: 0, last }
    blockedBytes += body.length
    blocked.add(stream)
    send(stream)
  }

  return {
    get initialWindow() {
      return initialWindow
    },
    get blockedBytes() {
      return blockedBytes
    },
    answer(stream, message) {
      const bytes = dataBytes(message)
      if (bytes <= maxFrameBytes && bytes <= window && bytes <= stream.sendWindow) {
        window -= bytes
        writeAnswer(outbox, stream.id, message)
        onSent(stream)
        return
      }
      writeBegin(outbox, stream.id)
      sendLater(stream, bodyOf(message), 'trailers')
    },
    refuse(stream, refusal) {
      if (refusal.kind === 'grpc') {
        writeStatus(outbox, stream.id, refusal.status, refusal.text)
        onSent(stream)
        return
      }
      const body = Buffer.from(refusal.text)
      const end = stream.head ? 'last' : 'more'
      writeHttpStatus(outbox, stream.id, refusal.status, { bytes: body.length, end })
      if (stream.head) onSent(stream)
      else sendLater(stream, body, 'data')
    },
    forget,
    widen(increment) {
      if (increment === 0) throw new ConnectionError('protocolError', 'WINDOW_UPDATE by 0')
      window += increment
      wider = true
      if (window > max31) throw new ConnectionError('flowControlError', 'the connection window is too large')
    },
    widenStream(stream, increment) {
      stream.sendWindow += increment
      wider = true
      return stream.sendWindow <= max31
    },
    setInitialWindow(size, streams) {
      const difference = size - initialWindow
      initialWindow = size
      if (difference === 0) return
      wider = true
      for (const stream of streams) {
        stream.sendWindow += difference
        if (stream.sendWindow > max31)
          throw new ConnectionError('flowControlError', 'the window of a stream is too large')
      }
    },
    pump() {
      if (!wider) return
      wider = false
      for (const stream of blocked) {
        if (window <= 0) return
        send(stream)
      }
    },
  }
}
