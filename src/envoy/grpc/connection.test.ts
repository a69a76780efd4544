// The protocol, row by row: what a client sends, and what it gets to hear.
import { describe, expect, test } from '@jest/globals'
import { GrpcError } from '../transport.ts'
import {
  type Fields,
  blockOf,
  callFields,
  callFrames,
  dataFrame,
  frameOf,
  framesIn,
  clientGreeting,
  headersFrame,
  inWords,
  messageOf,
  openClient,
  ping,
  rstStream,
  settings,
  windowUpdate,
} from './connection.fixture.ts'
import { clientPreface, flag, frameType, settingId } from './frames.ts'

const answered = (stream: number, content = 'hello'): readonly string[] => [
  `${stream}: headers`,
  `${stream}: data ${content.length + 5}`,
  `${stream}: headers grpc-status 0, end`,
]
const none = new Uint8Array()
const trailers: Fields = [['grpc-trailer', '1']]

describe('a call', () => {
  test('is answered with the message of its method', () => {
    const client = openClient()
    client.connection.receive(callFrames(1, 'hello'))
    const data = client.heard().find(({ type }) => type === frameType.data)
    expect(data?.payload).toEqual(messageOf('hello'))
  })

  test('many of one read event are answered in order', () => {
    expect(openClient().say(callFrames(1), callFrames(3), callFrames(5))).toEqual([
      ...answered(1),
      ...answered(3),
      ...answered(5),
    ])
  })

  test('cut into single bytes is the same call', () => {
    const client = openClient({ greet: 'no' })
    const sent = Buffer.concat([clientGreeting, callFrames(1, 'x'.repeat(300)), callFrames(3)])
    for (const byte of sent) client.connection.receive(Buffer.from([byte]))
    expect(inWords(client.heard()).slice(1)).toEqual([...answered(1, 'x'.repeat(300)), ...answered(3)])
  })

  test('padding, priority, CONTINUATION, several DATA and trailers change nothing', () => {
    const block = blockOf(callFields())
    const priority = Buffer.from([0, 0, 0, 0, 16])
    const message = messageOf('hello')
    expect(
      openClient().say(
        frameOf(
          frameType.headers,
          Buffer.concat([Buffer.from([3]), priority, block.subarray(0, 20), Buffer.alloc(3)]),
          { stream: 1, flags: flag.padded | flag.priority },
        ),
        frameOf(frameType.continuation, block.subarray(20, 30), { stream: 1 }),
        frameOf(frameType.continuation, block.subarray(30), { stream: 1, flags: flag.endHeaders }),
        dataFrame(1, message.subarray(0, 3)),
        dataFrame(1, none),
        dataFrame(1, Buffer.concat([Buffer.from([2]), message.subarray(3), Buffer.alloc(2)]), {
          flags: flag.padded,
        }),
        headersFrame(1, trailers, { end: true }),
      ),
    ).toEqual(answered(1))
  })

  test('fields that the client put into the table are understood when it names them', () => {
    const client = openClient()
    const fields = callFields()
    client.say(headersFrame(1, blockOf(fields, 'indexed')), dataFrame(1, messageOf('a'), { end: true }))
    // 62 is the newest.
    const again = Buffer.from(fields.map((_, at) => 0x80 | (61 + fields.length - at)))
    expect(client.say(headersFrame(3, again), dataFrame(3, messageOf('hello'), { end: true }))).toEqual(
      answered(3),
    )
  })
})

type Row = readonly [says: string, frames: readonly Uint8Array[], heard: readonly string[]]

const status = (stream: number, number: number): readonly string[] => [
  `${stream}: headers grpc-status ${number}, end`,
]
const call = (
  fields: Parameters<typeof callFields>[0],
  body: Uint8Array = messageOf('hello'),
): readonly Uint8Array[] => [headersFrame(1, callFields(fields)), dataFrame(1, body, { end: true })]

