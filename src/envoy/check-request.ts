// From the bytes of envoy.service.auth.v3.CheckRequest to a RequestInput. Read by hand: with the library's decoder the
// headers alone cost twice as much (bench/authz.ts), and this runs for every request. Nothing is judged here: whether
// header bytes are valid UTF-8 or a body is complete is for the pipeline to say, which gets them as they came.
import type { Connection, HeaderLine, RequestInput } from '#request'
import { isFingerprintHeader, noFingerprints, readFingerprints } from './fingerprints.ts'
import { sentHeaders } from './sent-headers.ts'
import { readMetadataValues } from './struct.ts'
import { Text } from './text.ts'
import {
  type ReadField,
  type WireReader,
  createReader,
  enter,
  leave,
  readAll,
  readInt64,
  readMessage,
  skip,
  tag,
} from './wire.ts'

/** What was read so far; every message below fills in its part. */
type Draft = {
  readonly text: Text
  readonly headers: HeaderLine[]
  readonly plainHeaders: HeaderLine[]
  readonly fingerprints: HeaderLine[]
  readonly extensions: Map<string, string>
  readonly plugins: Map<string, string>
  hasHttp: boolean
  method: string
  target: string
  authority: string
  scheme: string
  protocol: string
  requestId: string
  partial: boolean
  body: Uint8Array | undefined
  timestamp: number
  peer: string
  certificate: string
  port: number
  sni: string
}

type Read = ReadField<Draft>

function readText(reader: WireReader, { text }: Draft): string {
  const end = enter(reader)
  const start = reader.pos
  reader.pos = end
  return text.text(start, end)
}

function readTextOrBytes(reader: WireReader, { text }: Draft): string | Uint8Array {
  const end = enter(reader)
  const start = reader.pos
  reader.pos = end
  return text.textOrBytes(start, end)
}

function readBytes(reader: WireReader): Uint8Array {
  const end = enter(reader)
  const start = reader.pos
  reader.pos = end
  return reader.buf.subarray(start, end)
}

const first = tag(1, 'bytes')

/** Key and value of a map's entry; in envoy.config.core.v3.HeaderValue there is a third field for raw bytes. */
const name = tag(1, 'bytes')
const value = tag(2, 'bytes')
const rawValue = tag(3, 'bytes')

function readHeader(reader: WireReader, draft: Draft): HeaderLine {
  const end = enter(reader)
  let key: string | Uint8Array = ''
  let content: string | Uint8Array = ''
  while (reader.pos < end) {
    const field = reader.uint32()
    if (field === name) key = readTextOrBytes(reader, draft)
    else if (field === rawValue) content = readTextOrBytes(reader, draft)
    else if (field === value) {
      // Empty where raw_value is not.
      const text = readTextOrBytes(reader, draft)
      if (content.length === 0) content = text
    } else skip(reader, field)
  }
  leave(reader, end)
  return [key, content]
}

const asText = (bytes: string | Uint8Array): string =>
  typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1')

/** Pseudo-headers repeat the request's attributes; they count where those are missing. */
function takePseudoHeader(draft: Draft, key: string, content: string | Uint8Array): void {
  if (key === ':authority') draft.authority ||= asText(content)
  else if (key === ':path') draft.target ||= asText(content)
  else if (key === ':method') draft.method ||= asText(content)
  else if (key === ':scheme') draft.scheme ||= asText(content)
}

function takeHeader(draft: Draft, lines: HeaderLine[], line: HeaderLine): void {
  const [key, content] = line
  if (typeof key === 'string') {
    if (key.startsWith(':')) return takePseudoHeader(draft, key, content)
    if (key === 'x-request-id') draft.requestId ||= asText(content)
    else if (key === 'x-envoy-auth-partial-body') draft.partial ||= content === 'true'
    else if (isFingerprintHeader(key)) draft.fingerprints.push(line)
  }
  lines.push(line)
}

/** envoy.config.core.v3.HeaderMap */
function readHeaderMap(reader: WireReader, draft: Draft): void {
  const end = enter(reader)
  draft.text.stretch(reader.pos, end)
  while (reader.pos < end) {
    const field = reader.uint32()
    if (field === first) takeHeader(draft, draft.headers, readHeader(reader, draft))
    else skip(reader, field)
  }
  leave(reader, end)
}

