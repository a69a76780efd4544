// What a connection holds back and what it gives up on: windows of both sides, deadlines, floods, memory, drain.
import { afterEach, describe, expect, jest, test } from '@jest/globals'
import type { UnaryCall } from '../transport.ts'
import {
  callFields,
  callFrames,
  type ClientOptions,
  dataFrame,
  frameOf,
  headersFrame,
  inWords,
  messageOf,
  openClient,
  path,
  ping,
  rstStream,
  settings,
  windowUpdate,
} from './connection.fixture.ts'
import { flag, frameType, settingId } from './frames.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("the client's windows", () => {
  test('an answer goes out as far as the stream allows, and on when it allows more', () => {
    const client = openClient()
    expect(client.say(settings([settingId.initialWindowSize, 6]), callFrames(1, 'hello world'))).toEqual([
      '1: headers',
      '1: data 6',
    ])
    expect(client.say(windowUpdate(1, 4))).toEqual(['1: data 4'])
    expect(client.say(windowUpdate(1, 100))).toEqual(['1: data 6', '1: headers grpc-status 0, end'])
  })

  test('a smaller initial window may take a stream below zero', () => {
    const client = openClient()
    client.say(settings([settingId.initialWindowSize, 6]), callFrames(1, 'hello world'))
    expect(client.say(settings([settingId.initialWindowSize, 1]))).toEqual([])
    expect(client.say(windowUpdate(1, 5))).toEqual([])
    expect(client.say(windowUpdate(1, 1))).toEqual(['1: data 1'])
    expect(client.say(settings([settingId.initialWindowSize, 1000]))).toEqual([
      '1: data 9',
      '1: headers grpc-status 0, end',
    ])
  })

  test('the window of the connection is shared, and first come is first served', () => {
    const client = openClient({ methods: { [path]: () => Buffer.alloc(40_000) } })
    const sizes = (words: readonly string[]): readonly string[] =>
      words.filter((word) => word.includes('data'))
    expect(sizes(client.say(callFrames(1), callFrames(3)))).toEqual([
      '1: data 16384',
      '1: data 16384',
      '1: data 7237',
      '3: data 16384',
      '3: data 9146',
    ])
    expect(client.say(windowUpdate(0, 10))).toEqual(['3: data 10'])
    expect(client.say(windowUpdate(0, 100_000))).toEqual(['3: data 14465', '3: headers grpc-status 0, end'])
  })

  test('a page for a browser is held back like an answer', () => {
    const client = openClient()
    client.say(settings([settingId.initialWindowSize, 3]))
    expect(client.say(headersFrame(1, callFields({ ':method': 'GET' }), { end: true }))).toEqual([
      '1: headers',
      '1: data 3',
    ])
    expect(client.say(windowUpdate(1, 100))).toEqual(['1: data 28, end'])
  })

  test('who opens no window is let go before his answers fill the memory', () => {
    const client = openClient({
      methods: { [path]: () => Buffer.alloc(10_000) },
      limits: { maxBlockedBytes: 45_000 },
    })
    client.say(settings([settingId.initialWindowSize, 0]))
    const words = [1, 3, 5, 7, 9].flatMap((stream) => client.say(callFrames(stream)))
    expect(words.at(-1)).toBe('goaway 9 enhanceYourCalm')
    expect(client.ended).toBe(true)
  })
})

test('a client that does not take what it was sent gets no further answers until it does', () => {
  let asked = 0
  const client = openClient({
    methods: {
      [path]() {
        asked++
        client.takes('nothing')
        return Buffer.from('x')
      },
    },
  })
  expect(client.say(callFrames(1), callFrames(3), callFrames(5))).toHaveLength(3)
  expect(client.say(callFrames(7))).toEqual([])
  expect(asked).toBe(1)
  client.takes('everything')
  expect(asked).toBe(2)
  const heard = [...client.heard()]
  client.connection.receive(rstStream(5))
  client.takes('everything')
  expect(asked).toBe(3)
  expect(inWords([...heard, ...client.heard()]).filter((word) => word.endsWith('end'))).toEqual([
    '3: headers grpc-status 0, end',
    '7: headers grpc-status 0, end',
  ])
})

