// What each frame means in the state that its stream is in (RFC 9113 sections 5 and 6): a stream that opens, goes on or is reset,
// or a connection that is broken.
import type { Frame } from './frame-reader.ts'
import { ConnectionError, type ErrorCode, flag, frameType, max31, pingFrame, settingsAck } from './frames.ts'
import { type Block, createBlockReader } from './header-block.ts'
import type { Intake } from './intake.ts'
import { type Costly, type Limits, smallDataBytes } from './limits.ts'
import { readSettings } from './peer-settings.ts'
import type { Progress, Receiver } from './receiver.ts'
import type { Sender } from './sender.ts'
import type { Stream } from './stream.ts'
import type { Streams } from './streams.ts'

export type FrameHandlersOptions = {
  readonly limits: Limits
  readonly streams: Streams
  readonly intake: Intake
  readonly receiver: Receiver
  readonly sender: Sender
  readonly send: (frame: Buffer) => void
  /** Throws ConnectionError when the peer has done too much that leads to nothing. */
  readonly spend: (what: Costly) => void
  /** Whether one more call is taken. */
  readonly hasRoom: () => boolean
  /** A call is taken: its headers are here. */
  readonly onCall: (stream: Stream) => void
  /** The whole request is here. */
  readonly onRequest: (stream: Stream) => void
  /** The answer to a PING of this side. */
  readonly onPong: (data: Buffer) => void
  readonly onGoaway: () => void
}

export type FrameHandlers = {
  /** Throws ConnectionError. */
  take(frame: Frame): void
  /** The peer's first SETTINGS have come. */
  readonly greeted: boolean
}

const broken = (reason: string): never => {
  throw new ConnectionError('protocolError', reason)
}

const expectSize = ({ start, end, type }: Frame, bytes: number): void => {
  if (end - start !== bytes)
    throw new ConnectionError('frameSizeError', `a frame of type ${type} has ${end - start} bytes`)
}

const expectConnection = ({ stream, type }: Frame): void => {
  if (stream !== 0) broken(`a frame of type ${type} on a stream`)
}

const expectStream = ({ stream, type }: Frame): void => {
  if (stream === 0) broken(`a frame of type ${type} without a stream`)
}

