// A client's side of a connection in memory, for tests and the fuzz target: frames as bytes, and what came back as frames.
import type { UnaryMethod } from '../transport.ts'
import { type Connection, createConnection } from './connection.ts'
import { type ErrorCode, clientPreface, errorCode, flag, frameType, headBytes, writeHead } from './frames.ts'
import { type Limits, createBudget, defaultLimits } from './limits.ts'
import type { Served } from './stream.ts'

type Head = { readonly flags?: number; readonly stream?: number; readonly type?: number }

export function frameOf(
  type: number,
  payload: Uint8Array | string,
  { flags = 0, stream = 0 }: Head = {},
): Buffer {
  const bytes = Buffer.from(payload)
  const whole = Buffer.alloc(headBytes + bytes.length)
  bytes.copy(whole, writeHead(whole, 0, { length: bytes.length, type, flags, stream }))
  return whole
}

const stringOf = (text: string): Buffer => {
  const bytes = Buffer.from(text, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const rest = bytes.length - 127
  const length =
    rest < 128
      ? [127, rest]
      : rest < 16_384
        ? [127, (rest & 127) | 128, rest >> 7]
        : [127, (rest & 127) | 128, ((rest >> 7) & 127) | 128, rest >> 14]
  return Buffer.concat([Buffer.from(length), bytes])
}

export type Fields = readonly (readonly [name: string, value: string])[]

/** A header block of literals; `indexed` puts them into the dynamic table. */
export const blockOf = (fields: Fields, how: 'literal' | 'indexed' = 'literal'): Buffer =>
  Buffer.concat(
    fields.flatMap(([name, value]) => [
      Buffer.from([how === 'literal' ? 0 : 0x40]),
      stringOf(name),
      stringOf(value),
    ]),
  )

export const path = '/a.B/Echo'

/** The fields of a call; `changes` replace some, or take them away. */
export const callFields = (changes: Readonly<Record<string, string | undefined>> = {}): Fields =>
  Object.entries({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': path,
    ':authority': 'filter',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...changes,
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))

type How = { readonly end?: boolean; readonly flags?: number }

export const headersFrame = (
  stream: number,
  block: Fields | Uint8Array = callFields(),
  { end = false, flags = flag.endHeaders }: How = {},
): Buffer =>
  frameOf(frameType.headers, block instanceof Uint8Array ? block : blockOf(block), {
    flags: flags | (end ? flag.endStream : 0),
    stream,
  })

export const dataFrame = (
  stream: number,
  payload: Uint8Array | string,
  { end = false, flags = 0 }: How = {},
): Buffer => frameOf(frameType.data, payload, { flags: flags | (end ? flag.endStream : 0), stream })

export const messageOf = (content: Uint8Array | string, compressed = 0): Buffer => {
  const bytes = Buffer.from(content)
  const prefix = Buffer.alloc(5)
  prefix[0] = compressed
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

/** A whole call. */
export const callFrames = (stream: number, content = 'hello'): Buffer =>
  Buffer.concat([headersFrame(stream), dataFrame(stream, messageOf(content), { end: true })])

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const settings = (...values: readonly (readonly [id: number, value: number])[]): Buffer =>
  frameOf(
    frameType.settings,
    Buffer.concat(
      values.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 255]), word(value)])),
    ),
  )
export const windowUpdate = (stream: number, increment: number): Buffer =>
  frameOf(frameType.windowUpdate, word(increment), { stream })
export const rstStream = (stream: number): Buffer =>
  frameOf(frameType.rstStream, word(errorCode.cancel), { stream })
export const ping = (data = '12345678', flags = 0): Buffer => frameOf(frameType.ping, data, { flags })

/** What a client begins with. */
export const clientGreeting = Buffer.concat([clientPreface, settings()])

