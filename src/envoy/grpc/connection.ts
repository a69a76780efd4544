// One HTTP/2 connection of a gRPC client: what each frame means in the state that its stream is in (RFC 9113 sections 5 and 6), and
// how a connection ends. It knows no socket: bytes come in by `receive` and leave through a sink, so that tests and the fuzz
// target run it in memory.
//
// Methods run when a read event has been worked through or when their turn comes (turns.ts), so that a call which was reset
// meanwhile is not run at all (rapid reset), and answers leave together.
import type { OnDefect } from '../transport.ts'
import { createCalls } from './calls.ts'
import { type Frame, createFrameReader } from './frame-reader.ts'
import {
  ConnectionError,
  type ErrorCode,
  flag,
  frameType,
  goawayFrame,
  max31,
  pingFrame,
  resetFrame,
  settingsAck,
  settingsFrame,
} from './frames.ts'
import { type Block, createBlockReader } from './header-block.ts'
import { createIntake } from './intake.ts'
import { type Budget, type Costly, type Limits, createPatience, smallDataBytes } from './limits.ts'
import { createOutbox } from './outbox.ts'
import { readSettings } from './peer-settings.ts'
import { type Progress, createReceiver } from './receiver.ts'
import { createSender } from './sender.ts'
import { refusal } from './status.ts'
import { type Served, type Stream, createRecentIds } from './stream.ts'
import type { Party, Turns } from './turns.ts'

/** Where the bytes of a connection go. */
export type Sink = {
  write(bytes: Buffer): void
  /**
   * More waits than the peer should be given: until `drained` no further call is answered, and the connection's window is not
   * opened. It is read on all the same: two sides that both stop reading until they can write wait for each other for ever.
   */
  readonly full: boolean
  /** Nothing follows; called once. */
  end(): void
}

