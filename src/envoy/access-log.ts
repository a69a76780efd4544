// The gRPC access log service: Envoy tells about every finished request, in batches, and never waits for an answer. So
// nothing here may throw or wait either: what cannot be read is counted and left behind, entry by entry.
import type * as grpc from '@grpc/grpc-js'
import type { AccessLogEntry, ConnectionFailure } from './access-log-entry.ts'
import { decodeHttpEntry } from './http-log-entry.ts'
import { decodeConnectionFailure } from './tcp-log-entry.ts'
import { type ReadField, createReader, enter, readAll, readMessage, tag } from './wire.ts'

export type AccessLogOptions = {
  /** Called for every finished request, in the order in which Envoy tells; must return at once. */
  readonly onEntry: (entry: AccessLogEntry) => void
  /** Called for every connection that failed before a request; must return at once. */
  readonly onConnectionFailure: (failure: ConnectionFailure) => void
  /** Told about bytes that make no sense, and about a receiver that threw: `lost` entries were left behind. */
  readonly onError: (error: unknown, lost: number) => void
}

export type AccessLog = {
  register(server: grpc.Server): void
  /** Ends the streams; Envoys open new ones to whoever listens next. */
  close(): void
}

/** What the first message of a stream says, for all of it. */
type Identifier = { node: string; logName: string }

const first = tag(1, 'bytes')
const second = tag(2, 'bytes')
const third = tag(3, 'bytes')

/** envoy.config.core.v3.Node */
const readNode: ReadField<Identifier> = (identifier, field, reader) => {
  if (field !== first) return false
  identifier.node = reader.string()
  return true
}
const readIdentifier: ReadField<Identifier> = (identifier, field, reader) => {
  if (field === first) readMessage(reader, identifier, readNode)
  else if (field === second) identifier.logName = reader.string()
  else return false
  return true
}

type Batch = {
  readonly identifier: Identifier
  readonly requests: Uint8Array[]
  readonly connections: Uint8Array[]
}

/** HTTPAccessLogEntries and TCPAccessLogEntries: where each entry begins and ends. */
const readEntries: ReadField<Uint8Array[]> = (entries, field, reader) => {
  if (field !== first) return false
  const end = enter(reader)
  entries.push(reader.buf.subarray(reader.pos, end))
  reader.pos = end
  return true
}

/** StreamAccessLogsMessage */
const readBatch: ReadField<Batch> = (batch, field, reader) => {
  if (field === first) readMessage(reader, batch.identifier, readIdentifier)
  else if (field === second) readMessage(reader, batch.requests, readEntries)
  else if (field === third) readMessage(reader, batch.connections, readEntries)
  else return false
  return true
}

type Stream = grpc.ServerReadableStream<Buffer, Buffer>

const asIs = (message: Buffer): Buffer => message

const methods = {
  StreamAccessLogs: {
    path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
    requestStream: true,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
} satisfies grpc.ServiceDefinition

/** The StreamAccessLogsResponse: it has no fields. */
const empty = Buffer.alloc(0)

export function createAccessLog(options: AccessLogOptions): AccessLog {
  const { onEntry, onConnectionFailure, onError } = options
  const streams = new Map<Stream, () => void>()

  function hand<T>(decode: () => T | undefined, to: (found: T) => void): void {
    try {
      const found = decode()
      if (found) to(found)
    } catch (error) {
      onError(error, 1)
    }
  }

  function receive(message: Buffer, identifier: Identifier): void {
    const batch: Batch = { identifier, requests: [], connections: [] }
    try {
      readAll(createReader(message), batch, readBatch)
    } catch (error) {
      // What was found before the bytes stopped making sense still counts.
      onError(error, 0)
    }
    const { node, logName } = identifier
    for (const one of batch.requests) hand(() => decodeHttpEntry(one, node, logName), onEntry)
    for (const one of batch.connections) hand(() => decodeConnectionFailure(one, node), onConnectionFailure)
  }

  const stream: grpc.handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
    const identifier: Identifier = { node: '', logName: '' }
    const forget = (): void => void streams.delete(call)
    const end = (): void => {
      if (streams.delete(call)) callback(null, empty)
    }
    streams.set(call, end)
    call.on('data', (message: Buffer) => receive(message, identifier))
    call.on('end', end)
    call.on('cancelled', forget)
    call.on('error', forget)
  }

  return {
    register(server) {
      server.addService(methods, { StreamAccessLogs: stream })
    },
    close() {
      for (const end of streams.values()) end()
    },
  }
}