export type Sent = {
  readonly type: number
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

export function framesIn(bytes: Buffer): readonly Sent[] {
  const frames: Sent[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + headBytes + bytes.readUIntBE(at, 3)
    if (end > bytes.length) throw new Error('a frame without its end')
    frames.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + headBytes, end),
    })
    at = end
  }
  return frames
}

const codeNames = new Map<number, ErrorCode>(
  Object.entries(errorCode).map(([name, code]) => [code, name as ErrorCode]),
)

export const codeIn = (payload: Buffer, at: number): ErrorCode | undefined =>
  codeNames.get(payload.readUInt32BE(at))

/** Frames in words, as tests compare them; what every connection begins with is left out. */
export function inWords(frames: readonly Sent[]): readonly string[] {
  return frames.flatMap(({ type, flags, stream, payload }) => {
    const last = flags & flag.endStream ? ', end' : ''
    switch (type) {
      case frameType.data:
        return [`${stream}: data ${payload.length}${last}`]
      case frameType.headers: {
        // Literals stand in the block as they are.
        const status = /grpc-status.(\d+)/s.exec(payload.toString('latin1'))?.[1]
        return [`${stream}: headers${status === undefined ? '' : ` grpc-status ${status}`}${last}`]
      }
      case frameType.rstStream:
        return [`${stream}: reset ${codeIn(payload, 0) ?? 'unknown'}`]
      case frameType.goaway:
        return [`goaway ${payload.readUInt32BE(0)} ${codeIn(payload, 4) ?? 'unknown'}`]
      case frameType.ping:
        return [`ping ${flags & flag.ack ? 'answer' : 'question'} ${payload.toString('latin1')}`]
      case frameType.windowUpdate:
        return [`${stream}: window ${payload.readUInt32BE(0)}`]
      default:
        return []
    }
  })
}

export type Client = {
  readonly connection: Connection
  /** Sends, and returns what came back at once, in words. */
  say(...frames: readonly Uint8Array[]): readonly string[]
  /** What has come since it was last asked. */
  heard(): readonly Sent[]
  readonly ended: boolean
  readonly defects: readonly unknown[]
  /** Bytes of half-received messages. */
  readonly held: number
  /** Whether it takes what it is sent. */
  takes(what: 'nothing' | 'everything'): void
}

export type ClientOptions = {
  readonly methods?: Readonly<Record<string, UnaryMethod>>
  readonly limits?: Partial<Limits>
  readonly now?: () => number
  /** Default: it has greeted. */
  readonly greet?: 'no'
}

/** A connection to a server with an echo at `path`. */
export function openClient({ methods = {}, limits, now = () => 0, greet }: ClientOptions = {}): Client {
  let chunks: Buffer[] = []
  let ended = false
  let full = false
  const defects: unknown[] = []
  const all: Readonly<Record<string, UnaryMethod>> = { [path]: (request) => request, ...methods }
  const budget = createBudget(limits?.maxHeldBytes ?? defaultLimits.maxHeldBytes)
  const connection = createConnection({
    sink: {
      // The server goes on with its buffer.
      write: (bytes) => void chunks.push(Buffer.from(bytes)),
      end: () => (ended = true),
      get full() {
        return full
      },
    },
    methods: new Map(
      Object.entries(all).map(
        ([at, method]) => [at, { path: at as Served['path'], method, urgent: false }] as const,
      ),
    ),
    limits: { ...defaultLimits, ...limits },
    budget,
    onDefect: (error) => void defects.push(error),
    now,
  })
  const heard = (): readonly Sent[] => {
    const bytes = Buffer.concat(chunks)
    chunks = []
    return framesIn(bytes)
  }
  if (greet === undefined) {
    connection.receive(clientGreeting)
    heard()
  }
  return {
    connection,
    say(...frames) {
      connection.receive(Buffer.concat(frames))
      return inWords(heard())
    },
    heard,
    get ended() {
      return ended
    },
    defects,
    takes(what) {
      full = what === 'nothing'
      if (!full) connection.drained()
    },
    get held() {
      return budget.taken
    },
  }
}