/** AttributeContext.HttpRequest. `id` (1) is Envoy's stream id, not x-request-id; `size` and `query` say nothing new. */
const http = {
  method: tag(2, 'bytes'),
  headers: tag(3, 'bytes'),
  path: tag(4, 'bytes'),
  host: tag(5, 'bytes'),
  scheme: tag(6, 'bytes'),
  protocol: tag(10, 'bytes'),
  body: tag(11, 'bytes'),
  rawBody: tag(12, 'bytes'),
  headerMap: tag(13, 'bytes'),
} as const

const readHttp: Read = (draft, field, reader) => {
  if (field === http.headerMap) readHeaderMap(reader, draft)
  else if (field === http.method) draft.method = readText(reader, draft)
  else if (field === http.path) draft.target = readText(reader, draft)
  else if (field === http.host) draft.authority = readText(reader, draft)
  else if (field === http.scheme) draft.scheme = readText(reader, draft)
  else if (field === http.protocol) draft.protocol = readText(reader, draft)
  else if (field === http.headers) takeHeader(draft, draft.plainHeaders, readHeader(reader, draft))
  else if (field === http.rawBody || field === http.body) {
    const body = readBytes(reader)
    if (body.length > 0) draft.body = body
  } else return false
  return true
}

/** google.protobuf.Timestamp */
const seconds = tag(1, 'varint')
const nanos = tag(2, 'varint')
const readTime: Read = (draft, field, reader) => {
  if (field === seconds) draft.timestamp += readInt64(reader) * 1000
  else if (field === nanos) draft.timestamp += Math.floor(readInt64(reader) / 1_000_000)
  else return false
  return true
}

/** AttributeContext.Request */
const requestTime = tag(1, 'bytes')
const requestHttp = tag(2, 'bytes')
const readRequest: Read = (draft, field, reader) => {
  if (field === requestTime) readMessage(reader, draft, readTime)
  else if (field === requestHttp) {
    draft.hasHttp = true
    readMessage(reader, draft, readHttp)
  } else return false
  return true
}

/** AttributeContext.Peer holds an Address, that a SocketAddress; a pipe has neither host nor port. */
const peerAddress = tag(1, 'bytes')
const peerCertificate = tag(5, 'bytes')
const socketHost = tag(2, 'bytes')
const socketPort = tag(3, 'varint')

const readSourceSocket: Read = (draft, field, reader) => {
  if (field !== socketHost) return false
  draft.peer = readText(reader, draft)
  return true
}
const readSourceAddress: Read = (draft, field, reader) => {
  if (field !== first) return false
  readMessage(reader, draft, readSourceSocket)
  return true
}
const readSource: Read = (draft, field, reader) => {
  if (field === peerAddress) readMessage(reader, draft, readSourceAddress)
  else if (field === peerCertificate) draft.certificate = readText(reader, draft)
  else return false
  return true
}
const readDestinationSocket: Read = (draft, field, reader) => {
  if (field !== socketPort) return false
  draft.port = reader.uint32()
  return true
}
const readDestinationAddress: Read = (draft, field, reader) => {
  if (field !== first) return false
  readMessage(reader, draft, readDestinationSocket)
  return true
}
const readDestination: Read = (draft, field, reader) => {
  if (field !== peerAddress) return false
  readMessage(reader, draft, readDestinationAddress)
  return true
}

/** AttributeContext.TLSSession */
const readTls: Read = (draft, field, reader) => {
  if (field !== first) return false
  draft.sni = readText(reader, draft)
  return true
}

/** One entry of `context_extensions`. */
function readExtension(reader: WireReader, draft: Draft): void {
  const end = enter(reader)
  let key = ''
  let content = ''
  while (reader.pos < end) {
    const field = reader.uint32()
    if (field === name) key = readText(reader, draft)
    else if (field === value) content = readText(reader, draft)
    else skip(reader, field)
  }
  leave(reader, end)
  draft.extensions.set(key, content)
}

