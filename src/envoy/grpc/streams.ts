// The streams of a connection: those that are open, and what is still known of those that were (RFC 9113 section 5.1). A frame may
// be on its way for a stream that this side has reset; for one that both sides have ended it is an error.
import { type ErrorCode, resetFrame } from './frames.ts'
import { type Stream, createRecentIds } from './stream.ts'

/** How a stream ended of which a frame comes: by a reset from here, otherwise; unknown: too long ago to say, or never used. */
export type Past = 'reset' | 'ended' | 'unknown'

export type Streams = {
  readonly open: ReadonlyMap<number, Stream>
  /** The largest number that the peer has used. */
  readonly last: number
  /** The peer has used this number, whatever becomes of the stream. */
  used(id: number): void
  add(stream: Stream): void
  /** Both sides have ended it, or the peer has reset it. */
  end(stream: Stream): void
  /** This side resets it, open or not (RFC 9113 section 5.4.2). */
  reset(id: number, code: ErrorCode): void
  past(id: number): Past
  endAll(): void
}

export type StreamsOptions = {
  readonly send: (frame: Buffer) => void
  /** A stream that was open no longer is. */
  readonly onClosed: (stream: Stream) => void
}

export function createStreams({ send, onClosed }: StreamsOptions): Streams {
  const open = new Map<number, Stream>()
  const ended = createRecentIds()
  const wasReset = createRecentIds()
  let last = 0

  const close = (stream: Stream): void => {
    open.delete(stream.id)
    stream.closed = true
    onClosed(stream)
  }

  return {
    open,
    get last() {
      return last
    },
    used(id) {
      last = id
    },
    add(stream) {
      open.set(stream.id, stream)
    },
    end(stream) {
      close(stream)
      ended.add(stream.id)
    },
    reset(id, code) {
      const stream = open.get(id)
      if (stream !== undefined) close(stream)
      wasReset.add(id)
      send(resetFrame(id, code))
    },
    past(id) {
      if (wasReset.has(id)) return 'reset'
      return ended.has(id) ? 'ended' : 'unknown'
    },
    endAll() {
      for (const stream of open.values()) close(stream)
    },
  }
}
