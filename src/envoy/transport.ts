// The seam between a unary gRPC method and what carries it. A method is bytes in, bytes out: it knows neither protobuf
// libraries nor HTTP/2, so that a transport written for the hop between Envoy and the filter can take the place of
// grpc-server.ts. Streaming services (ADS, access log, health watch) stay on @grpc/grpc-js and do not pass here.
//
// What a transport owes a method: the whole request message, the caller's deadline, word of a cancellation. What it
// makes of the outcome: bytes are the one response message and status OK; a GrpcError is its status; anything else
// that is thrown is a defect, told to `onDefect` and answered INTERNAL without its text.

/** The status codes that Weir answers with, by their names in gRPC (https://grpc.io/docs/guides/status-codes/). */
export type StatusCode = 'INVALID_ARGUMENT' | 'NOT_FOUND' | 'INTERNAL' | 'UNAVAILABLE'

/** Ends a call with a status other than OK; the message is for the caller to read. */
export class GrpcError extends Error {
  readonly code: StatusCode
  constructor(code: StatusCode, message: string) {
    super(message)
    this.name = 'GrpcError'
    this.code = code
  }
}

export type UnaryCall = {
  /** True once the caller has gone or its deadline has passed: nobody will read the answer. */
  readonly cancelled: boolean
  /** Milliseconds since the epoch; Infinity: none. */
  readonly deadline: number
}

/**
 * A unary gRPC method. It answers at once where it can: a promise costs every call a turn of the event loop. The
 * request's bytes are its own, also after it has answered.
 */
export type UnaryMethod = (request: Uint8Array, call: UnaryCall) => Uint8Array | Promise<Uint8Array>

/** `/package.Service/Method` */
export type MethodPath = `/${string}/${string}`

/** Told about what a method threw that is no GrpcError. */
export type OnDefect = (error: unknown, path: MethodPath) => void

export type ServeOptions = {
  /** Calls are never refused for the load, and answered before others (lean; grpc-js keeps no row of calls). */
  readonly urgent?: boolean
}

/** What carries unary methods. */
export type UnaryServer = {
  /** Before `listen`. */
  serveUnary(path: MethodPath, method: UnaryMethod, how?: ServeOptions): void
  /**
   * `host:port`, `[::1]:port` (port 0: the kernel chooses) or `unix:/path`. Resolves with what a client dials, the
   * chosen port in it; rejects with address and reason when it cannot listen there.
   */
  listen(address: string): Promise<string>
  /** Refuses new connections and calls and resolves when the running calls have ended. Streams count as calls. */
  drain(): Promise<void>
  /** Ends everything that still runs. */
  stop(): void
}

/** The transports that there are: lean-server.ts and grpc-server.ts. */
export const transports = ['lean', 'grpc-js'] as const
export type Transport = (typeof transports)[number]