describe("the server's windows", () => {
  const part = Buffer.alloc(16_000)

  test('a large message opens both as it comes', () => {
    const client = openClient({ limits: { streamWindow: 65_535, connectionWindow: 131_072 } })
    const head = messageOf(Buffer.alloc(159_995)).subarray(0, 16_000)
    const words = client.say(
      headersFrame(1),
      dataFrame(1, head),
      ...Array.from({ length: 8 }, () => dataFrame(1, part)),
    )
    expect(words).toEqual(['1: window 48000', '0: window 80000', '1: window 48000', '1: window 48000'])
    const answer = client.say(dataFrame(1, part, { end: true }))
    expect(answer[0]).toBe('0: window 80000')
    expect(answer[1]).toBe('1: headers')
  })

  test('of a client that takes nothing, the window of the connection stays closed, and must not be overrun', () => {
    const client = openClient({ limits: { connectionWindow: 65_535 } })
    client.takes('nothing')
    const head = messageOf(Buffer.alloc(159_995)).subarray(0, 16_000)
    expect(client.say(headersFrame(1), dataFrame(1, head), dataFrame(1, part), dataFrame(1, part))).toEqual(
      [],
    )
    client.takes('everything')
    expect(inWords(client.heard())).toEqual(['0: window 48000'])
    client.takes('nothing')
    const parts = Array.from({ length: 5 }, () => dataFrame(1, part))
    expect(client.say(...parts)).toEqual(['goaway 1 flowControlError'])
  })

  test('more than the window of a stream resets it', () => {
    const client = openClient({ limits: { streamWindow: 10_000 } })
    expect(client.say(headersFrame(1), dataFrame(1, part))).toEqual(['1: reset flowControlError'])
    expect(client.ended).toBe(false)
  })
})

describe('deadlines', () => {
  afterEach(() => {
    jest.useRealTimers()
  })

  const never = new Promise<Uint8Array>(() => undefined)

  test('a call that waits is answered at its deadline, and its method sees it', () => {
    jest.useFakeTimers({ now: 1_000_000 })
    const seen: UnaryCall[] = []
    const wait = (_request: Uint8Array, call: UnaryCall): Promise<Uint8Array> => {
      seen.push(call)
      return never
    }
    const client = openClient({ methods: { [path]: wait }, now: Date.now })
    client.say(
      headersFrame(1, callFields({ 'grpc-timeout': '250m' })),
      dataFrame(1, messageOf('a'), { end: true }),
      headersFrame(3, callFields({ 'grpc-timeout': '1S' })),
      dataFrame(3, messageOf('a'), { end: true }),
    )
    expect(seen.map(({ deadline }) => deadline)).toEqual([1_000_250, 1_001_000])
    jest.advanceTimersByTime(249)
    expect(seen[0]?.cancelled).toBe(false)
    expect(client.heard()).toEqual([])
    jest.advanceTimersByTime(1)
    expect(seen[0]?.cancelled).toBe(true)
    jest.runAllTicks()
    expect(inWords(client.heard())).toEqual(['1: headers grpc-status 4, end'])
    jest.advanceTimersByTime(750)
    jest.runAllTicks()
    expect(inWords(client.heard())).toEqual(['3: headers grpc-status 4, end'])
    expect(jest.getTimerCount()).toBe(0)
  })

  test('a request that does not come to its end is answered at its deadline', () => {
    jest.useFakeTimers({ now: 1_000_000 })
    const client = openClient({ now: Date.now })
    client.say(
      headersFrame(1, callFields({ 'grpc-timeout': '100m' })),
      dataFrame(1, messageOf('a').subarray(0, 3)),
    )
    jest.advanceTimersByTime(100)
    jest.runAllTicks()
    expect(inWords(client.heard())).toEqual(['1: headers grpc-status 4, end', '1: reset noError'])
    expect(client.held).toBe(0)
  })

  test('a shorter deadline that comes later is not missed', () => {
    jest.useFakeTimers({ now: 1_000_000 })
    const client = openClient({ methods: { [path]: () => never }, now: Date.now })
    client.say(
      headersFrame(1, callFields({ 'grpc-timeout': '1M' })),
      dataFrame(1, messageOf('a'), { end: true }),
    )
    client.say(
      headersFrame(3, callFields({ 'grpc-timeout': '50m' })),
      dataFrame(3, messageOf('a'), { end: true }),
    )
    jest.advanceTimersByTime(50)
    jest.runAllTicks()
    expect(inWords(client.heard())).toEqual(['3: headers grpc-status 4, end'])
    client.connection.closed()
    expect(jest.getTimerCount()).toBe(0)
  })

  test.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['5000u', 5],
    ['6000000n', 6],
  ])('%s', (timeout, ms) => {
    const deadlines: number[] = []
    const method = (request: Uint8Array, { deadline }: UnaryCall): Uint8Array => {
      deadlines.push(deadline)
      return request
    }
    const client = openClient({ methods: { [path]: method }, now: () => 1000 })
    client.say(
      headersFrame(1, callFields({ 'grpc-timeout': timeout })),
      dataFrame(1, messageOf('a'), { end: true }),
    )
    expect(deadlines).toEqual([1000 + ms])
  })
})

