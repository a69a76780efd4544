// The filter's door on a real Envoy: what arrives at it, what its answers become, and that the decision record comes
// back through the access log.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import {
  type AccessLogEntry,
  type FilterServer,
  createAccessLog,
  createGrpcServer,
  startFilterServer,
} from '#envoy'
import type { Decision } from '#pipeline'
import type { RequestInput } from '#request'
import { pass, record } from '../src/envoy/check.fixture.ts'
import { staticBootstrap } from './support/envoy-static.ts'
import { type Envoy, startEnvoy } from './support/envoy.ts'
import { send, sendRaw } from './support/http.ts'
import { type Origin, startOrigin } from './support/origin.ts'
import { transport } from './support/transport.ts'

const bodyBytes = 1024

type Line = readonly [name: string, value: string]

let decide: (input: RequestInput) => Decision | Promise<Decision>
let seen: RequestInput[] = []
let envoy: Envoy
let origin: Origin
let filter: FilterServer
let port: number
let closers: (() => unknown)[] = []

/** Finished requests, and who waits for one of a kind. */
const logged: AccessLogEntry[] = []
const waiting = new Set<(entry: AccessLogEntry) => void>()

type Wanted = (entry: AccessLogEntry) => boolean

const nextLogged = (wanted: Wanted): Promise<AccessLogEntry> =>
  new Promise((resolve) => {
    const look = (entry: AccessLogEntry): void => {
      if (!wanted(entry)) return
      waiting.delete(look)
      resolve(entry)
    }
    waiting.add(look)
  })