/** AttributeContext */
const attributes = {
  source: tag(1, 'bytes'),
  destination: tag(2, 'bytes'),
  request: tag(4, 'bytes'),
  extension: tag(10, 'bytes'),
  metadata: tag(11, 'bytes'),
  tls: tag(12, 'bytes'),
} as const

const readAttributes: Read = (draft, field, reader) => {
  if (field === attributes.request) readMessage(reader, draft, readRequest)
  else if (field === attributes.source) readMessage(reader, draft, readSource)
  else if (field === attributes.destination) readMessage(reader, draft, readDestination)
  else if (field === attributes.extension) readExtension(reader, draft)
  else if (field === attributes.metadata) readMetadataValues(reader, draft.plugins)
  else if (field === attributes.tls) readMessage(reader, draft, readTls)
  else return false
  return true
}

const readCheckRequest: Read = (draft, field, reader) => {
  if (field !== first) return false
  readMessage(reader, draft, readAttributes)
  return true
}

const draftOf = (message: Uint8Array): Draft => ({
  text: new Text(message),
  headers: [],
  plainHeaders: [],
  fingerprints: [],
  extensions: new Map(),
  plugins: new Map(),
  hasHttp: false,
  method: '',
  target: '',
  authority: '',
  scheme: '',
  protocol: '',
  requestId: '',
  partial: false,
  body: undefined,
  timestamp: 0,
  peer: '',
  certificate: '',
  port: 0,
  sni: '',
})

/** Only Weir's own routes are known to have removed a client's headers of these names; elsewhere they are ordinary ones. */
const speaksForEnvoy = ({ extensions, fingerprints }: Draft): boolean =>
  fingerprints.length > 0 && extensions.has('weir.sg')

const connectionOf = (
  draft: Draft,
  { port, protocol, sni, certificate, extensions } = draft,
): Connection => ({
  port,
  protocol,
  sni: sni === '' ? undefined : sni,
  certificate: certificate === '' ? undefined : certificate,
  listener: extensions.get('weir.lb'),
  clientCertificates: extensions.get('weir.mtls'),
  ...(speaksForEnvoy(draft) ? readFingerprints(draft.fingerprints) : noFingerprints),
})

const none: ReadonlySet<string> = new Set()

/**
 * Reads a CheckRequest. `now` (milliseconds since the epoch) stands in where Envoy names no time. A body that fills
 * Envoy's buffer exactly is handed over as Envoy flags it: whether more may have followed depends on the buffer's
 * size, which the pipeline knows (spec control-plane 2.6). `own`: addresses of this machine, see sent-headers.ts. Throws
 * on bytes that are no CheckRequest for HTTP; never reads past them.
 */
export function decodeCheckRequest(
  message: Uint8Array,
  now: number,
  own: ReadonlySet<string> = none,
): RequestInput {
  const draft = draftOf(message)
  readAll(createReader(message), draft, readCheckRequest)
  if (!draft.hasHttp) throw new Error('attributes.request.http is missing')
  const { headers, plainHeaders, body, extensions } = draft
  // Envoy fills one of the two; `headers` is the older one, without duplicates.
  const all = headers.length > 0 ? headers : plainHeaders
  const received = speaksForEnvoy(draft) ? all.filter((line) => !draft.fingerprints.includes(line)) : all
  const { lines, scheme } = sentHeaders(received, { peer: draft.peer, own })
  return {
    method: draft.method,
    // A client of HTTP/2 writes `:scheme` itself.
    scheme: scheme ?? (draft.scheme.toLowerCase() === 'https' ? 'https' : 'http'),
    authority: draft.authority,
    target: draft.target,
    headers: lines,
    body: body === undefined ? undefined : { bytes: body, partial: draft.partial },
    peer: draft.peer,
    client: undefined,
    timestamp: draft.timestamp === 0 ? now : draft.timestamp,
    requestId: draft.requestId,
    human: undefined,
    hints: { group: extensions.get('weir.sg'), entry: extensions.get('weir.entry') },
    plugins: draft.plugins,
    connection: connectionOf(draft),
  }
}
