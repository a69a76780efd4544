// The parts that entries of the access log share, whether of requests or of connections: addresses, times, TLS, flags.
import type { Endpoint, TlsSession } from './access-log-entry.ts'
import { cipherName, flagName, tlsVersions } from './access-log-names.ts'
import { type ReadField, type WireReader, readInt64, readMessage, tag } from './wire.ts'

export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

const first = tag(1, 'bytes')
const second = tag(2, 'bytes')

/** google.protobuf.Duration and .Timestamp, in microseconds. */
type Time = { us: number }
const readTimeField: ReadField<Time> = (time, field, reader) => {
  if (field === tag(1, 'varint')) time.us += readInt64(reader) * 1_000_000
  else if (field === tag(2, 'varint')) time.us += Math.floor(readInt64(reader) / 1000)
  else return false
  return true
}
export function readTime(reader: WireReader): number {
  const time: Time = { us: 0 }
  readMessage(reader, time, readTimeField)
  return time.us
}

/** google.protobuf.UInt32Value */
type Wrapped = { value: number }
const readWrapped: ReadField<Wrapped> = (wrapped, field, reader) => {
  if (field !== tag(1, 'varint')) return false
  wrapped.value = reader.uint32()
  return true
}
export function readUInt32Value(reader: WireReader): number {
  const wrapped: Wrapped = { value: 0 }
  readMessage(reader, wrapped, readWrapped)
  return wrapped.value
}

/** envoy.config.core.v3.SocketAddress, .Pipe and .Address */
const readSocket: ReadField<Mutable<Endpoint>> = (endpoint, field, reader) => {
  if (field === second) endpoint.address = reader.string()
  else if (field === tag(3, 'varint')) endpoint.port = reader.uint32()
  else return false
  return true
}
const readPipe: ReadField<Mutable<Endpoint>> = (endpoint, field, reader) => {
  if (field !== first) return false
  endpoint.address = reader.string()
  return true
}
const readAddress: ReadField<Mutable<Endpoint>> = (endpoint, field, reader) => {
  if (field === first) readMessage(reader, endpoint, readSocket)
  else if (field === second) readMessage(reader, endpoint, readPipe)
  else return false
  return true
}
export function readEndpoint(reader: WireReader): Endpoint {
  const endpoint = { address: '', port: 0 }
  readMessage(reader, endpoint, readAddress)
  return endpoint
}

/** TLSProperties */
const readTlsField: ReadField<Mutable<TlsSession>> = (session, field, reader) => {
  if (field === tag(1, 'varint')) session.version = tlsVersions[reader.uint32()] ?? ''
  else if (field === second) session.cipher = cipherName(readUInt32Value(reader))
  else if (field === tag(3, 'bytes')) session.sni = reader.string()
  else return false
  return true
}
/** What is known of a handshake, be it that it failed. */
export function readHandshake(reader: WireReader): TlsSession {
  const session = { version: '', cipher: '', sni: '' }
  readMessage(reader, session, readTlsField)
  return session
}

export function readTls(reader: WireReader): TlsSession | undefined {
  const session = readHandshake(reader)
  // Envoy sends the message, empty, for plaintext connections too.
  return session.version === '' && session.cipher === '' ? undefined : session
}

/** ResponseFlags: one boolean field each, and one message. */
export const readFlag: ReadField<string[]> = (flags, field, reader) => {
  const number = field >>> 3
  if ((field & 7) === 0) {
    if (readInt64(reader) !== 0) flags.push(flagName(number))
    return true
  }
  if ((field & 7) === 2) flags.push(flagName(number))
  return false
}