const largeBlock = blockOf(callFields({ a: 'x'.repeat(15_000), b: 'x'.repeat(15_000), c: 'x'.repeat(4000) }))
const largeHead = Buffer.concat([
  frameOf(frameType.headers, largeBlock.subarray(0, 16_000), { stream: 1 }),
  frameOf(frameType.continuation, largeBlock.subarray(16_000, 32_000), { stream: 1 }),
  frameOf(frameType.continuation, largeBlock.subarray(32_000), { stream: 1, flags: flag.endHeaders }),
])

describe('calls that are refused', () => {
  const rows: readonly Row[] = [
    ['an unknown method is UNIMPLEMENTED', call({ ':path': '/a.B/Other' }), status(1, 12)],
    [
      'a compressed message is UNIMPLEMENTED',
      call({ 'grpc-encoding': 'gzip' }, messageOf('x', 1)),
      status(1, 12),
    ],
    ['a compressed message without an encoding is INTERNAL', call({}, messageOf('x', 1)), status(1, 13)],
    ['an encoding that is not used is none of our business', call({ 'grpc-encoding': 'gzip' }), answered(1)],
    [
      'a call without a message is UNIMPLEMENTED',
      [headersFrame(1, callFields(), { end: true })],
      status(1, 12),
    ],
    [
      'a second message is UNIMPLEMENTED',
      call({}, Buffer.concat([messageOf('a'), messageOf('b')])),
      status(1, 12),
    ],
    ['a message without its end is INTERNAL', call({}, messageOf('hello').subarray(0, 7)), status(1, 13)],
    ['a prefix without its end is INTERNAL', call({}, Buffer.alloc(3)), status(1, 13)],
    ['a malformed deadline is INTERNAL', call({ 'grpc-timeout': '1 s' }), status(1, 13)],
    ['a deadline of nine digits is INTERNAL', call({ 'grpc-timeout': '123456789S' }), status(1, 13)],
    ['a deadline that has passed is DEADLINE_EXCEEDED', call({ 'grpc-timeout': '0m' }), status(1, 4)],
    [
      'metadata over the limit is RESOURCE_EXHAUSTED',
      [largeHead, dataFrame(1, messageOf('a'), { end: true })],
      status(1, 8),
    ],
    [
      'a message over the limit is RESOURCE_EXHAUSTED, and the rest of it is not waited for',
      [headersFrame(1), dataFrame(1, Buffer.from([0, 0x7f, 0, 0, 0]))],
      [...status(1, 8), '1: reset noError'],
    ],
    [
      'a message over the limit at its end is RESOURCE_EXHAUSTED',
      call({}, Buffer.from([0, 0x7f, 0, 0, 0])),
      status(1, 8),
    ],
    [
      'another content type is 415, with a reason',
      call({ 'content-type': 'text/html' }),
      ['1: headers', '1: data 64, end'],
    ],
    [
      'gRPC-Web is another content type',
      call({ 'content-type': 'application/grpc-web' }),
      ['1: headers', '1: data 64, end'],
    ],
    ['the name of a codec is allowed', call({ 'content-type': 'application/grpc+proto' }), answered(1)],
    ['GET is 405', call({ ':method': 'GET' }), ['1: headers', '1: data 31, end']],
    [
      'an answer to HEAD has no body',
      call({ ':method': 'HEAD', 'content-type': undefined }),
      ['1: headers, end'],
    ],
  ]
  test.each(rows)('%s', (_says, frames, heard) => {
    const client = openClient()
    expect(frames.flatMap((frame) => client.say(frame))).toEqual(heard)
    expect(client.ended).toBe(false)
    // The connection goes on.
    expect(client.say(callFrames(99))).toEqual(answered(99))
    expect(client.held).toBe(0)
  })
})