describe('floods end the connection', () => {
  const limits = { patience: { most: 100, perSecond: 10, perAnswer: 4 } }
  const block = headersFrame(1)
  const rows: readonly (readonly [says: string, before: Uint8Array, one: (at: number) => Uint8Array])[] = [
    ['PING', Buffer.alloc(0), () => ping()],
    ['answers to PING', Buffer.alloc(0), () => ping('12345678', flag.ack)],
    ['SETTINGS', Buffer.alloc(0), () => settings()],
    ['PRIORITY', Buffer.alloc(0), () => frameOf(frameType.priority, Buffer.alloc(5), { stream: 1 })],
    ['unknown frames', Buffer.alloc(0), () => frameOf(0xee, '')],
    ['WINDOW_UPDATE', Buffer.alloc(0), () => windowUpdate(0, 1)],
    ['empty DATA', block, () => dataFrame(1, '')],
    ['DATA of a byte', block, () => dataFrame(1, 'a')],
    [
      'rapid reset',
      Buffer.alloc(0),
      (at) => Buffer.concat([headersFrame(2 * at + 1), rstStream(2 * at + 1)]),
    ],
    ['malformed requests', Buffer.alloc(0), (at) => headersFrame(2 * at + 1, callFields({ A: '' }))],
    ['DATA for a stream that was reset', headersFrame(1, callFields({ A: '' })), () => dataFrame(1, 'a')],
    ['RST_STREAM of a closed stream', callFrames(1), () => rstStream(1)],
  ]
  test.each(rows)('%s', (_says, before, one) => {
    const client = openClient({ limits })
    client.say(before)
    const words: string[] = []
    for (let at = 0; at < 200 && !client.ended; at++) words.push(...client.say(one(at)))
    expect(words.at(-1)).toMatch(/^goaway \d+ enhanceYourCalm$/)
    expect(client.held).toBe(0)
  })

  test('at a rate that time refills they do not', () => {
    let at = 0
    const client = openClient({ limits, now: () => at })
    for (let i = 0; i < 1000; i++) {
      at += 100
      expect(client.say(ping())).toHaveLength(1)
    }
  })

  test('beside calls that are answered they do not', () => {
    const client = openClient({ limits })
    for (let i = 0; i < 500; i++) client.say(ping(), windowUpdate(0, 20), callFrames(2 * i + 1))
    expect(client.ended).toBe(false)
  })
})

