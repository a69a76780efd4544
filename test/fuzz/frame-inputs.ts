// Inputs for the lean transport: connections of a gRPC client, in memory. `mutated` ones are right until frames or bytes of them are
// changed; `violations` are right up to one thing that is wrong, and have to end as that thing demands; `cut` ones are right and
// arrive in odd pieces.
import {
  type Sent,
  blockOf,
  callFields,
  callFrames,
  codeIn,
  dataFrame,
  frameOf,
  headersFrame,
  messageOf,
  openClient,
  path,
  ping,
  rstStream,
  settings,
  windowUpdate,
} from '../../src/envoy/grpc/connection.fixture.ts'
import {
  type ErrorCode,
  clientPreface,
  flag,
  frameType,
  headBytes,
  settingId,
} from '../../src/envoy/grpc/frames.ts'
import { GrpcError } from '../../src/envoy/transport.ts'
import type { Input, Target } from './harness.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

const paths = [path, '/a.B/Later', '/a.B/Never', '/a.B/Refuse', '/a.B/Other'] as const

const methods = {
  '/a.B/Later': (request: Uint8Array): Promise<Uint8Array> => Promise.resolve(request),
  '/a.B/Never': (): Promise<Uint8Array> => new Promise(() => undefined),
  '/a.B/Refuse': (): Uint8Array => {
    throw new GrpcError('NOT_FOUND', 'no')
  },
}

function randomCall(random: Random, stream: number): readonly Buffer[] {
  const fields = callFields({
    ':path': random.pick(paths),
    'grpc-timeout': random.oneIn(2) ? undefined : random.pick(['1S', '20m', '1n', '5 years']),
    ...(random.oneIn(4) ? { [`x-${random.below(9)}`]: 'v'.repeat(random.below(300)) } : {}),
  })
  const block = blockOf(fields, random.pick(['literal', 'indexed'] as const))
  const body = messageOf(Buffer.alloc(random.below(random.oneIn(10) ? 15_000 : 60), 'm'))
  const cut = random.below(body.length)
  const head = random.oneIn(5)
    ? [
        frameOf(frameType.headers, block.subarray(0, 9), { stream }),
        frameOf(frameType.continuation, block.subarray(9), { stream, flags: flag.endHeaders }),
      ]
    : [headersFrame(stream, block)]
  const data = random.oneIn(3)
    ? [dataFrame(stream, body.subarray(0, cut)), dataFrame(stream, body.subarray(cut), { end: true })]
    : [dataFrame(stream, body, { end: true })]
  return [...head, ...data]
}

/** What a client may do at any time. `next` is the stream that it opens next. */
function randomAct(random: Random, next: number): readonly Buffer[] {
  switch (random.below(12)) {
    case 0:
      return [ping()]
    case 1:
      return [settings([settingId.initialWindowSize, random.pick([0, 10, 65_535, 100_000])])]
    case 2:
      return [windowUpdate(0, 1 + random.below(1000))]
    case 3:
      return [frameOf(frameType.priority, Buffer.alloc(5), { stream: next + 2 })]
    case 4:
      return [frameOf(20 + random.below(200), Buffer.alloc(random.below(50)), { stream: random.below(9) })]
    case 5:
      return [headersFrame(next), rstStream(next)]
    case 6:
      return [headersFrame(next), dataFrame(next, messageOf('abc').subarray(0, random.below(8)))]
    default:
      return randomCall(random, next)
  }
}

type Conversation = { readonly frames: readonly Buffer[]; readonly next: number }

function conversation(random: Random): Conversation {
  const frames: Buffer[] = [settings()]
  let next = 1
  for (let left = 1 + random.below(8); left > 0; left--) {
    frames.push(...randomAct(random, next))
    next += 2
  }
  return { frames, next }
}

function cutUp(random: Random, bytes: Buffer): readonly Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const size = random.oneIn(3) ? 1 + random.below(20) : 1 + random.below(bytes.length)
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return chunks
}

