// Runs the methods (transport.ts says what is owed to them). A method that answers at once costs no promise and no timer; the
// deadlines of those that wait are watched by one timer a connection.
import { GrpcError, type OnDefect } from '../transport.ts'
import { type Refusal, refusal } from './status.ts'
import type { Stream } from './stream.ts'

export type Calls = {
  /** Runs the method of a stream whose message is there. */
  run(stream: Stream, message: Uint8Array): void
  /** A stream was closed; its method may still work, and counts until it is done. */
  leave(stream: Stream): void
  /** Methods that still work although their stream is closed. */
  readonly abandoned: number
  /** A stream with this deadline has begun. */
  expect(deadline: number): void
  /** Sees to it that streams which are still open are answered at their deadlines. */
  watch(streams: ReadonlyMap<number, Stream>): void
  stop(): void
}

export type CallsOptions = {
  readonly now: () => number
  readonly onDefect: OnDefect
  readonly answer: (stream: Stream, message: Uint8Array) => void
  readonly refuse: (stream: Stream, refusal: Refusal) => void
  /** An answer was given outside of a read event. */
  readonly onLate: () => void
}

const tooLate = refusal('DEADLINE_EXCEEDED', 'the deadline has passed')

/** Milliseconds between two looks at the deadlines, at the least. */
const shortestWait = 10
const longestWait = 60_000

export function createCalls({ now, onDefect, answer, refuse, onLate }: CallsOptions): Calls {
  let abandoned = 0
  let timer: NodeJS.Timeout | undefined
  /** The earliest deadline of a stream that began since the last look, and when the timer looks. */
  let next = Infinity
  let due = Infinity

  const failed = (stream: Stream, error: unknown): void => {
    if (error instanceof GrpcError) {
      refuse(stream, refusal(error.code, error.message))
      return
    }
    onDefect(error, stream.served?.path ?? '/?/?')
    refuse(stream, refusal('INTERNAL', 'internal error'))
  }

  /** The stream may have been closed meanwhile: then nobody waits for the answer. */
  const settle = (stream: Stream, then: () => void): void => {
    stream.running = false
    if (stream.closed) {
      abandoned--
      return
    }
    then()
    onLate()
  }

  const wait = (stream: Stream, promise: Promise<Uint8Array>): void => {
    stream.running = true
    promise.then(
      (message) => settle(stream, () => answer(stream, message)),
      (error: unknown) => settle(stream, () => failed(stream, error)),
    )
  }

  /** Whoever sends an answer already has had it in time. */
  const waits = (stream: Stream): boolean => stream.unsent === undefined

  const look = (streams: ReadonlyMap<number, Stream>): void => {
    timer = undefined
    next = Infinity
    const at = now()
    for (const stream of streams.values()) {
      if (!waits(stream)) continue
      if (stream.deadline <= at) refuse(stream, tooLate)
      else next = Math.min(next, stream.deadline)
    }
    onLate()
    watch(streams)
  }

  const watch = (streams: ReadonlyMap<number, Stream>): void => {
    if (streams.size === 0 || next === Infinity || (timer !== undefined && due <= next)) return
    clearTimeout(timer)
    due = next
    timer = setTimeout(look, Math.min(longestWait, Math.max(shortestWait, next - now())), streams)
    timer.unref()
  }

  return {
    run(stream, message) {
      const { served } = stream
      if (served === undefined) return
      if (stream.deadline <= now()) {
        refuse(stream, tooLate)
        return
      }
      let outcome: Uint8Array | Promise<Uint8Array>
      try {
        outcome = served.method(message, stream)
      } catch (error) {
        failed(stream, error)
        return
      }
      if (outcome instanceof Promise) wait(stream, outcome)
      else answer(stream, outcome)
    },
    leave(stream) {
      if (stream.running) abandoned++
    },
    get abandoned() {
      return abandoned
    },
    expect(deadline) {
      if (deadline < next) next = deadline
    },
    watch,
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
