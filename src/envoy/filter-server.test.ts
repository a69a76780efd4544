import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as grpc from '@grpc/grpc-js'
import { checkPath } from './authz.ts'
import { encodeCheckResponse } from './check-response.ts'
import { attributesOf, block, checkBytes, pass } from './check.fixture.ts'
import { type FilterServer, startFilterServer } from './filter-server.ts'
import type { Decision } from '#pipeline'
import { createGrpcServer } from './grpc-server.ts'
import { createLeanServer } from './grpc/lean-server.ts'
import { GrpcError, type Transport, transports } from './transport.ts'

const asIs = (message: Buffer): Buffer => message
/** Long enough for 64 MiB on a busy machine. */
const deadline = (): number => Date.now() + 60_000

describe.each(transports)('over %s', (transport) => {
  let clients: grpc.Client[]
  let servers: FilterServer[]
  let told: string[]

  beforeEach(() => {
    clients = []
    servers = []
    told = []
  })

  afterEach(() => {
    for (const client of clients) client.close()
    for (const server of servers) server.stop()
  })

  const log = {
    warn: (_fields: object, message: string) => void told.push(message),
    error: (_fields: object, message: string) => void told.push(message),
  }

  async function start(
    decide: () => Decision | Promise<Decision>,
    listen = '127.0.0.1:0',
  ): Promise<FilterServer> {
    const server = await startFilterServer({ listen, decide, failed: () => block, log, transport })
    servers.push(server)
    return server
  }

  function dial(address: string): grpc.Client {
    const client = new grpc.Client(address, grpc.credentials.createInsecure())
    clients.push(client)
    return client
  }

  type Answer = { readonly message: Buffer | undefined; readonly code: grpc.status; readonly details: string }

  const ask = (client: grpc.Client, path: string, message: Uint8Array): Promise<Answer> =>
    new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        Buffer.from(message),
        { deadline: deadline() },
        (error: grpc.ServiceError | null, answer?: Buffer) =>
          resolve({ message: answer, code: error?.code ?? grpc.status.OK, details: error?.details ?? '' }),
      )
    })

  const request = checkBytes(attributesOf())
  const healthOf = (service: string): Uint8Array =>
    Buffer.from([0x0a, service.length, ...Buffer.from(service)])
  const serving = Buffer.from([0x08, 1])
  const notServing = Buffer.from([0x08, 2])

  describe("a filter's server", () => {
    test('answers a check over TCP', async () => {
      const client = dial((await start(() => pass)).address)
      expect(await ask(client, checkPath, request)).toEqual({
        message: Buffer.from(encodeCheckResponse(pass)),
        code: grpc.status.OK,
        details: '',
      })
    })

    test('answers a check over a Unix socket', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'weir-door-'))
      try {
        const server = await start(() => Promise.resolve(block), `unix:${folder}/filter.sock`)
        expect(server.address).toBe(`unix:${folder}/filter.sock`)
        const answer = await ask(dial(server.address), checkPath, request)
        expect(answer.message).toEqual(Buffer.from(encodeCheckResponse(block)))
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    })

    test('takes a body of the largest inspection buffer', async () => {
      const client = dial((await start(() => pass)).address)
      const large = checkBytes(attributesOf({ raw_body: Buffer.alloc(64 * 1024 * 1024, 'x') }))
      expect((await ask(client, checkPath, large)).code).toBe(grpc.status.OK)
    })

    test('refuses what is no CheckRequest, and says so', async () => {
      const client = dial((await start(() => pass)).address)
      const answer = await ask(client, checkPath, Buffer.from('garbage'))
      expect(answer).toMatchObject({
        code: grpc.status.INVALID_ARGUMENT,
        details: expect.stringContaining('CheckRequest'),
      })
      expect(told).toEqual(['refused a malformed CheckRequest'])
    })

    test('a defect is answered by a decision, not by a gRPC error', async () => {
      const client = dial((await start(() => Promise.reject(new Error('a defect')))).address)
      expect((await ask(client, checkPath, request)).message).toEqual(Buffer.from(encodeCheckResponse(block)))
    })

    test('an address in use is refused with address and reason', async () => {
      // It also writes the reason to stderr.
      grpc.setLogVerbosity(grpc.logVerbosity.NONE)
      const { address } = await start(() => pass)
      await expect(start(() => pass, address)).rejects.toThrow(
        new RegExp(`cannot listen on ${address}: .*EADDRINUSE`),
      )
    })
  })

  describe('health', () => {
    test.each([
      ['the server as a whole', '', serving, grpc.status.OK],
      ['ext_authz', 'envoy.service.auth.v3.Authorization', serving, grpc.status.OK],
      ['a service that is not here', 'a.B', undefined, grpc.status.NOT_FOUND],
    ] as const)('%s', async (_says, service, message, code) => {
      const client = dial((await start(() => pass)).address)
      expect(await ask(client, '/grpc.health.v1.Health/Check', healthOf(service))).toMatchObject({
        message,
        code,
      })
    })

    test('is NOT_SERVING until there is a policy, and does not come back once it drains', async () => {
      const server = await startFilterServer({
        listen: '127.0.0.1:0',
        decide() {
          throw new GrpcError('UNAVAILABLE', 'no policy yet')
        },
        failed() {
          throw new GrpcError('UNAVAILABLE', 'no policy yet')
        },
        isServing: false,
        log,
        transport,
      })
      servers.push(server)
      const client = dial(server.address)
      const health = async () => (await ask(client, '/grpc.health.v1.Health/Check', healthOf(''))).message
      expect(await health()).toEqual(notServing)
      expect(await ask(client, checkPath, request)).toMatchObject({
        code: grpc.status.UNAVAILABLE,
        details: 'no policy yet',
      })
      server.serve()
      expect(await health()).toEqual(serving)
      const noticed = Promise.withResolvers<undefined>()
      const drained = server.drain(noticed.promise)
      server.serve()
      expect(await health()).toEqual(notServing)
      noticed.resolve(undefined)
      await drained
    })

    const watchTests: Readonly<Record<Transport, readonly [says: string, run: () => Promise<void>]>> = {
      lean: [
        'Watch is UNIMPLEMENTED: clients then take the server for healthy',
        async () => {
          const client = dial((await start(() => pass)).address)
          expect((await ask(client, '/grpc.health.v1.Health/Watch', healthOf(''))).code).toBe(
            grpc.status.UNIMPLEMENTED,
          )
        },
      ],
      'grpc-js': [
        'who watches is told that the filter drains, and the watch ends',
        async () => {
          const server = await start(() => pass)
          const call = dial(server.address).makeServerStreamRequest(
            '/grpc.health.v1.Health/Watch',
            asIs,
            asIs,
            Buffer.alloc(0),
          )
          const seen: Buffer[] = []
          const ended = new Promise((resolve) => call.on('end', resolve))
          const first = new Promise<void>((resolve) => {
            call.on('data', (message: Buffer) => {
              seen.push(message)
              resolve()
            })
          })
          await first
          await server.drain()
          await ended
          expect(seen).toEqual([serving, notServing])
        },
      ],
    }
    test(...watchTests[transport])
  })

  describe('draining', () => {
    test('running calls finish, new ones are refused, and meanwhile the filter answers on', async () => {
      const waiting: ((decision: Decision) => void)[] = []
      const asked: (() => void)[] = []
      const decide = (): Promise<Decision> =>
        new Promise((resolve) => {
          waiting.push(resolve)
          asked.shift()?.()
        })
      const nextAsked = (): Promise<void> => new Promise((resolve) => asked.push(resolve))
      const server = await start(decide)
      const client = dial(server.address)
      const begun = nextAsked()
      const running = ask(client, checkPath, request)
      await begun
      let drained = false
      let notice: (value?: unknown) => void = () => undefined
      const noticed = new Promise((resolve) => (notice = resolve))
      const draining = server.drain(noticed).then(() => (drained = true))
      expect((await ask(client, '/grpc.health.v1.Health/Check', healthOf(''))).message).toEqual(notServing)
      const alsoBegun = nextAsked()
      const late = ask(client, checkPath, request)
      await alsoBegun
      waiting[1]?.(pass)
      expect((await late).code).toBe(grpc.status.OK)
      notice()
      expect(drained).toBe(false)
      waiting[0]?.(block)
      expect((await running).message).toEqual(Buffer.from(encodeCheckResponse(block)))
      await draining
      expect((await ask(dial(server.address), checkPath, request)).code).toBe(grpc.status.UNAVAILABLE)
    })
  })

  describe('the transport', () => {
    test('a method that throws is INTERNAL without its text, told to onDefect, and sees a cancelled call', async () => {
      const defects: unknown[] = []
      const create = transport === 'lean' ? createLeanServer : createGrpcServer
      const server = create({ onDefect: (error, path) => defects.push([String(error), path]) })
      let cancelled: Promise<boolean> = Promise.resolve(false)
      let seen: () => void = () => undefined
      const arrived = new Promise<void>((resolve) => (seen = resolve))
      server.serveUnary('/a.B/Throw', () => {
        throw new Error('a secret')
      })
      server.serveUnary('/a.B/Reject', () => Promise.reject(new Error('a secret')))
      server.serveUnary('/a.B/Wait', (_request, call) => {
        cancelled = (async () => {
          while (!call.cancelled) await new Promise((resolve) => setImmediate(resolve))
          return Number.isFinite(call.deadline)
        })()
        seen()
        return cancelled.then(() => Buffer.alloc(0))
      })
      const client = dial(await server.listen('127.0.0.1:0'))
      try {
        for (const path of ['/a.B/Throw', '/a.B/Reject'])
          expect(await ask(client, path, Buffer.alloc(0))).toMatchObject({
            code: grpc.status.INTERNAL,
            details: 'internal error',
          })
        expect(defects).toEqual([
          ['Error: a secret', '/a.B/Throw'],
          ['Error: a secret', '/a.B/Reject'],
        ])
        const call = client.makeUnaryRequest(
          '/a.B/Wait',
          asIs,
          asIs,
          Buffer.alloc(0),
          { deadline: deadline() },
          () => undefined,
        )
        await arrived
        call.cancel()
        expect(await cancelled).toBe(true)
      } finally {
        server.stop()
      }
    })
  })
})
