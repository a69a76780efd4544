// Reads one envoy.data.accesslog.v3.HTTPAccessLogEntry: only the fields that an event needs, because the library's decoder
// would double the cost. The decision record stays the text that it is: most of it goes into the event unchanged.
import type { AccessLogEntry, Durations } from './access-log-entry.ts'
import {
  type Mutable,
  readEndpoint,
  readFlag,
  readTime,
  readTls,
  readUInt32Value,
} from './access-log-fields.ts'
import { methods, protocolVersions } from './access-log-names.ts'
import { recordKey } from './check-response.ts'
import { type StructValue, readValue } from './struct.ts'
import {
  type ReadField,
  type WireReader,
  createReader,
  readAll,
  readInt64,
  readMessage,
  tag,
} from './wire.ts'

/** The entry in the making, and what only decides whether it becomes one. */
type Draft = {
  readonly entry: Mutable<Omit<AccessLogEntry, 'durations'>> & { readonly durations: Mutable<Durations> }
  readonly flags: string[]
  intermediate: boolean
  type: number
  /** Of the connection, since the request before; TLS not counted. */
  bytesReceived: number
}

type Read = ReadField<Draft>

const first = tag(1, 'bytes')
const second = tag(2, 'bytes')

/** The record that check-response.ts wrote: JSON as one string. Anything else under Weir's key is somebody else's. */
const textOf = (value: StructValue): string | undefined => (typeof value === 'string' ? value : undefined)

/** A field of a namespace's Struct. */
type MetadataField = { key: string; value: StructValue }
const readMetadataField: ReadField<MetadataField> = (held, field, reader) => {
  if (field === first) held.key = reader.string()
  // Whatever else a filter keeps there is not decoded; in a map's entry the key comes first.
  else if (field === second && held.key.startsWith(recordKey)) held.value = readValue(reader)
  else return false
  return true
}
const readNamespaceStruct: Read = (draft, field, reader) => {
  if (field !== first) return false
  const held: MetadataField = { key: '', value: null }
  readMessage(reader, held, readMetadataField)
  if (held.key === recordKey) draft.entry.record ??= textOf(held.value)
  else if (held.key === `${recordKey}_response`) draft.entry.responseRecord ??= textOf(held.value)
  return true
}
/** An entry of `filter_metadata`; Weir's keys are looked for in any namespace (spec control-plane 2.4). */
const readNamespace: Read = (draft, field, reader) => {
  if (field !== second) return false
  readMessage(reader, draft, readNamespaceStruct)
  return true
}
const readMetadata: Read = (draft, field, reader) => {
  if (field !== first) return false
  readMessage(reader, draft, readNamespace)
  return true
}

type Fields = ReadonlyMap<number, (draft: Draft, reader: WireReader) => void>

/** AccessLogCommon */
const common: Fields = new Map([
  [tag(2, 'bytes'), ({ entry }, reader) => void (entry.client = readEndpoint(reader))],
  [tag(3, 'bytes'), ({ entry }, reader) => void (entry.local = readEndpoint(reader))],
  [tag(4, 'bytes'), ({ entry }, reader) => void (entry.tls = readTls(reader))],
  [tag(5, 'bytes'), ({ entry }, reader) => void (entry.startTime = readTime(reader))],
  [tag(6, 'bytes'), ({ entry }, reader) => void (entry.durations.lastRequestByte = readTime(reader))],
  [
    tag(7, 'bytes'),
    ({ entry }, reader) => void (entry.durations.firstUpstreamRequestByte = readTime(reader)),
  ],
  [tag(8, 'bytes'), ({ entry }, reader) => void (entry.durations.lastUpstreamRequestByte = readTime(reader))],
  [
    tag(9, 'bytes'),
    ({ entry }, reader) => void (entry.durations.firstUpstreamResponseByte = readTime(reader)),
  ],
  [
    tag(10, 'bytes'),
    ({ entry }, reader) => void (entry.durations.lastUpstreamResponseByte = readTime(reader)),
  ],
  [tag(11, 'bytes'), ({ entry }, reader) => void (entry.durations.firstResponseByte = readTime(reader))],
  [tag(12, 'bytes'), ({ entry }, reader) => void (entry.durations.lastResponseByte = readTime(reader))],
  [tag(13, 'bytes'), ({ entry }, reader) => void (entry.upstream = readEndpoint(reader))],
  [tag(15, 'bytes'), ({ entry }, reader) => void (entry.upstreamCluster = reader.string())],
  [tag(16, 'bytes'), (draft, reader) => readMessage(reader, draft.flags, readFlag)],
  [tag(17, 'bytes'), (draft, reader) => readMessage(reader, draft, readMetadata)],
  [tag(18, 'bytes'), ({ entry }, reader) => void (entry.upstreamFailure = reader.string())],
  [tag(19, 'bytes'), ({ entry }, reader) => void (entry.routeName = reader.string())],
  [tag(20, 'bytes'), ({ entry }, reader) => void (entry.peer = readEndpoint(reader))],
  [tag(23, 'bytes'), ({ entry }, reader) => void (entry.durations.duration = readTime(reader))],
  [tag(24, 'varint'), ({ entry }, reader) => void (entry.upstreamAttempts = reader.uint32())],
  [tag(25, 'bytes'), ({ entry }, reader) => void (entry.terminationDetails = reader.string())],
  [tag(27, 'varint'), (draft, reader) => void (draft.intermediate = readInt64(reader) !== 0)],
  [tag(30, 'varint'), (draft, reader) => void (draft.bytesReceived = readInt64(reader))],
  [tag(33, 'varint'), (draft, reader) => void (draft.type = reader.uint32())],
])