describe('streams', () => {
  const waiting = (
    options: ClientOptions = {},
  ): { client: ReturnType<typeof openClient>; answer: () => void } => {
    const resolvers: ((answer: Uint8Array) => void)[] = []
    const client = openClient({
      methods: { [path]: () => new Promise((resolve) => resolvers.push(resolve)) },
      ...options,
    })
    return { client, answer: () => resolvers.shift()?.(Buffer.from('x')) }
  }

  test('more than allowed are refused; those that were reset count until their method is done', async () => {
    const { client, answer } = waiting({ limits: { maxConcurrentStreams: 2 } })
    expect(client.say(callFrames(1), callFrames(3), callFrames(5))).toEqual(['5: reset refusedStream'])
    client.say(rstStream(1))
    expect(client.say(callFrames(7))).toEqual(['7: reset refusedStream'])
    answer()
    await turn()
    expect(client.heard()).toEqual([])
    expect(client.say(callFrames(9))).toEqual([])
    answer()
    answer()
    await turn()
    expect(inWords(client.heard()).filter((word) => word.endsWith('end'))).toEqual([
      '3: headers grpc-status 0, end',
      '9: headers grpc-status 0, end',
    ])
  })

  test('half-received messages share a budget, and grow with what came, not with what was announced', () => {
    const client = openClient({ limits: { maxHeldBytes: 4096 } })
    const announced = Buffer.from([0, 2, 0, 0, 0])
    client.say(headersFrame(1), dataFrame(1, announced))
    expect(client.held).toBe(512)
    expect(client.say(dataFrame(1, Buffer.alloc(1000)))).toEqual([])
    expect(client.say(headersFrame(3), dataFrame(3, Buffer.alloc(1500)))).toEqual([
      '3: headers grpc-status 8, end',
      '3: reset noError',
    ])
    client.connection.closed()
    expect(client.held).toBe(0)
  })

  test('a body that nobody wants is not taken to its end', () => {
    const client = openClient()
    const parts = Array.from({ length: 5 }, () => dataFrame(1, Buffer.alloc(16_000)))
    expect(client.say(headersFrame(1, callFields({ ':path': '/a.B/Other' })), ...parts)).toEqual([
      '1: headers grpc-status 12, end',
      '1: reset noError',
    ])
  })

  test('those of a connection that went away are cancelled', () => {
    const calls: UnaryCall[] = []
    const client = openClient({
      methods: {
        [path](_request, call) {
          calls.push(call)
          return new Promise(() => undefined)
        },
      },
    })
    client.say(callFrames(1))
    expect(calls.map(({ cancelled }) => cancelled)).toEqual([false])
    client.connection.closed()
    expect(calls.map(({ cancelled }) => cancelled)).toEqual([true])
  })
})

describe('a drain', () => {
  const draining = 'draining'

  test('says so, takes what was under way, names the last call, and ends when it has been answered', async () => {
    const resolvers: ((answer: Uint8Array) => void)[] = []
    const client = openClient({
      methods: { [path]: () => new Promise((resolve) => resolvers.push(resolve)) },
    })
    client.say(callFrames(1))
    client.connection.drain()
    expect(inWords(client.heard())).toEqual(['goaway 2147483647 noError', `ping question ${draining}`])
    expect(client.say(callFrames(3))).toEqual([])
    expect(client.say(ping(draining, flag.ack))).toEqual(['goaway 3 noError'])
    expect(client.say(callFrames(5))).toEqual(['5: reset refusedStream'])
    expect(client.ended).toBe(false)
    for (const resolve of resolvers) resolve(Buffer.from('x'))
    await turn()
    expect(inWords(client.heard()).filter((word) => word.endsWith('end'))).toHaveLength(2)
    expect(client.ended).toBe(true)
  })

  test('of a client without calls ends with its answer', () => {
    const client = openClient()
    client.connection.drain()
    client.heard()
    expect(client.say(ping(draining, flag.ack))).toEqual(['goaway 0 noError'])
    expect(client.ended).toBe(true)
  })

  test('of a client that does not answer ends a second later', () => {
    jest.useFakeTimers()
    try {
      const client = openClient()
      client.connection.drain()
      client.heard()
      jest.advanceTimersByTime(1000)
      expect(inWords(client.heard())).toEqual(['goaway 0 noError'])
      expect(client.ended).toBe(true)
    } finally {
      jest.useRealTimers()
    }
  })

  test('by the client ends with its last call', async () => {
    let resolve: (answer: Uint8Array) => void = () => undefined
    const client = openClient({ methods: { [path]: () => new Promise((done) => (resolve = done)) } })
    expect(client.say(callFrames(1), frameOf(frameType.goaway, Buffer.alloc(8)))).toEqual([
      'goaway 1 noError',
    ])
    expect(client.ended).toBe(false)
    resolve(Buffer.from('x'))
    await turn()
    expect(client.ended).toBe(true)
  })
})
