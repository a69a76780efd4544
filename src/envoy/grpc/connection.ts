// One HTTP/2 connection of a gRPC client: its parts, the order in which things happen, and how it ends. frame-handlers.ts says what
// each frame means. It knows no socket: bytes come in by `receive` and leave through a sink, so that tests and the fuzz target run
// it in memory.
//
// Methods run when a read event has been worked through or when their turn comes (turns.ts), so that a call which was reset
// meanwhile is not run at all (rapid reset), and answers leave together.
import type { OnDefect } from '../transport.ts'
import { createCalls } from './calls.ts'
import { createFrameHandlers } from './frame-handlers.ts'
import { createFrameReader } from './frame-reader.ts'
import { ConnectionError, goawayFrame, max31, pingFrame, settingsFrame } from './frames.ts'
import { createIntake } from './intake.ts'
import { type Budget, type Costly, type Limits, createPatience } from './limits.ts'
import { createOutbox } from './outbox.ts'
import { createReceiver } from './receiver.ts'
import { createSender } from './sender.ts'
import { refusal } from './status.ts'
import type { Served, Stream } from './stream.ts'
import { createStreams } from './streams.ts'
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

export function createConnection(options: ConnectionOptions): Connection {
  const { sink, methods, limits, budget, onDefect, turns, onShed, now } = options
  /** Requests that are complete, to be answered at the end of the read event. */
  let ready: Stream[] = []
  let over = false
  /** serving; noticed: the client has been told to open no more streams; leaving: it ends with the last call. */
  let phase: 'serving' | 'noticed' | 'leaving' = 'serving'
  let drainTimer: NodeJS.Timeout | undefined
  let lateFlush = false

  const outbox = createOutbox((bytes) => sink.write(bytes))
  const send = (frame: Buffer): void => outbox.append(frame)
  const patience = createPatience(limits.patience, now())
  const streams = createStreams({ send, onClosed: closedStream })
  const receiver = createReceiver({ limits, budget, send, isFull: () => sink.full })
  const sender = createSender(outbox, sent)
  const calls = createCalls({ now, onDefect, answer: sender.answer, refuse: sender.refuse, onLate })
  const handlers = createFrameHandlers({
    limits,
    streams,
    intake: createIntake({ methods, limits, now }),
    receiver,
    sender,
    send,
    spend,
    hasRoom: () => phase !== 'leaving' && streams.open.size + calls.abandoned < limits.maxConcurrentStreams,
    onCall: ({ deadline }) => calls.expect(deadline),
    onRequest: enqueue,
    onPong(data) {
      if (phase === 'noticed' && data.equals(drainPing)) leave()
    },
    onGoaway: leave,
  })
  const reader = createFrameReader(handlers.take)

  function spend(what: Costly): void {
    if (!patience.spend(what, now()))
      throw new ConnectionError('enhanceYourCalm', `too much that leads to nothing: ${what}`)
  }

  function closedStream(stream: Stream): void {
    sender.forget(stream)
    receiver.forget(stream)
    calls.leave(stream)
  }

  /** The whole answer is in the outbox. A request that has not ended is of no more interest (RFC 9113 section 8.1). */
  function sent(stream: Stream): void {
    patience.answered()
    if (stream.remoteEnded) {
      streams.end(stream)
      return
    }
    streams.reset(stream.id, 'noError')
  }

  function enqueue(stream: Stream): void {
    if (turns === undefined || stream.refusal !== undefined || stream.served?.urgent === true)
      ready.push(stream)
    else turns.add(party, stream)
  }

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
    streams.endAll()
    ready = []
  }

  /** RFC 9113 section 5.4.1 */
  function end(error: unknown): void {
    const { code, message } =
      error instanceof ConnectionError ? error : new ConnectionError('internalError', 'internal error')
    if (!(error instanceof ConnectionError)) onDefect(error, '/http2/connection')
    endAll()
    send(goawayFrame(streams.last, code, message))
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
    calls.watch(streams.open)
    if (phase !== 'leaving' || streams.open.size > 0) return
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
    send(goawayFrame(streams.last, 'noError'))
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
      return handlers.greeted
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
