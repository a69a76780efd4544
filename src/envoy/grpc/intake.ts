// From a header block to a stream: decodes the block, judges it as a request (RFC 9113 section 8.3.1) and as a gRPC call, and finds the
// method. What can be refused politely becomes a refusal, given when the request has been received; what is no request is malformed.
import type { Block } from './header-block.ts'
import { createHpackDecoder } from './hpack-decoder.ts'
import type { Field } from './hpack-field.ts'
import type { Limits } from './limits.ts'
import { createHeadReader, parseTimeout } from './request-head.ts'
import { type Refusal, notGrpc, notPost, refusal } from './status.ts'
import { type Served, Stream } from './stream.ts'

export type Intake = {
  /** The stream that this block opens, or why it is malformed. Throws ConnectionError. */
  request(block: Block, sendWindow: number): Stream | string
  /** Why these are no trailers, if they are none. Throws ConnectionError. */
  trailers(block: Block): string | undefined
}

export type IntakeOptions = {
  readonly methods: ReadonlyMap<string, Served>
  readonly limits: Limits
  readonly now: () => number
}

const grpcType = /^application\/grpc(?:$|[+; ])/

export function createIntake({ methods, limits, now }: IntakeOptions): Intake {
  const decoder = createHpackDecoder()
  const head = createHeadReader()
  const onField = (field: Field): void => head.field(field)
  const read = ({ bytes, start, end }: Block): void => {
    head.begin()
    decoder.decode(bytes, start, end, onField)
  }

  const refusalOf = (served: Served | undefined, timeout: number | undefined): Refusal | undefined => {
    if (head.bytes > limits.maxHeaderListBytes)
      return refusal(
        'RESOURCE_EXHAUSTED',
        `metadata of ${head.bytes} bytes; at most ${limits.maxHeaderListBytes}`,
      )
    if (head.contentType !== 'application/grpc' && !grpcType.test(head.contentType)) return notGrpc
    if (head.method !== 'POST') return notPost
    if (served === undefined) return refusal('UNIMPLEMENTED', `unknown method ${head.path.slice(0, 200)}`)
    return timeout === undefined ? refusal('INTERNAL', 'a malformed grpc-timeout') : undefined
  }

  return {
    request(block, sendWindow) {
      read(block)
      const problem = head.problem()
      if (problem !== undefined) return problem
      if (block.endStream && (head.contentLength ?? 0) > 0) return 'a content-length without content'
      const served = methods.get(head.path)
      const timeout = head.grpcTimeout === undefined ? Infinity : parseTimeout(head.grpcTimeout)
      return new Stream({
        id: block.stream,
        served,
        deadline: timeout === undefined || timeout === Infinity ? Infinity : now() + timeout,
        contentLength: head.contentLength,
        encoding: head.grpcEncoding,
        refusal: refusalOf(served, timeout),
        head: head.method === 'HEAD',
        receiveWindow: limits.streamWindow,
        sendWindow,
        now,
      })
    },
    trailers(block) {
      read(block)
      return head.trailerProblem()
    },
  }
}
