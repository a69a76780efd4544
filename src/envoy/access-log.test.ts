import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import * as grpc from '@grpc/grpc-js'
import { type AccessLog, createAccessLog } from './access-log.ts'
import { logEntry, logMessageBytes } from './access-log.fixture.ts'
import { type GrpcServer, createGrpcServer } from './grpc-server.ts'

const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs'
const asIs = (message: Buffer): Buffer => message

let server: GrpcServer
let client: grpc.Client
let log: AccessLog
let entries: string[]
let failures: string[]
let errors: number[]
let arrived: () => void

beforeEach(async () => {
  entries = []
  failures = []
  errors = []
  arrived = () => undefined
  log = createAccessLog({
    onEntry({ node, logName, requestId }) {
      if (requestId === 'throw') throw new Error('a defect of the receiver')
      entries.push(`${node} ${logName} ${requestId}`)
      arrived()
    },
    onConnectionFailure: ({ node, detail }) => failures.push(`${node} ${detail}`),
    onError: (_error, lost) => errors.push(lost),
  })
  server = createGrpcServer({ onDefect: () => undefined })
  log.register(server.grpc)
  client = new grpc.Client(await server.listen('127.0.0.1:0'), grpc.credentials.createInsecure())
})

afterEach(() => {
  client.close()
  log.close()
  server.stop()
})

type Stream = {
  readonly call: grpc.ClientWritableStream<Buffer>
  readonly answer: Promise<Buffer | undefined>
}

function openStream(): Stream {
  let call: grpc.ClientWritableStream<Buffer> | undefined
  const answer = new Promise<Buffer | undefined>((resolve, reject) => {
    call = client.makeClientStreamRequest(
      path,
      asIs,
      asIs,
      (error: grpc.ServiceError | null, message?: Buffer) => (error ? reject(error) : resolve(message)),
    )
  })
  if (!call) throw new Error('no call')
  return { call, answer }
}

const entry = (id: string): object => ({ ...logEntry, request: { request_id: id } })

const batch = (ids: readonly string[], identifier?: object): Buffer =>
  Buffer.from(logMessageBytes({ identifier, http_logs: { log_entry: ids.map(entry) } }))

const identifier = { node: { id: 'envoy-1', cluster: 'weir' }, log_name: 'weir' }

describe('the access log service', () => {
  test('what the first message of a stream says of itself holds for all of it', async () => {
    const { call, answer } = openStream()
    call.write(batch(['a', 'b'], identifier))
    call.write(batch(['c']))
    call.end()
    expect(await answer).toEqual(Buffer.alloc(0))
    expect(entries).toEqual(['envoy-1 weir a', 'envoy-1 weir b', 'envoy-1 weir c'])
    expect(errors).toEqual([])
  })

  test('two Envoys are kept apart', async () => {
    const one = openStream()
    const two = openStream()
    one.call.write(batch(['a'], identifier))
    two.call.write(batch(['b'], { ...identifier, node: { id: 'envoy-2' } }))
    one.call.end()
    two.call.end()
    await Promise.all([one.answer, two.answer])
    expect(entries.toSorted()).toEqual(['envoy-1 weir a', 'envoy-2 weir b'])
  })

  test('an entry that makes no sense, or a receiver that throws, does not take the others with it', async () => {
    const broken = Buffer.from([0x0a, 0x7f])
    const http = Buffer.concat([Buffer.from([0x0a, broken.length]), broken])
    const { call, answer } = openStream()
    call.write(
      Buffer.concat([batch(['a'], identifier), Buffer.from([0x12, http.length]), http, batch(['b'])]),
    )
    call.write(batch(['throw', 'c']))
    call.write(Buffer.from('garbage'))
    call.write(batch(['d']))
    call.end()
    await answer
    expect(entries).toEqual(['a', 'b', 'c', 'd'].map((id) => `envoy-1 weir ${id}`))
    expect(errors).toEqual([1, 1, 0])
  })

  test('entries of connections are not requests; those that failed are told', async () => {
    const failed = { common_properties: { downstream_transport_failure_reason: 'no cipher' } }
    const { call, answer } = openStream()
    call.write(Buffer.from(logMessageBytes({ identifier, tcp_logs: { log_entry: [{}, failed] } })))
    call.end()
    await answer
    expect([entries, failures, errors]).toEqual([[], ['envoy-1 no cipher'], []])
  })

  test('closing ends open streams, so that the server can drain', async () => {
    const { call, answer } = openStream()
    const first = new Promise<void>((resolve) => (arrived = resolve))
    call.write(batch(['a'], identifier))
    await first
    log.close()
    await answer
    await server.drain()
    expect(entries).toEqual(['envoy-1 weir a'])
  })
})
