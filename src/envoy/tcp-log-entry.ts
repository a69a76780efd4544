// Reads one envoy.data.accesslog.v3.TCPAccessLogEntry. Listeners write them for connections that failed alone: an operator
// whose clients cannot connect finds the reason nowhere else.
import type { ConnectionFailure } from './access-log-entry.ts'
import { type Mutable, readEndpoint, readFlag, readHandshake, readTime } from './access-log-fields.ts'
import { type ReadField, createReader, readAll, readMessage, tag } from './wire.ts'

type Draft = Mutable<Omit<ConnectionFailure, 'kind' | 'detail'>> & {
  transportFailure: string
  terminationDetails: string
  readonly flags: string[]
}

/** AccessLogCommon */
const readCommon: ReadField<Draft> = (draft, field, reader) => {
  switch (field) {
    case tag(3, 'bytes'):
      draft.local = readEndpoint(reader)
      return true
    case tag(4, 'bytes'):
      draft.sni = readHandshake(reader).sni
      return true
    case tag(5, 'bytes'):
      draft.startTime = readTime(reader)
      return true
    case tag(16, 'bytes'):
      readMessage(reader, draft.flags, readFlag)
      return true
    case tag(20, 'bytes'):
      draft.peer = readEndpoint(reader)
      return true
    case tag(25, 'bytes'):
      draft.terminationDetails = reader.string()
      return true
    case tag(28, 'bytes'):
      draft.transportFailure = reader.string()
      return true
    default:
      return false
  }
}

const readEntry: ReadField<Draft> = (draft, field, reader) => {
  if (field !== tag(1, 'bytes')) return false
  readMessage(reader, draft, readCommon)
  return true
}

/** The failed connection; undefined: it did not fail. `node` is that of the stream. Throws on bytes that are none. */
export function decodeConnectionFailure(message: Uint8Array, node: string): ConnectionFailure | undefined {
  const draft: Draft = {
    node,
    startTime: 0,
    peer: undefined,
    local: undefined,
    sni: '',
    transportFailure: '',
    terminationDetails: '',
    flags: [],
  }
  readAll(createReader(message), draft, readEntry)
  const { transportFailure, terminationDetails, flags, ...failure } = draft
  if (flags.includes('no_route_found')) return { ...failure, kind: 'no_chain', detail: terminationDetails }
  // A handshake that took too long is known by how the connection ended alone.
  const detail = transportFailure || terminationDetails
  return detail === '' ? undefined : { ...failure, kind: 'handshake', detail }
}
