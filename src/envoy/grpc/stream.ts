// A stream is a call (RFC 9113 section 5.1): what was asked, what of it has arrived, what of the answer is still to be sent. It is
// also what its method sees of the call, so that a call costs one object.
import type { MethodPath, UnaryCall, UnaryMethod } from '../transport.ts'
import type { Assembly } from './message.ts'
import type { Refusal } from './status.ts'

export type Served = {
  readonly path: MethodPath
  readonly method: UnaryMethod
  /** Waits for no turn and is never refused for the load: whoever asks wants to know how things are. */
  readonly urgent: boolean
}

/** What of an answer waits for the peer's flow-control windows. */
export type Unsent = { readonly body: Buffer; at: number; readonly last: 'trailers' | 'data' }

export class Stream implements UnaryCall {
  readonly id: number
  readonly served: Served | undefined
  readonly deadline: number
  /** Bytes of the body as announced. */
  readonly contentLength: number | undefined
  /** The algorithm that grpc-encoding names; empty: none. */
  readonly encoding: string
  /** Why the request is refused once it has been received. */
  refusal: Refusal | undefined
  readonly head: boolean
  /** Bytes of the body so far, without padding. */
  received = 0
  assembly: Assembly | undefined = undefined
  message: Uint8Array | undefined = undefined
  /** Bytes that the peer may still send, and we. */
  receiveWindow: number
  sendWindow: number
  /** The peer has said END_STREAM. */
  remoteEnded = false
  /** The method has been called and has not answered yet. */
  running = false
  unsent: Unsent | undefined = undefined
  /** Answered, reset by either side, or the connection is gone. */
  closed = false
  private readonly now: () => number

  constructor(asked: {
    readonly id: number
    readonly served: Served | undefined
    readonly deadline: number
    readonly contentLength: number | undefined
    readonly encoding: string
    readonly refusal: Refusal | undefined
    readonly head: boolean
    readonly receiveWindow: number
    readonly sendWindow: number
    readonly now: () => number
  }) {
    this.id = asked.id
    this.served = asked.served
    this.deadline = asked.deadline
    this.contentLength = asked.contentLength
    this.encoding = asked.encoding
    this.refusal = asked.refusal
    this.head = asked.head
    this.receiveWindow = asked.receiveWindow
    this.sendWindow = asked.sendWindow
    this.now = asked.now
  }

  get cancelled(): boolean {
    return this.closed || this.now() >= this.deadline
  }
}

const remembered = 256

/** Remembers the last ids of streams that ended in some way; what is older is told by the order of ids alone. */
export type RecentIds = { add(id: number): void; has(id: number): boolean }

export function createRecentIds(): RecentIds {
  const ids = new Int32Array(remembered)
  let next = 0
  return {
    add(id) {
      ids[next] = id
      next = (next + 1) & (remembered - 1)
    },
    has: (id) => ids.includes(id),
  }
}