export function createFrameHandlers(options: FrameHandlersOptions): FrameHandlers {
  const { limits, streams, intake, receiver, sender, send, spend } = options
  const { hasRoom, onCall, onRequest, onPong, onGoaway } = options
  const blocks = createBlockReader(limits.maxContinuations)
  let greeted = false

  function streamError(id: number, code: ErrorCode): void {
    streams.reset(id, code)
    spend('streamError')
  }

  /** A frame for a stream that is not open. */
  function late({ stream: id, type }: Frame): void {
    if (id > streams.last || id % 2 === 0) broken(`a frame of type ${type} on an idle stream`)
    if (streams.past(id) !== 'reset')
      throw new ConnectionError('streamClosed', `a frame of type ${type} on a closed stream`)
    spend('lateFrame')
  }

  function proceed(stream: Stream, progress: Progress): void {
    if (progress.kind === 'complete') onRequest(stream)
    else if (progress.kind === 'error') streamError(stream.id, progress.code)
    else if (progress.kind === 'refused' && stream.refusal !== undefined)
      sender.refuse(stream, stream.refusal)
  }

  function data(frame: Frame): void {
    expectStream(frame)
    receiver.count(frame)
    const stream = streams.open.get(frame.stream)
    if (stream === undefined) {
      late(frame)
      return
    }
    if (stream.remoteEnded) {
      streamError(stream.id, 'streamClosed')
      return
    }
    if (frame.end - frame.start < smallDataBytes && (frame.flags & flag.endStream) === 0) spend('smallData')
    proceed(stream, receiver.data(stream, frame))
  }

  function trailers(stream: Stream, block: Block): void {
    const problem = intake.trailers(block)
    if (stream.remoteEnded) streamError(stream.id, 'streamClosed')
    else if (problem !== undefined || !block.endStream) streamError(stream.id, 'protocolError')
    else proceed(stream, receiver.end(stream))
  }

  function request(block: Block): void {
    streams.used(block.stream)
    const stream = intake.request(block, sender.initialWindow)
    if (typeof stream === 'string' || block.dependsOn === block.stream) {
      streamError(block.stream, 'protocolError')
      return
    }
    if (!hasRoom()) {
      streamError(stream.id, 'refusedStream')
      return
    }
    streams.add(stream)
    onCall(stream)
    if (block.endStream) proceed(stream, receiver.end(stream))
  }

  function headers(frame: Frame): void {
    expectStream(frame)
    const block = blocks.take(frame)
    if (block === undefined) return
    const { stream: id } = block
    const stream = streams.open.get(id)
    if (stream !== undefined) trailers(stream, block)
    else if (id % 2 === 0) broken('a stream with an even number')
    else if (id > streams.last) request(block)
    else {
      // Also what is ignored has to be decoded: it changes the table.
      intake.trailers(block)
      const past = streams.past(id)
      if (past === 'reset') spend('lateFrame')
      else if (past === 'ended') throw new ConnectionError('streamClosed', 'HEADERS on a closed stream')
      else broken('a stream with a smaller number than the one before')
    }
  }

  /** RFC 9113 section 5.3.2: priorities are deprecated, but what is no priority is still an error. */
  function priority(frame: Frame): void {
    expectStream(frame)
    spend('priority')
    const size = frame.end - frame.start
    if (size === 5 && (frame.bytes.readUInt32BE(frame.start) & max31) !== frame.stream) return
    const code = size === 5 ? 'protocolError' : 'frameSizeError'
    if (!streams.open.has(frame.stream)) throw new ConnectionError(code, 'a malformed PRIORITY')
    streamError(frame.stream, code)
  }

  function rstStream(frame: Frame): void {
    expectStream(frame)
    expectSize(frame, 4)
    const stream = streams.open.get(frame.stream)
    if (stream === undefined) {
      if (frame.stream > streams.last) broken('RST_STREAM on an idle stream')
      spend('lateFrame')
      return
    }
    streams.end(stream)
    spend('reset')
  }

  function settings(frame: Frame): void {
    expectConnection(frame)
    if (frame.flags & flag.ack) {
      expectSize(frame, 0)
      return
    }
    if (greeted) spend('settings')
    const window = readSettings(frame.bytes, frame.start, frame.end)
    if (window !== undefined) sender.setInitialWindow(window, streams.open.values())
    send(settingsAck)
  }

  function ping(frame: Frame): void {
    expectConnection(frame)
    expectSize(frame, 8)
    const bytes = frame.bytes.subarray(frame.start, frame.end)
    spend('ping')
    if ((frame.flags & flag.ack) === 0) send(pingFrame(bytes, 'answer'))
    else onPong(bytes)
  }

  function goaway(frame: Frame): void {
    expectConnection(frame)
    if (frame.end - frame.start < 8) expectSize(frame, 8)
    onGoaway()
  }

  function windowUpdate(frame: Frame): void {
    expectSize(frame, 4)
    spend('windowUpdate')
    const increment = frame.bytes.readUInt32BE(frame.start) & max31
    if (frame.stream === 0) {
      sender.widen(increment)
      return
    }
    const stream = streams.open.get(frame.stream)
    if (stream === undefined) {
      if (frame.stream > streams.last) broken('WINDOW_UPDATE on an idle stream')
      return
    }
    if (increment === 0) streamError(stream.id, 'protocolError')
    else if (!sender.widenStream(stream, increment)) streamError(stream.id, 'flowControlError')
  }

  const handlers: Readonly<Record<number, (frame: Frame) => void>> = {
    [frameType.data]: data,
    [frameType.headers]: headers,
    [frameType.priority]: priority,
    [frameType.rstStream]: rstStream,
    [frameType.settings]: settings,
    [frameType.pushPromise]: () => broken('PUSH_PROMISE from a client'),
    [frameType.ping]: ping,
    [frameType.goaway]: goaway,
    [frameType.windowUpdate]: windowUpdate,
    [frameType.continuation]: headers,
  }

  return {
    get greeted() {
      return greeted
    },
    take(frame) {
      if (!greeted && (frame.type !== frameType.settings || frame.flags & flag.ack))
        broken('the first frame is not SETTINGS')
      if (blocks.open && frame.type !== frameType.continuation) broken('a header block was interrupted')
      const handle = handlers[frame.type]
      // RFC 9113 section 5.5: unknown types are ignored.
      if (handle === undefined) spend('unknownFrame')
      else handle(frame)
      greeted = true
    },
  }
}