describe('what a method does', () => {
  const ask = async (method: () => Uint8Array | Promise<Uint8Array>): Promise<readonly unknown[]> => {
    const client = openClient({ methods: { '/a.B/C': method } })
    const heard = client.say(...call({ ':path': '/a.B/C' }))
    await new Promise((resolve) => setImmediate(resolve))
    return [[...heard, ...inWords(client.heard())], client.defects.map(String)]
  }
  test.each([
    [
      'a GrpcError is its status',
      () => {
        throw new GrpcError('NOT_FOUND', 'no')
      },
      status(1, 5),
      [],
    ],
    ['a late GrpcError too', () => Promise.reject(new GrpcError('UNAVAILABLE', 'no')), status(1, 14), []],
    [
      'a defect is INTERNAL and told',
      () => {
        throw new Error('a secret')
      },
      status(1, 13),
      ['Error: a secret'],
    ],
    ['a late defect too', () => Promise.reject(new Error('a secret')), status(1, 13), ['Error: a secret']],
    ['a late answer is an answer', () => Promise.resolve(Buffer.from('later')), answered(1, 'later'), []],
    ['an empty answer is an answer', () => Buffer.alloc(0), answered(1, ''), []],
  ] as const)('%s', async (_says, method, heard, defects) => {
    expect(await ask(method)).toEqual([heard, defects])
  })

  test('the text of an error arrives percent-encoded', () => {
    const client = openClient({
      methods: {
        '/a.B/C': () => {
          throw new GrpcError('INTERNAL', 'ü % \n')
        },
      },
    })
    client.connection.receive(Buffer.concat(call({ ':path': '/a.B/C' })))
    expect(client.heard()[0]?.payload.toString('latin1')).toContain('%C3%BC %25 %0A')
  })
})

describe('streams that are reset', () => {
  const rows: readonly Row[] = [
    ['DATA after END_STREAM', [Buffer.concat([callFrames(1), dataFrame(1, 'b')])], ['1: reset streamClosed']],
    ['trailers without END_STREAM', [headersFrame(1), headersFrame(1, trailers)], ['1: reset protocolError']],
    [
      'a pseudo-header in trailers',
      [headersFrame(1), headersFrame(1, [[':path', '/']], { end: true })],
      ['1: reset protocolError'],
    ],
    [
      'more body than content-length',
      [headersFrame(1, callFields({ 'content-length': '3' })), dataFrame(1, messageOf('a'))],
      ['1: reset protocolError'],
    ],
    [
      'less body than content-length',
      [headersFrame(1, callFields({ 'content-length': '9' })), dataFrame(1, messageOf('a'), { end: true })],
      ['1: reset protocolError'],
    ],
    [
      'a content-length without a body',
      [headersFrame(1, callFields({ 'content-length': '9' }), { end: true })],
      ['1: reset protocolError'],
    ],
    [
      'a content-length that is no number',
      [headersFrame(1, callFields({ 'content-length': '-1' }))],
      ['1: reset protocolError'],
    ],
    ['an upper-case name', [headersFrame(1, callFields({ 'X-Y': '1' }))], ['1: reset protocolError']],
    ['a name with a space', [headersFrame(1, callFields({ 'x y': '1' }))], ['1: reset protocolError']],
    ['a line break in a value', [headersFrame(1, callFields({ x: 'a\r\nb' }))], ['1: reset protocolError']],
    ['connection', [headersFrame(1, callFields({ connection: 'close' }))], ['1: reset protocolError']],
    [
      'transfer-encoding',
      [headersFrame(1, callFields({ 'transfer-encoding': 'chunked' }))],
      ['1: reset protocolError'],
    ],
    ['te that is not trailers', [headersFrame(1, callFields({ te: 'gzip' }))], ['1: reset protocolError']],
    [
      'an unknown pseudo-header',
      [headersFrame(1, callFields({ ':protocol': 'x' }))],
      ['1: reset protocolError'],
    ],
    [
      'a pseudo-header of answers',
      [headersFrame(1, callFields({ ':status': '200' }))],
      ['1: reset protocolError'],
    ],
    ['no method', [headersFrame(1, callFields({ ':method': undefined }))], ['1: reset protocolError']],
    ['no scheme', [headersFrame(1, callFields({ ':scheme': undefined }))], ['1: reset protocolError']],
    ['an empty path', [headersFrame(1, callFields({ ':path': '' }))], ['1: reset protocolError']],
    ['two paths', [headersFrame(1, [...callFields(), [':path', '/a']])], ['1: reset protocolError']],
    [
      'a pseudo-header behind a field',
      [headersFrame(1, [['a', 'b'], ...callFields()])],
      ['1: reset protocolError'],
    ],
    [
      'a stream that depends on itself',
      [
        frameOf(frameType.headers, Buffer.concat([Buffer.from([0, 0, 0, 1, 0]), blockOf(callFields())]), {
          stream: 1,
          flags: flag.endHeaders | flag.priority,
        }),
      ],
      ['1: reset protocolError'],
    ],
    ['WINDOW_UPDATE of a stream by 0', [headersFrame(1), windowUpdate(1, 0)], ['1: reset protocolError']],
    [
      'a window of a stream over 2^31-1',
      [headersFrame(1), windowUpdate(1, 0x7fff_ffff)],
      ['1: reset flowControlError'],
    ],
    [
      'PRIORITY of four bytes',
      [headersFrame(1), frameOf(frameType.priority, Buffer.alloc(4), { stream: 1 })],
      ['1: reset frameSizeError'],
    ],
  ]
  test.each(rows)('%s', (_says, frames, heard) => {
    const client = openClient()
    expect(frames.flatMap((frame) => client.say(frame))).toEqual(heard)
    expect(client.ended).toBe(false)
    expect(client.say(callFrames(99))).toEqual(answered(99))
    expect(client.held).toBe(0)
  })
})