/** HTTPRequestProperties */
const request: Fields = new Map([
  [tag(1, 'varint'), ({ entry }, reader) => void (entry.method = methods[reader.uint32()] ?? '')],
  [tag(2, 'bytes'), ({ entry }, reader) => void (entry.scheme = reader.string())],
  [tag(3, 'bytes'), ({ entry }, reader) => void (entry.authority = reader.string())],
  [tag(5, 'bytes'), ({ entry }, reader) => void (entry.path = reader.string())],
  [tag(6, 'bytes'), ({ entry }, reader) => void (entry.userAgent = reader.string())],
  [tag(7, 'bytes'), ({ entry }, reader) => void (entry.referer = reader.string())],
  [tag(8, 'bytes'), ({ entry }, reader) => void (entry.forwardedFor = reader.string())],
  [tag(9, 'bytes'), ({ entry }, reader) => void (entry.requestId = reader.string())],
  [tag(11, 'varint'), ({ entry }, reader) => void (entry.requestHeaderBytes = readInt64(reader))],
  [tag(12, 'varint'), ({ entry }, reader) => void (entry.requestBodyBytes = readInt64(reader))],
])

/** HTTPResponseProperties */
const response: Fields = new Map([
  [tag(1, 'bytes'), ({ entry }, reader) => void (entry.responseCode = readUInt32Value(reader))],
  [tag(2, 'varint'), ({ entry }, reader) => void (entry.responseHeaderBytes = readInt64(reader))],
  [tag(3, 'varint'), ({ entry }, reader) => void (entry.responseBodyBytes = readInt64(reader))],
  [tag(6, 'bytes'), ({ entry }, reader) => void (entry.responseCodeDetails = reader.string())],
])

const from =
  (fields: Fields): Read =>
  (draft, field, reader) => {
    const read = fields.get(field)
    read?.(draft, reader)
    return read !== undefined
  }

const readCommon = from(common)
const readRequest = from(request)
const readResponse = from(response)

/** HTTPAccessLogEntry */
const readEntryField: Read = (draft, field, reader) => {
  if (field === first) readMessage(reader, draft, readCommon)
  else if (field === tag(2, 'varint')) draft.entry.protocolVersion = protocolVersions[reader.uint32()]
  else if (field === tag(3, 'bytes')) readMessage(reader, draft, readRequest)
  else if (field === tag(4, 'bytes')) readMessage(reader, draft, readResponse)
  else return false
  return true
}

/** AccessLogType: entries of a stream that goes on, or of an upstream attempt, are none of ours. */
const types = { notSet: 0, downstreamEnd: 6 } as const

const isFinal = ({ type, intermediate }: Draft): boolean =>
  (type === types.notSet || type === types.downstreamEnd) && !intermediate

/** The end of a line counts: `G / HTTP/1.1` and a line feed. */
const shortestRequestLine = 13

/**
 * An HTTP/1 connection that ended, unanswered, before a request line can have come: Envoy writes an entry from the first
 * byte on, be it the empty line that some clients send behind a body. Who left in the middle of the headers has sent more,
 * and what Envoy answered by itself (400, 408) counts as a request, however short.
 */
const cameToNoRequest = ({ entry: { protocolVersion, responseCode }, bytesReceived }: Draft): boolean =>
  protocolVersion === '1.1' && responseCode === 0 && bytesReceived > 0 && bytesReceived < shortestRequestLine

function draftOf(node: string, logName: string): Draft {
  const flags: string[] = []
  return {
    entry: {
      node,
      logName,
      startTime: 0,
      client: undefined,
      peer: undefined,
      local: undefined,
      tls: undefined,
      method: '',
      scheme: '',
      authority: '',
      path: '',
      userAgent: '',
      referer: '',
      forwardedFor: '',
      requestId: '',
      requestHeaderBytes: 0,
      requestBodyBytes: 0,
      protocolVersion: undefined,
      responseCode: 0,
      responseCodeDetails: '',
      responseHeaderBytes: 0,
      responseBodyBytes: 0,
      responseFlags: flags,
      durations: {
        duration: undefined,
        lastRequestByte: undefined,
        firstUpstreamRequestByte: undefined,
        lastUpstreamRequestByte: undefined,
        firstUpstreamResponseByte: undefined,
        lastUpstreamResponseByte: undefined,
        firstResponseByte: undefined,
        lastResponseByte: undefined,
      },
      upstream: undefined,
      upstreamCluster: '',
      upstreamAttempts: 0,
      upstreamFailure: '',
      terminationDetails: '',
      routeName: '',
      record: undefined,
      responseRecord: undefined,
    },
    flags,
    intermediate: false,
    type: types.notSet,
    bytesReceived: 0,
  }
}

/**
 * Reads an HTTPAccessLogEntry; undefined if the request is not finished, or there was none. `node` and `logName` are
 * those that the stream was opened with. Throws on bytes that are none.
 */
export function decodeHttpEntry(
  message: Uint8Array,
  node: string,
  logName: string,
): AccessLogEntry | undefined {
  const draft = draftOf(node, logName)
  readAll(createReader(message), draft, readEntryField)
  return isFinal(draft) && !cameToNoRequest(draft) ? draft.entry : undefined
}