/** A frame is left out, doubled, moved, or its head or payload is changed. */
function mutateFrames(random: Random, frames: readonly Buffer[]): readonly Buffer[] {
  const at = random.below(frames.length)
  const frame = frames[at] ?? Buffer.alloc(0)
  const before = frames.slice(0, at)
  const after = frames.slice(at + 1)
  switch (random.below(6)) {
    case 0:
      return [...before, ...after]
    case 1:
      return [...before, frame, frame, ...after]
    case 2:
      return [...after, frame, ...before]
    case 3: {
      const changed = Buffer.from(frame)
      const where = 3 + random.below(6)
      if (where < changed.length)
        changed[where] = random.pick([0, 1, 2, 4, 8, 9, 0x20, 0x80, random.below(256)])
      return [...before, changed, ...after]
    }
    case 4: {
      const payload = mutate(random, frame.subarray(headBytes)).subarray(0, 20_000)
      const changed = frameOf(frame[3] ?? 0, payload, {
        flags: frame[4] ?? 0,
        stream: frame.length < headBytes ? 0 : frame.readUInt32BE(5),
      })
      return [...before, changed, ...after]
    }
    default: {
      const changed = mutate(random, frame)
      return [...before, changed, ...after]
    }
  }
}

/** What ends a connection whatever came before, given the number that no stream has had yet. */
const violations: readonly (readonly [code: ErrorCode, make: (next: number) => Buffer])[] = [
  ['protocolError', () => dataFrame(0, 'a')],
  ['protocolError', (next) => dataFrame(next, 'a')],
  ['protocolError', (next) => headersFrame(next + 1)],
  ['protocolError', (next) => rstStream(next)],
  ['protocolError', (next) => windowUpdate(next, 1)],
  ['protocolError', () => windowUpdate(0, 0)],
  ['protocolError', (next) => Buffer.concat([frameOf(frameType.headers, '', { stream: next }), ping()])],
  ['protocolError', () => frameOf(frameType.continuation, '', { stream: 1 })],
  ['protocolError', () => frameOf(frameType.pushPromise, 'abcd', { stream: 1 })],
  ['protocolError', () => settings([settingId.enablePush, 2])],
  ['protocolError', () => settings([settingId.maxFrameSize, 1])],
  ['protocolError', () => frameOf(frameType.ping, '12345678', { stream: 1 })],
  ['protocolError', () => frameOf(frameType.goaway, Buffer.alloc(8), { stream: 1 })],
  ['flowControlError', () => Buffer.concat([windowUpdate(0, 0x7fff_ffff), windowUpdate(0, 0x7fff_ffff)])],
  ['flowControlError', () => settings([settingId.initialWindowSize, 0x8000_0000])],
  ['frameSizeError', () => frameOf(frameType.ping, '1234567')],
  ['frameSizeError', () => frameOf(frameType.settings, '12345')],
  ['frameSizeError', () => frameOf(frameType.windowUpdate, '123')],
  ['frameSizeError', () => frameOf(frameType.rstStream, '123', { stream: 1 })],
  ['frameSizeError', () => frameOf(frameType.data, Buffer.alloc(16_385), { stream: 1 })],
  ['frameSizeError', () => frameOf(frameType.goaway, '1234567')],
  ['compressionError', (next) => headersFrame(next, Buffer.from([0x80]))],
  ['compressionError', (next) => headersFrame(next, Buffer.from([0x3f, 0xff, 0xff, 0x7f]))],
  ['compressionError', (next) => headersFrame(next, Buffer.from([0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]))],
  ['compressionError', (next) => headersFrame(next, Buffer.from([0x82, 0x20]))],
  ['compressionError', (next) => headersFrame(next, Buffer.from([0x00, 0x7f]))],
  ['enhanceYourCalm', () => Buffer.concat(Array.from({ length: 21_000 }, () => frameOf(0xee, '')))],
  [
    'enhanceYourCalm',
    (next) =>
      Buffer.concat([
        frameOf(frameType.headers, '', { stream: next }),
        ...Array.from({ length: 9 }, () => frameOf(frameType.continuation, '', { stream: next })),
      ]),
  ],
]

/** What it takes to cost a hundredth of the time that other inputs take is not tried as often as they are. */
const fewOf = 200

/** True where the bytes end between two frames and outside of a header block, so that a PING has to be answered. */
function endsBetweenFrames(bytes: Buffer): boolean {
  let open = false
  let at = clientPreface.length
  while (at + headBytes <= bytes.length) {
    const type = bytes[at + 3]
    if (type === frameType.headers || type === frameType.continuation)
      open = ((bytes[at + 4] ?? 0) & flag.endHeaders) === 0
    at += headBytes + bytes.readUIntBE(at, 3)
  }
  return at === bytes.length && !open
}

