// The bodies of requests: flow control of what the peer sends (RFC 9113 section 6.9), the announced length (section 8.1.1), and the
// message that they carry. Windows are opened again when half of them is used, so that a window costs a frame only where it
// is needed: a CheckRequest without a large body never gets one of its own.
import { ConnectionError, type ErrorCode, defaultWindow, flag, windowUpdateFrame } from './frames.ts'
import type { Frame } from './frame-reader.ts'
import { withoutPadding } from './header-block.ts'
import type { Budget, Limits } from './limits.ts'
import { type Received, addPart, isRefusal, newAssembly, release, wholeMessage } from './message.ts'
import type { Stream } from './stream.ts'

/** What became of a part of a body. */
export type Progress =
  { readonly kind: 'more' | 'complete' | 'refused' } | { readonly kind: 'error'; readonly code: ErrorCode }

export type Receiver = {
  /** Opens the window of the connection to its size. */
  begin(): void
  /**
   * Counts DATA against the window of the connection, also when its stream is closed, and opens it again at its half, unless the
   * peer does not take what it is sent. Throws ConnectionError.
   */
  count(frame: Frame): void
  /** The peer takes what it is sent again. */
  reopen(): void
  data(stream: Stream, frame: Frame): Progress
  /** The request has ended, with its last DATA or with trailers. */
  end(stream: Stream): Progress
  forget(stream: Stream): void
}

/** Bytes of a body that nobody wants, before its stream is reset. */
const mostUnwanted = 64 * 1024

const more: Progress = { kind: 'more' }
const complete: Progress = { kind: 'complete' }
const refused: Progress = { kind: 'refused' }
const malformed: Progress = { kind: 'error', code: 'protocolError' }

type ReceiverOptions = {
  readonly limits: Limits
  readonly budget: Budget
  readonly send: (frame: Buffer) => void
  /** The peer does not take what it is sent. */
  readonly isFull: () => boolean
}

export function createReceiver({ limits, budget, send, isFull }: ReceiverOptions): Receiver {
  let window = defaultWindow

  const accept = (stream: Stream, received: Received): Progress => {
    if (isRefusal(received)) {
      stream.refusal = received
      return stream.remoteEnded ? complete : refused
    }
    stream.message = received
    return complete
  }

  /** The body so far, if it is one that somebody wants. */
  const keep = (stream: Stream, bytes: Buffer, start: number, end: number): Progress => {
    if (stream.refusal !== undefined) return stream.received > mostUnwanted ? refused : more
    stream.assembly ??= newAssembly()
    const refusal = addPart(
      stream.assembly,
      { bytes, start, end },
      { limits, budget, encoding: stream.encoding },
    )
    return refusal === undefined ? more : accept(stream, refusal)
  }

  const widen = (stream: Stream): void => {
    if (stream.receiveWindow > limits.streamWindow / 2) return
    send(windowUpdateFrame(stream.id, limits.streamWindow - stream.receiveWindow))
    stream.receiveWindow = limits.streamWindow
  }

  const reopen = (): void => {
    if (window > limits.connectionWindow / 2 || isFull()) return
    send(windowUpdateFrame(0, limits.connectionWindow - window))
    window = limits.connectionWindow
  }

  const end = (stream: Stream): Progress => {
    stream.remoteEnded = true
    if (stream.contentLength !== undefined && stream.received !== stream.contentLength) return malformed
    if (stream.refusal !== undefined || stream.message !== undefined) return complete
    const { bytes, have } = stream.assembly ?? newAssembly()
    return accept(stream, wholeMessage(bytes, 0, have, stream.encoding, limits))
  }

  return {
    begin() {
      send(windowUpdateFrame(0, limits.connectionWindow - window))
      window = limits.connectionWindow
    },
    count(frame) {
      window -= frame.end - frame.start
      if (window < 0) throw new ConnectionError('flowControlError', 'more DATA than the connection window')
      reopen()
    },
    reopen,
    data(stream, frame) {
      stream.receiveWindow -= frame.end - frame.start
      if (stream.receiveWindow < 0) return { kind: 'error', code: 'flowControlError' }
      const { start, end: to } = withoutPadding(frame)
      stream.received += to - start
      if (stream.received > (stream.contentLength ?? Infinity)) return malformed
      const last = (frame.flags & flag.endStream) !== 0
      if (last && stream.assembly === undefined && stream.refusal === undefined) {
        stream.remoteEnded = true
        const received = wholeMessage(frame.bytes, start, to, stream.encoding, limits)
        return stream.received === (stream.contentLength ?? stream.received)
          ? accept(stream, received)
          : malformed
      }
      const progress = keep(stream, frame.bytes, start, to)
      if (last) return progress.kind === 'error' ? progress : end(stream)
      if (progress.kind === 'more') widen(stream)
      return progress
    },
    end,
    forget(stream) {
      if (stream.assembly !== undefined) release(stream.assembly, budget)
    },
  }
}