export type ConnectionOptions = {
  readonly sink: Sink
  readonly methods: ReadonlyMap<string, Served>
  readonly limits: Limits
  /** Shared by the connections of a server. */
  readonly budget: Budget
  readonly onDefect: OnDefect
  /** Where calls wait for their turn; default: they run when the read event has been worked through. */
  readonly turns?: Turns
  /** A call was refused because it had waited too long. */
  readonly onShed?: () => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export type Connection = {
  receive(chunk: Buffer): void
  /** The sink is no longer full. */
  drained(): void
  /** The socket is gone. */
  closed(): void
  /** Takes no new calls, and ends when the last one has been answered (RFC 9113 section 6.8). */
  drain(): void
  /** True once the client has said its preface and SETTINGS. */
  readonly greeted: boolean
}

const overloaded = refusal('UNAVAILABLE', 'overloaded: the call waited too long for its turn')

const drainPing = Buffer.from('draining')
/** Milliseconds after which a client that does not answer the ping of `drain` is told the last stream all the same. */
const drainWaitMs = 1000

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

export function createConnection(options: ConnectionOptions): Connection {
  const { sink, methods, limits, budget, onDefect, turns, onShed, now } = options
  const streams = new Map<number, Stream>()
  /** Streams that both sides have ended, and those that this side reset, for which frames may still be on their way. */
  const endedIds = createRecentIds()
  const resetIds = createRecentIds()
  /** Requests that are complete, to be answered at the end of the read event. */
  let ready: Stream[] = []
  let lastId = 0
  let greeted = false
  let over = false
  /** serving; noticed: the client has been told to open no more streams; leaving: it ends with the last call. */
  let phase: 'serving' | 'noticed' | 'leaving' = 'serving'
  let drainTimer: NodeJS.Timeout | undefined
  let lateFlush = false

  const outbox = createOutbox((bytes) => sink.write(bytes))
  const send = (frame: Buffer): void => outbox.append(frame)
  const patience = createPatience(limits.patience, now())
  const blocks = createBlockReader(limits.maxContinuations)
  const intake = createIntake({ methods, limits, now })
  const receiver = createReceiver({ limits, budget, send, isFull: () => sink.full })
  const sender = createSender(outbox, sent)
  const calls = createCalls({ now, onDefect, answer: sender.answer, refuse: sender.refuse, onLate })

  function spend(what: Costly): void {
    if (!patience.spend(what, now()))
      throw new ConnectionError('enhanceYourCalm', `too much that leads to nothing: ${what}`)
  }

  function forget(stream: Stream): void {
    streams.delete(stream.id)
    stream.closed = true
    sender.forget(stream)
    receiver.forget(stream)
    calls.leave(stream)
  }

  /** RFC 9113 section 5.4.2 */
  function reset(id: number, code: ErrorCode): void {
    const stream = streams.get(id)
    if (stream !== undefined) forget(stream)
    resetIds.add(id)
    send(resetFrame(id, code))
  }

  function streamError(id: number, code: ErrorCode): void {
    reset(id, code)
    spend('streamError')
  }

  /** The whole answer is in the outbox. A request that has not ended is of no more interest (RFC 9113 section 8.1). */
  function sent(stream: Stream): void {
    patience.answered()
    if (!stream.remoteEnded) {
      reset(stream.id, 'noError')
      return
    }
    forget(stream)
    endedIds.add(stream.id)
  }

  /** A frame for a stream that is not open. */
  function late({ stream: id, type }: Frame): void {
    if (id > lastId || id % 2 === 0) broken(`a frame of type ${type} on an idle stream`)
    if (!resetIds.has(id))
      throw new ConnectionError('streamClosed', `a frame of type ${type} on a closed stream`)
    spend('lateFrame')
  }

  function enqueue(stream: Stream): void {
    if (turns === undefined || stream.refusal !== undefined || stream.served?.urgent === true)
      ready.push(stream)
    else turns.add(party, stream)
  }

  function proceed(stream: Stream, progress: Progress): void {
    if (progress.kind === 'complete') enqueue(stream)
    else if (progress.kind === 'error') streamError(stream.id, progress.code)
    else if (progress.kind === 'refused' && stream.refusal !== undefined)
      sender.refuse(stream, stream.refusal)
  }

  function onData(frame: Frame): void {
    expectStream(frame)
    receiver.count(frame)
    const stream = streams.get(frame.stream)
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

  function onTrailers(stream: Stream, block: Block): void {
    const problem = intake.trailers(block)
    if (stream.remoteEnded) streamError(stream.id, 'streamClosed')
    else if (problem !== undefined || !block.endStream) streamError(stream.id, 'protocolError')
    else proceed(stream, receiver.end(stream))
  }

  function onRequest(block: Block): void {
    lastId = block.stream
    const stream = intake.request(block, sender.initialWindow)
    if (typeof stream === 'string' || block.dependsOn === block.stream) {
      streamError(block.stream, 'protocolError')
      return
    }
    if (phase === 'leaving' || streams.size + calls.abandoned >= limits.maxConcurrentStreams) {
      streamError(stream.id, 'refusedStream')
      return
    }
    streams.set(stream.id, stream)
    calls.expect(stream.deadline)
    if (block.endStream) proceed(stream, receiver.end(stream))
  }

  function onBlock(block: Block): void {
    const { stream: id } = block
    const stream = streams.get(id)
    if (stream !== undefined) onTrailers(stream, block)
    else if (id % 2 === 0) broken('a stream with an even number')
    else if (id > lastId) onRequest(block)
    else {
      // Also what is ignored has to be decoded: it changes the table.
      intake.trailers(block)
      if (resetIds.has(id)) spend('lateFrame')
      else if (endedIds.has(id)) throw new ConnectionError('streamClosed', 'HEADERS on a closed stream')
      else broken('a stream with a smaller number than the one before')
    }
  }

  function onHeaders(frame: Frame): void {
    expectStream(frame)
    const block = blocks.take(frame)
    if (block !== undefined) onBlock(block)
  }

  /** RFC 9113 section 5.3.2: priorities are deprecated, but what is no priority is still an error. */
  function onPriority(frame: Frame): void {
    expectStream(frame)
    spend('priority')
    const size = frame.end - frame.start
    if (size === 5 && (frame.bytes.readUInt32BE(frame.start) & max31) !== frame.stream) return
    const code = size === 5 ? 'protocolError' : 'frameSizeError'
    if (!streams.has(frame.stream)) throw new ConnectionError(code, 'a malformed PRIORITY')
    streamError(frame.stream, code)
  }

  function onReset(frame: Frame): void {
    expectStream(frame)
    expectSize(frame, 4)
    const stream = streams.get(frame.stream)
    if (stream === undefined) {
      if (frame.stream > lastId) broken('RST_STREAM on an idle stream')
      spend('lateFrame')
      return
    }
    forget(stream)
    endedIds.add(stream.id)
    spend('reset')
  }

  function onSettings(frame: Frame): void {
    expectConnection(frame)
    if (frame.flags & flag.ack) {
      expectSize(frame, 0)
      return
    }
    if (greeted) spend('settings')
    const window = readSettings(frame.bytes, frame.start, frame.end)
    if (window !== undefined) sender.setInitialWindow(window, streams.values())
    send(settingsAck)
  }

  function onPing(frame: Frame): void {
    expectConnection(frame)
    expectSize(frame, 8)
    const data = frame.bytes.subarray(frame.start, frame.end)
    spend('ping')
    if ((frame.flags & flag.ack) === 0) send(pingFrame(data, 'answer'))
    else if (phase === 'noticed' && data.equals(drainPing)) leave()
  }

  function onGoaway(frame: Frame): void {
    expectConnection(frame)
    if (frame.end - frame.start < 8) expectSize(frame, 8)
    leave()
  }

  function onWindowUpdate(frame: Frame): void {
    expectSize(frame, 4)
    spend('windowUpdate')
    const increment = frame.bytes.readUInt32BE(frame.start) & max31
    if (frame.stream === 0) {
      sender.widen(increment)
      return
    }
    const stream = streams.get(frame.stream)
    if (stream === undefined) {
      if (frame.stream > lastId) broken('WINDOW_UPDATE on an idle stream')
      return
    }
    if (increment === 0) streamError(stream.id, 'protocolError')
    else if (!sender.widenStream(stream, increment)) streamError(stream.id, 'flowControlError')
  }

  const onType: Readonly<Record<number, (frame: Frame) => void>> = {
    [frameType.data]: onData,
    [frameType.headers]: onHeaders,
    [frameType.priority]: onPriority,
    [frameType.rstStream]: onReset,
    [frameType.settings]: onSettings,
    [frameType.pushPromise]: () => broken('PUSH_PROMISE from a client'),
    [frameType.ping]: onPing,
    [frameType.goaway]: onGoaway,
    [frameType.windowUpdate]: onWindowUpdate,
    [frameType.continuation]: onHeaders,
  }

  const reader = createFrameReader((frame) => {
    if (!greeted && (frame.type !== frameType.settings || frame.flags & flag.ack))
      broken('the first frame is not SETTINGS')
    if (blocks.open && frame.type !== frameType.continuation) broken('a header block was interrupted')
    const on = onType[frame.type]
    // RFC 9113 section 5.5: unknown types are ignored.
    if (on === undefined) spend('unknownFrame')
    else on(frame)
    greeted = true
  })

  function answerReady(): void {
    if (ready.length === 0) return
    let at = 0
    for (; at < ready.length && !sink.full; at++) {
      const stream = ready[at]
      if (stream === undefined || stream.closed) continue
      if (stream.refusal !== undefined) sender.refuse(stream, stream.refusal)
      else if (stream.message !== undefined) calls.run(stream, stream.message)
    }
    ready = at === ready.length ? [] : ready.slice(at)
  }

  /** No call will be answered any more. */
  function endAll(): void {
    over = true
    clearTimeout(drainTimer)
    calls.stop()
    for (const stream of streams.values()) forget(stream)
    ready = []
  }

  /** RFC 9113 section 5.4.1 */
  function end(error: unknown): void {
    const { code, message } =
      error instanceof ConnectionError ? error : new ConnectionError('internalError', 'internal error')
    if (!(error instanceof ConnectionError)) onDefect(error, '/http2/connection')
    endAll()
    send(goawayFrame(lastId, code, message))
    outbox.flush()
    sink.end()
  }

  /** After frames have been read or answers given. */
  function settle(): void {
    if (over) return
    if (sender.blockedBytes > limits.maxBlockedBytes) {
      end(new ConnectionError('enhanceYourCalm', 'the client does not take its answers'))
      return
    }
    outbox.flush()
    calls.watch(streams)
    if (phase !== 'leaving' || streams.size > 0) return
    endAll()
    sink.end()
  }

  /** Runs what may find that the connection is broken; false: it was, and is over. */
  function guarded(run: () => void): boolean {
    try {
      run()
      return true
    } catch (error) {
      end(error)
      return false
    }
  }

  const party: Party = {
    serve(stream, tooLate) {
      const { message } = stream
      if (over || message === undefined) return
      if (tooLate) {
        onShed?.()
        guarded(() => sender.refuse(stream, overloaded))
      } else if (sink.full) ready.push(stream)
      else guarded(() => calls.run(stream, message))
    },
    settle() {
      if (!over && guarded(() => sender.pump())) settle()
    },
  }

  function onLate(): void {
    if (lateFlush) return
    lateFlush = true
    // After all the answers that the event now running gives.
    process.nextTick(() => {
      lateFlush = false
      settle()
    })
  }

  function leave(): void {
    if (phase === 'leaving') return
    phase = 'leaving'
    clearTimeout(drainTimer)
    send(goawayFrame(lastId, 'noError'))
  }

  send(
    settingsFrame({
      maxConcurrentStreams: limits.maxConcurrentStreams,
      initialWindowSize: limits.streamWindow,
      maxHeaderListSize: limits.maxHeaderListBytes,
    }),
  )
  receiver.begin()
  outbox.flush()

  return {
    get greeted() {
      return greeted
    },
    receive(chunk) {
      if (over) return
      const fine = guarded(() => {
        reader.push(chunk)
        answerReady()
        sender.pump()
      })
      if (fine) settle()
    },
    drained() {
      if (over) return
      receiver.reopen()
      answerReady()
      settle()
    },
    closed() {
      if (!over) endAll()
    },
    drain() {
      if (over || phase !== 'serving') return
      phase = 'noticed'
      send(goawayFrame(max31, 'noError'))
      send(pingFrame(drainPing, 'question'))
      drainTimer = setTimeout(() => {
        leave()
        settle()
      }, drainWaitMs)
      outbox.flush()
    },
  }
}