type Expected = { readonly code: ErrorCode | undefined } | 'anything'

/** An error's GOAWAY is the last frame of a connection; after the other, running calls are still answered. */
function judgeEnd(frames: readonly Sent[], ended: boolean, expected: Expected): void {
  const at = frames.findLastIndex(({ type }) => type === frameType.goaway)
  const goaway = frames[at]
  const code = goaway === undefined ? undefined : codeIn(goaway.payload, 4)
  if (ended && code === undefined) throw new Error('it ended without GOAWAY')
  if (code !== undefined && code !== 'noError' && at !== frames.length - 1)
    throw new Error('it went on after an error')
  if (code === 'internalError') throw new Error('it ended with INTERNAL_ERROR')
  if (expected === 'anything') return
  if ((ended ? code : undefined) !== expected.code)
    throw new Error(`it ended with ${String(code)} instead of ${String(expected.code)}`)
}

/** Bytes that may come back for nothing, and for each byte sent. */
const allowedBytes = { start: 4096, perByte: 40 }

function runConnection(chunks: readonly Buffer[], expected: Expected): number {
  const begun = performance.now()
  const client = openClient({ methods, greet: 'no' })
  for (const chunk of chunks) client.connection.receive(chunk)
  const frames = client.heard()
  const whole = Buffer.concat(chunks)
  const back = frames.reduce((sum, { payload }) => sum + headBytes + payload.length, 0)
  judgeEnd(frames, client.ended, expected)
  if (back > allowedBytes.start + allowedBytes.perByte * whole.length)
    throw new Error(`${back} bytes came back for ${whole.length}`)
  if (!client.ended && endsBetweenFrames(whole)) {
    const answers = client.say(ping('are you?'))
    if (!client.ended && !answers.includes('ping answer are you?')) throw new Error('it does not answer')
  }
  const { ended } = client
  client.connection.closed()
  client.connection.receive(callFrames(1))
  if (ended && client.heard().length > 0) throw new Error('it spoke after its end')
  if (client.held !== 0) throw new Error(`${client.held} bytes are still held`)
  if (client.defects.length > 0) throw new Error('a defect', { cause: client.defects[0] })
  return performance.now() - begun
}

const inputOf = (what: string, chunks: readonly Buffer[], expected: Expected): Input => ({
  what,
  size: chunks.reduce((sum, { length }) => sum + length, 0),
  run: () => runConnection(chunks, expected),
  saved: () => ({ expected, chunks: chunks.map((chunk) => chunk.toString('hex')) }),
})

const makers: Readonly<Record<string, (random: Random) => Input>> = {
  mutated(random) {
    let { frames } = conversation(random)
    for (let times = 1 + random.below(3); times > 0; times--) frames = mutateFrames(random, frames)
    const greeting = random.oneIn(50) ? mutate(random, clientPreface) : clientPreface
    return inputOf('mutated', cutUp(random, Buffer.concat([greeting, ...frames])), 'anything')
  },
  violations(random) {
    const { frames, next } = conversation(random)
    const [code, make] = random.pick(random.oneIn(fewOf) ? violations : violations.slice(0, -2))
    const bytes = Buffer.concat([clientPreface, ...frames, make(next)])
    return inputOf(`violation: ${code}`, cutUp(random, bytes), { code })
  },
  cut(random) {
    const { frames } = conversation(random)
    return inputOf('cut', cutUp(random, Buffer.concat([clientPreface, ...frames])), { code: undefined })
  },
}

export const frameTarget: Target = {
  name: 'frames',
  kinds: ['mutated', 'mutated', 'violations', 'cut'],
  input(kind, random) {
    const make = makers[kind]
    if (make === undefined) throw new Error(`no kind ${kind}`)
    return make(random)
  },
  restore(saved) {
    const { chunks, expected } = saved as { readonly chunks: readonly string[]; readonly expected: Expected }
    return inputOf(
      'replayed',
      chunks.map((chunk) => Buffer.from(chunk, 'hex')),
      expected,
    )
  },
}
