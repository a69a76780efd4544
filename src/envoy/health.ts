// The gRPC health service (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). Envoy asks it every few
// seconds and takes a filter out that says NOT_SERVING, so a filter that drains says so first and goes on answering
// until Envoy has noticed.
import * as grpc from '@grpc/grpc-js'
import { type WireReader, createReader, skip, tag } from './wire.ts'

/** grpc.health.v1.HealthCheckResponse.ServingStatus */
const serving = { SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const

export type ServingStatus = 'SERVING' | 'NOT_SERVING'

export type Health = {
  register(server: grpc.Server): void
  /** The status of every service; those who watch are told. */
  set(status: ServingStatus): void
  /** Ends the watches: they would keep a draining server waiting. */
  close(): void
}

const serviceField = tag(1, 'bytes')

/** HealthCheckRequest {service}; throws on garbage. */
function readService(reader: WireReader): string {
  let service = ''
  while (reader.pos < reader.len) {
    const field = reader.uint32()
    if (field === serviceField) service = reader.string()
    else skip(reader, field)
  }
  return service
}

/** HealthCheckResponse {status} */
const response = (status: keyof typeof serving): Buffer => Buffer.from([tag(1, 'varint'), serving[status]])

/** A request that cannot be read is reported by grpc-js as INTERNAL, as the deserialiser's failure. */
const methods = {
  Check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (service: string) => Buffer.from(service),
    requestDeserialize: (message: Buffer) => readService(createReader(message)),
    responseSerialize: response,
    responseDeserialize: (message: Buffer) => message,
  },
  Watch: {
    path: '/grpc.health.v1.Health/Watch',
    requestStream: false,
    responseStream: true,
    requestSerialize: (service: string) => Buffer.from(service),
    requestDeserialize: (message: Buffer) => readService(createReader(message)),
    responseSerialize: response,
    responseDeserialize: (message: Buffer) => message,
  },
} satisfies grpc.ServiceDefinition

type Answer = keyof typeof serving
type Watch = grpc.ServerWritableStream<string, Answer>

/** `services`: the names that are known beside `""`, which stands for the whole server. Starts as SERVING. */
export function createHealth(services: readonly string[]): Health {
  const known = new Set(['', ...services])
  const watches = new Set<Watch>()
  let status: ServingStatus = 'SERVING'

  const check: grpc.handleUnaryCall<string, Answer> = (call, callback) => {
    if (known.has(call.request)) callback(null, status)
    else callback({ code: grpc.status.NOT_FOUND, details: 'unknown service' })
  }

  const watch: grpc.handleServerStreamingCall<string, Answer> = (call) => {
    const forget = (): void => void watches.delete(call)
    call.on('cancelled', forget)
    call.on('close', forget)
    if (known.has(call.request)) watches.add(call)
    call.write(known.has(call.request) ? status : 'SERVICE_UNKNOWN')
  }

  return {
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
