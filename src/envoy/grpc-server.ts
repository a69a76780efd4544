// The transport on @grpc/grpc-js, and the server that streaming services register with. Messages pass as they are:
// grpc-js is given no protobuf types, the methods read and write bytes.
import * as grpc from '@grpc/grpc-js'
import { type Admission, gate } from './access.ts'
import {
  GrpcError,
  type MethodPath,
  type OnDefect,
  type UnaryCall,
  type UnaryMethod,
  type UnaryServer,
} from './transport.ts'

export type GrpcServerOptions = {
  readonly onDefect: OnDefect
  /** Default: plaintext, for loopback, Unix sockets and meshes that encrypt. */
  readonly credentials?: grpc.ServerCredentials
  /** Default: whoever reaches the port may call. */
  readonly admit?: Admission
  /** Bytes of one message; default 80 MiB: the largest inspection buffer (64 MiB) and its headers (spec control-plane 2.6). */
  readonly maxMessageBytes?: number
}

export type GrpcServer = UnaryServer & {
  /** For streaming services: `ads.register(server.grpc)`. */
  readonly grpc: grpc.Server
}

const defaultMaxMessageBytes = 80 * 1024 * 1024

const asIs = (message: Buffer): Buffer => message

const toBuffer = (message: Uint8Array): Buffer =>
  Buffer.isBuffer(message) ? message : Buffer.from(message.buffer, message.byteOffset, message.byteLength)

type Call = grpc.ServerUnaryCall<Buffer, Buffer>

const callOf = (call: Call): UnaryCall => ({
  get cancelled() {
    return call.cancelled
  },
  get deadline() {
    return Number(call.getDeadline())
  },
})

function handle(
  path: MethodPath,
  method: UnaryMethod,
  onDefect: OnDefect,
): grpc.handleUnaryCall<Buffer, Buffer> {
  const failure = (error: unknown): grpc.ServerErrorResponse | Partial<grpc.StatusObject> => {
    if (error instanceof GrpcError) return { code: grpc.status[error.code], details: error.message }
    onDefect(error, path)
    return { code: grpc.status.INTERNAL, details: 'internal error' }
  }
  const later = async (answer: Promise<Uint8Array>, callback: grpc.sendUnaryData<Buffer>): Promise<void> => {
    let message: Buffer
    try {
      message = toBuffer(await answer)
    } catch (error) {
      callback(failure(error))
      return
    }
    callback(null, message)
  }
  return (call, callback) => {
    let answer: Uint8Array | Promise<Uint8Array>
    try {
      answer = method(call.request, callOf(call))
    } catch (error) {
      callback(failure(error))
      return
    }
    if (answer instanceof Promise) void later(answer, callback)
    else callback(null, toBuffer(answer))
  }
}

/** The service definition of one method; grpc-js wants both directions, the client's is never used. */
const definitionOf = (path: MethodPath): grpc.ServiceDefinition => ({
  method: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
})

/** What a client dials: the kernel may have chosen the port. */
const boundAddress = (address: string, port: number): string =>
  address.startsWith('unix:') ? address : `${address.slice(0, address.lastIndexOf(':'))}:${port}`

export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { onDefect, admit, credentials = grpc.ServerCredentials.createInsecure() } = options
  const server = new grpc.Server({
    ...(admit ? { interceptors: [gate(admit)] } : {}),
    'grpc.max_receive_message_length': options.maxMessageBytes ?? defaultMaxMessageBytes,
    'grpc.enable_channelz': 0,
  })
  return {
    grpc: server,
    serveUnary(path, method) {
      server.addService(definitionOf(path), { method: handle(path, method, onDefect) })
    },
    listen: (address) =>
      new Promise((resolve, reject) => {
        server.bindAsync(address, credentials, (error, port) => {
          if (error) reject(new Error(`cannot listen on ${address}: ${error.message}`, { cause: error }))
          else resolve(boundAddress(address, port))
        })
      }),
    drain: () =>
      new Promise((resolve, reject) => {
        server.tryShutdown((error) => (error ? reject(error) : resolve()))
      }),
    stop() {
      server.forceShutdown()
    },
  }
}