describe('connections that end', () => {
  const goaway = (last: number, code: string): readonly string[] => [`goaway ${last} ${code}`]
  const openBlock = frameOf(frameType.headers, blockOf(callFields()), { stream: 1 })
  const rows: readonly Row[] = [
    ['DATA on no stream', [dataFrame(0, 'a')], goaway(0, 'protocolError')],
    ['DATA on an idle stream', [dataFrame(1, 'a')], goaway(0, 'protocolError')],
    [
      'DATA on a closed stream',
      [callFrames(1), dataFrame(1, 'a')],
      [...answered(1), ...goaway(1, 'streamClosed')],
    ],
    [
      'DATA on a stream that the client reset',
      [headersFrame(1), rstStream(1), dataFrame(1, 'a')],
      goaway(1, 'streamClosed'),
    ],
    [
      'more padding than DATA',
      [headersFrame(1), dataFrame(1, Buffer.from([9, 1]), { flags: flag.padded })],
      goaway(1, 'protocolError'),
    ],
    [
      'padding without its length',
      [headersFrame(1), dataFrame(1, none, { flags: flag.padded })],
      goaway(1, 'frameSizeError'),
    ],
    ['HEADERS on no stream', [headersFrame(0)], goaway(0, 'protocolError')],
    ['HEADERS on an even stream', [headersFrame(2)], goaway(0, 'protocolError')],
    [
      'HEADERS on a stream that was left out',
      [callFrames(5), headersFrame(3)],
      [...answered(5), ...goaway(5, 'protocolError')],
    ],
    [
      'HEADERS on a closed stream',
      [callFrames(1), headersFrame(1)],
      [...answered(1), ...goaway(1, 'streamClosed')],
    ],
    [
      'HEADERS without their priority',
      [frameOf(frameType.headers, 'abc', { stream: 1, flags: flag.endHeaders | flag.priority })],
      goaway(0, 'frameSizeError'),
    ],
    ['a header block of garbage', [headersFrame(1, Buffer.from([0x80]))], goaway(1, 'compressionError')],
    [
      'a garbled header block of a stream that was reset',
      [headersFrame(1, callFields({ 'X-Y': '1' })), headersFrame(1, Buffer.from([0x80]))],
      ['1: reset protocolError', ...goaway(1, 'compressionError')],
    ],
    ['a frame within a header block', [openBlock, ping()], goaway(0, 'protocolError')],
    ['a header block of another stream within one', [openBlock, headersFrame(3)], goaway(0, 'protocolError')],
    [
      'CONTINUATION of another stream',
      [openBlock, frameOf(frameType.continuation, '', { stream: 3 })],
      goaway(0, 'protocolError'),
    ],
    [
      'CONTINUATION of nothing',
      [frameOf(frameType.continuation, '', { stream: 1, flags: flag.endHeaders })],
      goaway(0, 'protocolError'),
    ],
    [
      'a header block without end',
      [openBlock, ...Array.from({ length: 9 }, () => frameOf(frameType.continuation, '', { stream: 1 }))],
      goaway(0, 'enhanceYourCalm'),
    ],
    ['PRIORITY on no stream', [frameOf(frameType.priority, Buffer.alloc(5))], goaway(0, 'protocolError')],
    ['RST_STREAM on no stream', [rstStream(0)], goaway(0, 'protocolError')],
    ['RST_STREAM on an idle stream', [rstStream(1)], goaway(0, 'protocolError')],
    [
      'RST_STREAM of three bytes',
      [headersFrame(1), frameOf(frameType.rstStream, 'abc', { stream: 1 })],
      goaway(1, 'frameSizeError'),
    ],
    ['SETTINGS on a stream', [frameOf(frameType.settings, '', { stream: 1 })], goaway(0, 'protocolError')],
    ['SETTINGS of five bytes', [frameOf(frameType.settings, 'abcde')], goaway(0, 'frameSizeError')],
    [
      'an acknowledgement of SETTINGS with content',
      [frameOf(frameType.settings, 'abcdef', { flags: flag.ack })],
      goaway(0, 'frameSizeError'),
    ],
    ['ENABLE_PUSH of 2', [settings([settingId.enablePush, 2])], goaway(0, 'protocolError')],
    [
      'an initial window over 2^31-1',
      [settings([settingId.initialWindowSize, 0x8000_0000])],
      goaway(0, 'flowControlError'),
    ],
    ['frames that are too small', [settings([settingId.maxFrameSize, 16_383])], goaway(0, 'protocolError')],
    ['frames that are too large', [settings([settingId.maxFrameSize, 2 ** 24])], goaway(0, 'protocolError')],
    [
      'an initial window that lifts a stream over 2^31-1',
      [headersFrame(1), windowUpdate(1, 0x7fff_0000), settings([settingId.initialWindowSize, 0x7fff_ffff])],
      goaway(1, 'flowControlError'),
    ],
    [
      'PUSH_PROMISE',
      [frameOf(frameType.pushPromise, Buffer.alloc(4), { stream: 1, flags: flag.endHeaders })],
      goaway(0, 'protocolError'),
    ],
    ['PING on a stream', [frameOf(frameType.ping, '12345678', { stream: 1 })], goaway(0, 'protocolError')],
    ['PING of six bytes', [frameOf(frameType.ping, '123456')], goaway(0, 'frameSizeError')],
    [
      'GOAWAY on a stream',
      [frameOf(frameType.goaway, Buffer.alloc(8), { stream: 1 })],
      goaway(0, 'protocolError'),
    ],
    ['GOAWAY of four bytes', [frameOf(frameType.goaway, Buffer.alloc(4))], goaway(0, 'frameSizeError')],
    ['WINDOW_UPDATE of the connection by 0', [windowUpdate(0, 0)], goaway(0, 'protocolError')],
    ['a window of the connection over 2^31-1', [windowUpdate(0, 0x7fff_ffff)], goaway(0, 'flowControlError')],
    ['WINDOW_UPDATE on an idle stream', [windowUpdate(1, 1)], goaway(0, 'protocolError')],
    ['WINDOW_UPDATE of three bytes', [frameOf(frameType.windowUpdate, 'abc')], goaway(0, 'frameSizeError')],
    [
      'a frame over 16,384 bytes, before it is there',
      [frameOf(frameType.data, Buffer.alloc(16_385), { stream: 1 }).subarray(0, 9)],
      goaway(0, 'frameSizeError'),
    ],
  ]
  test.each(rows)('%s', (_says, frames, heard) => {
    const client = openClient()
    expect(frames.flatMap((frame) => client.say(frame))).toEqual(heard)
    expect(client.ended).toBe(true)
    expect(client.say(callFrames(99))).toEqual([])
    expect(client.held).toBe(0)
    expect(client.defects).toEqual([])
  })

  test.each<Row>([
    ['HTTP/1.1', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], goaway(0, 'protocolError')],
    ['one wrong byte of the preface', [Buffer.from('PRI * HTTP/2.1')], goaway(0, 'protocolError')],
    ['a first frame that is not SETTINGS', [clientPreface, ping()], goaway(0, 'protocolError')],
    [
      'an acknowledgement as the first frame',
      [clientPreface, frameOf(frameType.settings, '', { flags: flag.ack })],
      goaway(0, 'protocolError'),
    ],
  ])('instead of a clientGreeting: %s', (_says, frames, heard) => {
    const client = openClient({ greet: 'no' })
    client.heard()
    expect(frames.flatMap((frame) => client.say(frame))).toEqual(heard)
    expect(client.ended).toBe(true)
  })
})

