// The gRPC health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). Envoy asks it every few
// seconds and takes a filter out that says NOT_SERVING, so a filter that drains says so first and goes on answering
// until Envoy has noticed.
import * as grpc from '@grpc/grpc-js'
import { GrpcError, type MethodPath, type UnaryMethod } from './transport.ts'
import { type ReadField, createReader, readAll, tag } from './wire.ts'

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const serving = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const

export type ServingStatus = 'SERVING' | 'NOT_SERVING'

export const healthCheckPath: MethodPath = '/grpc.health.v1.Health/Check'

export type Health = {
  /** The method Check, for a transport without streams. */
  readonly check: UnaryMethod
  /** Check and Watch. */
  register(server: grpc.Server): void
  /** The status of every service; those who watch are told. */
  set(status: ServingStatus): void
  /** Ends the watches: they would keep a draining server waiting. */
  close(): void
}

/** HealthCheckRequest. An object, because grpc-js takes an empty string for no message at all. */
type Question = { service: string }

const readQuestion: ReadField<Question> = (question, field, reader) => {
  if (field !== tag(1, 'bytes')) return false
  question.service = reader.string()
  return true
}

function parseQuestion(message: Uint8Array): Question {
  const question = { service: '' }
  readAll(createReader(message), question, readQuestion)
  return question
}

const asIs = (message: Buffer): Buffer => message

/** HealthCheckResponse {status} */
const response = (status: keyof typeof serving): Buffer => Buffer.from([tag(1, 'varint'), serving[status]])

/** Both directions have to be there; the client's is never used. */
const shared = {
  requestStream: false,
  requestSerialize: asIs,
  requestDeserialize: parseQuestion,
  responseSerialize: response,
  responseDeserialize: asIs,
} as const

const methods = {
  Check: { ...shared, path: healthCheckPath, responseStream: false },
  Watch: { ...shared, path: '/grpc.health.v1.Health/Watch', responseStream: true },
} satisfies grpc.ServiceDefinition

type Answer = keyof typeof serving
type Watch = grpc.ServerWritableStream<Question, Answer>

/** `services`: the names that are known beside `""`, which stands for the whole server. Starts as SERVING. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(['', ...services])
  const watches = new Set<Watch>()
  let status: ServingStatus = 'SERVING'

  const check: grpc.handleUnaryCall<Question, Answer> = (call, callback) => {
    if (known.has(call.request.service)) callback(null, status)
    else callback({ code: grpc.status.NOT_FOUND, details: 'unknown service' })
  }

  const watch: grpc.handleServerStreamingCall<Question, Answer> = (call) => {
    const forget = (): void => void watches.delete(call)
    call.on('cancelled', forget)
    call.on('close', forget)
    if (known.has(call.request.service)) watches.add(call)
    call.write(known.has(call.request.service) ? status : 'SERVICE_UNKNOWN')
  }

  return {
    check(request) {
      if (known.has(parseQuestion(request).service)) return response(status)
      throw new GrpcError('NOT_FOUND', 'unknown service')
    },
    register(server) {
      server.addService(methods, { Check: check, Watch: watch })
    },
    set(next) {
      if (next === status) return
      status = next
      for (const call of watches) call.write(next)
    },
    close() {
      for (const call of watches) call.end()
      watches.clear()
    },
  }
}