async function loggedAt(path: string): Promise<AccessLogEntry> {
  const wanted: Wanted = (entry) => entry.path === path
  return logged.find(wanted) ?? nextLogged(wanted)
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/** The record comes back as the text that the filter wrote. */
const recordOf = ({ record: text = '' }: AccessLogEntry): unknown => JSON.parse(text)

const recorded = (input: RequestInput): Decision['record'] => ({
  ...record,
  path: input.target,
  logs: ['ü"\\\u0000'],
})

const denied = (status: number, headers: readonly Line[] = [], body = 'denied'): Decision['answer'] => ({
  status,
  headers,
  body,
})

beforeAll(async () => {
  origin = await startOrigin('origin')
  filter = await startFilterServer({
    listen: '127.0.0.1:0',
    transport,
    decide(input) {
      seen.push(input)
      return decide(input)
    },
    failed: (input) => ({ ...pass, action: 'block', answer: denied(500), record: recorded(input) }),
    log: { warn: () => undefined, error: () => undefined },
  })
  const log = createAccessLog({
    onEntry(entry) {
      logged.push(entry)
      for (const look of waiting) look(entry)
    },
    onConnectionFailure: () => undefined,
    onError(error) {
      throw error
    },
  })
  const control = createGrpcServer({ onDefect: () => undefined })
  log.register(control.grpc)
  const accessLogPort = portOf(await control.listen('127.0.0.1:0'))
  envoy = await startEnvoy({
    bootstrap: staticBootstrap({
      filterPort: portOf(filter.address),
      accessLogPort,
      originPort: origin.port,
      bodyBytes,
    }),
    listeners: ['http'],
  })
  port = await envoy.listenerPort('http')
  closers = [() => envoy.stop(), () => filter.stop(), () => control.stop(), () => origin.stop()]
})

afterAll(async () => {
  for (const close of closers) await close()
})

beforeEach(() => {
  seen = []
  decide = (input) => ({ ...pass, record: recorded(input) })
})

const onlySeen = (): RequestInput => {
  expect(seen).toHaveLength(1)
  const [input] = seen
  if (!input) throw new Error('the filter was not asked')
  return input
}

const latin1 = (value: string | Uint8Array): string =>
  typeof value === 'string' ? value : Buffer.from(value).toString('latin1')

const linesOf = (input: RequestInput, ...names: readonly string[]): readonly Line[] =>
  input.headers
    .map(([name, value]) => [latin1(name), latin1(value)] as const)
    .filter(([name]) => names.includes(name))

describe('what arrives at the filter', () => {
  test('duplicate headers and split cookies, in order, and bytes as they were sent', async () => {
    const request = [
      'GET /raw?a=%ff HTTP/1.1',
      'Host: Shop.Example.com:8080',
      'X-A: 1',
      'Cookie: a=1',
      'X-A: 2',
      'Cookie: b=2',
      'X-Bytes: a\xff\xfeb',
      'X-Utf8: \xc3\xbc',
      'Connection: close',
      '',
      '',
    ].join('\r\n')
    const answer = await sendLatin1(request)
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    const input = onlySeen()
    expect(linesOf(input, 'x-a', 'cookie', 'x-bytes', 'x-utf8')).toEqual([
      ['x-a', '1'],
      ['cookie', 'a=1'],
      ['x-a', '2'],
      ['cookie', 'b=2'],
      ['x-bytes', 'a\xff\xfeb'],
      ['x-utf8', '\xc3\xbc'],
    ])
    expect(input).toMatchObject({
      method: 'GET',
      scheme: 'http',
      authority: 'Shop.Example.com:8080',
      target: '/raw?a=%ff',
      peer: '127.0.0.1',
      body: undefined,
      hints: { group: 'site1', entry: 'E' },
      connection: {
        port,
        protocol: 'HTTP/1.1',
        sni: undefined,
        certificate: undefined,
        listener: 'http',
        clientCertificates: 'off',
      },
    })
    expect(Math.abs(input.timestamp - Date.now())).toBeLessThan(10_000)
  })

  test('the request id is the one that the client gets', async () => {
    const { headers } = await send({ port, path: '/id' })
    expect(onlySeen().requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers['x-request-id']).toBe(onlySeen().requestId)
    expect((await loggedAt('/id')).requestId).toBe(onlySeen().requestId)
  })

  const bodies = [
    ['no body', undefined, undefined],
    ['a body', Buffer.from([0, 255, 10]), { length: 3, partial: false }],
    ['one that fills the buffer', Buffer.alloc(bodyBytes, 1), { length: bodyBytes, partial: false }],
    ['one byte more is partial', Buffer.alloc(bodyBytes + 1, 1), { length: bodyBytes, partial: true }],
    ['a long one is partial', Buffer.alloc(100 * bodyBytes, 1), { length: bodyBytes, partial: true }],
  ] as const
  test.each(bodies)('%s', async (_says, body, expected) => {
    const { status } = await send({ port, method: 'POST', path: '/body', ...(body ? { body } : {}) })
    expect(status).toBe(200)
    const { body: got } = onlySeen()
    expect(got && { length: got.bytes.length, partial: got.partial }).toEqual(expected)
    expect(origin.arrived.at(-1)?.bodyBytes).toBe(body?.length ?? 0)
  })

  test("a client's own word that its body is complete does not count", async () => {
    await send({
      port,
      method: 'POST',
      path: '/flag',
      headers: [['x-envoy-auth-partial-body', 'false']],
      body: Buffer.alloc(bodyBytes + 1, 1),
    })
    expect(onlySeen().body?.partial).toBe(true)
  })
})

async function sendLatin1(bytes: string): Promise<string> {
  return sendRaw(port, Buffer.from(bytes, 'latin1'))
}

describe('what becomes of a decision', () => {
  test.each([200, 247, 301, 400, 403, 413, 421, 429, 444, 470, 471, 472, 473, 474, 475, 476, 495, 496, 503])(
    'the client gets status %i, headers, body and a request id',
    async (status) => {
      decide = (input) => ({
        ...pass,
        action: 'block',
        answer: denied(
          status,
          [
            ['content-type', 'text/html; charset=utf-8'],
            ['x-empty', ''],
          ],
          '<h1>ü</h1>',
        ),
        record: recorded(input),
      })
      const before = origin.arrived.length
      const answer = await send({ port, path: `/denied/${status}` })
      expect(answer).toMatchObject({ status, body: '<h1>ü</h1>' })
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(answer.headers['x-request-id']).toBe(onlySeen().requestId)
      expect(origin.arrived).toHaveLength(before)
    },
  )

  test('an answer may set several cookies', async () => {
    decide = (input) => ({
      ...pass,
      answer: denied(247, [
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
        ['cache-control', 'no-store'],
      ]),
      record: recorded(input),
    })
    const { headers } = await send({ port, path: '/cookies' })
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(headers['cache-control']).toBe('no-store')
  })

  test("headers for the origin replace the client's, whatever their number, and others are taken away", async () => {
    decide = (input) => ({
      ...pass,
      requestHeaders: [
        ['x-real-ip', '203.0.113.7'],
        ['x-new', 'ü'],
        ['x-empty', ''],
      ],
      removeHeaders: ['x-weir-ja3'],
      record: recorded(input),
    })
    const spoofed: readonly Line[] = [
      ['x-real-ip', '6.6.6.6'],
      ['X-Real-IP', '7.7.7.7'],
      ['x-weir-ja3', 'abc'],
      ['x-kept', '1'],
    ]
    await send({ port, path: '/headers', headers: spoofed })
    const lines = origin.arrived.at(-1)?.headers ?? []
    const of = (name: string): readonly string[] =>
      lines.filter(([key]) => key === name).map(([, value]) => value)
    expect({ ip: of('x-real-ip'), ja3: of('x-weir-ja3'), kept: of('x-kept'), empty: of('x-empty') }).toEqual({
      ip: ['203.0.113.7'],
      ja3: [],
      kept: ['1'],
      empty: [''],
    })
    expect(of('x-new').map((value) => Buffer.from(value, 'latin1').toString())).toEqual(['ü'])
  })

  test('a defect is a page and an event, not a bare error', async () => {
    decide = () => {
      throw new Error('a defect')
    }
    expect(await send({ port, path: '/defect' })).toMatchObject({ status: 500, body: 'denied' })
    const entry = await loggedAt('/defect')
    expect(entry.responseCode).toBe(500)
    expect(recordOf(entry)).toMatchObject({ path: '/defect' })
  })
})

describe('what comes back through the access log', () => {
  test('the record of a request that was passed, and what only Envoy knows', async () => {
    await send({
      port,
      path: '/logged/pass',
      method: 'POST',
      headers: [
        ['user-agent', 'tests'],
        ['referer', 'http://r/'],
      ],
      body: 'abc',
    })
    const entry = await loggedAt('/logged/pass')
    expect(entry).toMatchObject({
      node: 'envoy-static',
      logName: 'weir',
      peer: { address: '127.0.0.1' },
      local: { address: '127.0.0.1', port },
      tls: undefined,
      method: 'POST',
      scheme: 'http',
      authority: 'www.example.com',
      userAgent: 'tests',
      referer: 'http://r/',
      requestId: onlySeen().requestId,
      requestBodyBytes: 3,
      protocolVersion: '1.1',
      responseCode: 200,
      responseCodeDetails: 'via_upstream',
      responseFlags: [],
      upstream: { address: '127.0.0.1', port: origin.port },
      upstreamCluster: 'origin',
      upstreamAttempts: 1,
      routeName: 'all',
      responseRecord: undefined,
    })
    expect(recordOf(entry)).toEqual(recorded(onlySeen()))
    expect(Math.abs(entry.startTime / 1000 - Date.now())).toBeLessThan(20_000)
    const { firstUpstreamRequestByte = 0, lastUpstreamResponseByte = 0, duration = 0 } = entry.durations
    expect(firstUpstreamRequestByte).toBeGreaterThan(0)
    expect(lastUpstreamResponseByte).toBeGreaterThan(firstUpstreamRequestByte)
    expect(duration).toBeGreaterThanOrEqual(lastUpstreamResponseByte)
    expect(entry.responseHeaderBytes).toBeGreaterThan(0)
    expect(entry.responseBodyBytes).toBeGreaterThan(0)
  })

  test('the record of a request that was denied', async () => {
    decide = (input) => ({ ...pass, action: 'block', answer: denied(473), record: recorded(input) })
    await send({ port, path: '/logged/denied' })
    const entry = await loggedAt('/logged/denied')
    expect(entry).toMatchObject({
      responseCode: 473,
      responseCodeDetails: 'ext_authz_denied',
      responseFlags: ['unauthorized_details'],
      upstream: undefined,
    })
    expect(recordOf(entry)).toEqual(recorded(onlySeen()))
  })

  test('a large record', async () => {
    const large = 'x'.repeat(120_000)
    decide = (input) => ({ ...pass, record: { ...recorded(input), body: large } })
    await send({ port, path: '/logged/large' })
    expect(recordOf(await loggedAt('/logged/large'))).toMatchObject({ body: large })
  })

  const refused = [
    [
      'two lengths',
      'POST /both HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    ['an old version', 'GET /old HTTP/1.0\r\nHost: a\r\n\r\n', 426],
  ] as const
  test.each(refused)(
    'a request that Envoy refuses by itself has an entry without a record: %s',
    async (_says, request, status) => {
      const next = nextLogged((entry) => entry.responseCode === status)
      expect(await sendRaw(port, request, '\r\n\r\n')).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect(await next).toMatchObject({ node: 'envoy-static', record: undefined, upstream: undefined })
      expect(seen).toEqual([])
    },
  )
})

// Last, because nobody answers afterwards.
describe('a filter that drains', () => {
  test('finishes the request that it was asked about, then Envoy refuses what it cannot have judged', async () => {
    let begun: () => void = () => undefined
    let judge: () => void = () => undefined
    const asked = new Promise<void>((resolve) => (begun = resolve))
    const judged = new Promise<void>((resolve) => (judge = resolve))
    decide = async (input) => {
      begun()
      await judged
      return { ...pass, record: recorded(input) }
    }
    const running = send({ port, path: '/running' })
    await asked
    const drained = filter.drain()
    judge()
    expect((await running).status).toBe(200)
    await drained
    expect((await send({ port, path: '/refused' })).status).toBe(503)
    expect(await loggedAt('/refused')).toMatchObject({
      responseCode: 503,
      responseCodeDetails: 'ext_authz_error',
      record: undefined,
    })
  })
})