describe('frames that are nothing to speak of', () => {
  test.each<Row>([
    ['PING is answered', [ping('abcdefgh')], ['ping answer abcdefgh']],
    ['an answer to no PING is ignored', [ping('abcdefgh', flag.ack)], []],
    ['an unknown frame is ignored', [frameOf(0xee, 'x', { stream: 7 })], []],
    ['an unknown setting is ignored', [settings([0x99, 1])], []],
    [
      'PRIORITY of an idle stream is ignored',
      [frameOf(frameType.priority, Buffer.alloc(5), { stream: 9 })],
      [],
    ],
    ['WINDOW_UPDATE of a closed stream is ignored', [callFrames(1), windowUpdate(1, 5)], answered(1)],
    ['RST_STREAM of a closed stream is ignored', [callFrames(1), rstStream(1)], answered(1)],
    [
      'frames still on their way to a stream that was reset are ignored',
      [
        headersFrame(1, callFields({ 'X-Y': '1' })),
        dataFrame(1, 'x'),
        rstStream(1),
        dataFrame(1, 'x', { end: true }),
      ],
      ['1: reset protocolError'],
    ],
    [
      'a reset within the same read event: the method is not run',
      [Buffer.concat([callFrames(1), rstStream(1), callFrames(3)])],
      answered(3),
    ],
  ])('%s', (_says, frames, heard) => {
    const client = openClient()
    expect(frames.flatMap((frame) => client.say(frame))).toEqual(heard)
    expect(client.ended).toBe(false)
  })

  test('what the server begins with', () => {
    const client = openClient({ greet: 'no' })
    const [first, second] = client.heard()
    expect(first).toMatchObject({ type: frameType.settings, flags: 0, stream: 0 })
    const values = Array.from({ length: (first?.payload.length ?? 0) / 6 }, (_, at) => [
      first?.payload.readUInt16BE(at * 6),
      first?.payload.readUInt32BE(at * 6 + 2),
    ])
    expect(values).toEqual([
      [settingId.maxConcurrentStreams, 1024],
      [settingId.initialWindowSize, 4 * 1024 * 1024],
      [settingId.maxHeaderListSize, 32 * 1024],
    ])
    expect(inWords(second === undefined ? [] : [second])).toEqual([`0: window ${16 * 1024 * 1024 - 65_535}`])
    client.connection.receive(clientGreeting)
    expect(client.heard()).toEqual(framesIn(frameOf(frameType.settings, '', { flags: flag.ack })))
  })
})
