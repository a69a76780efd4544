import { afterEach, describe, expect, test } from '@jest/globals'
import { Client, Metadata, credentials, status } from '@grpc/grpc-js'
import { admission } from './access.ts'
import { type GrpcServer, createGrpcServer } from './grpc-server.ts'

const token = 'correct-horse-battery'

const rows: readonly (readonly [
  says: string,
  token: string | undefined,
  address: string | undefined,
  authorization: string | undefined,
  admitted: boolean,
])[] = [
  ['without a token this machine may connect', undefined, '127.0.0.1', undefined, true],
  ['whatever loopback address it uses', undefined, '127.9.9.9', undefined, true],
  ['over IPv6', undefined, '::1', undefined, true],
  ['over IPv6 with an IPv4 address', undefined, '::ffff:127.0.0.1', undefined, true],
  ['another machine may not', undefined, '10.0.0.7', undefined, false],
  ['another machine over IPv6 may not', undefined, '::ffff:10.0.0.7', undefined, false],
  ['whatever it sends', undefined, '10.0.0.7', 'Bearer none', false],
  ['a connection that is gone may not', undefined, undefined, undefined, false],
  ['this machine may send a token that nobody asked for', undefined, '127.0.0.1', 'Bearer none', true],
  ['with a token whoever sends it may connect', token, '10.0.0.7', `Bearer ${token}`, true],
  ['nobody else, also from this machine', token, '127.0.0.1', undefined, false],
  ['a wrong token is none', token, '127.0.0.1', 'Bearer correct-horse-batterz', false],
  ['the beginning of the token is none', token, '127.0.0.1', 'Bearer correct', false],
  ['the token without its scheme is none', token, '127.0.0.1', token, false],
]

describe('who may connect', () => {
  for (const [says, wanted, address, authorization, admitted] of rows)
    test(says, () => {
      expect(admission(wanted)({ address, authorization }) === undefined).toBe(admitted)
    })
})

test('whoever had to show a certificate needs no token, unless there is one', () => {
  const caller = { address: '10.0.0.7', authorization: undefined }
  expect(admission(undefined, true)(caller)).toBeUndefined()
  expect(admission(token, true)(caller)).toContain('xds.token')
})

describe('a gated server', () => {
  let server: GrpcServer | undefined
  afterEach(() => server?.stop())

  async function ask(authorization: string | undefined): Promise<number> {
    server = createGrpcServer({ onDefect: () => undefined, admit: admission(token) })
    server.serveUnary('/weir.Test/Echo', (request) => request)
    const client = new Client(await server.listen('127.0.0.1:0'), credentials.createInsecure())
    const metadata = new Metadata()
    if (authorization !== undefined) metadata.set('authorization', authorization)
    const same = (bytes: Buffer): Buffer => bytes
    const code = await new Promise<number>((resolve) => {
      client.makeUnaryRequest('/weir.Test/Echo', same, same, Buffer.from('x'), metadata, (error) =>
        resolve(error?.code ?? status.OK),
      )
    })
    client.close()
    return code
  }

  test('answers to the token', async () => {
    expect(await ask(`Bearer ${token}`)).toBe(status.OK)
  })
  test('refuses a call without it', async () => {
    expect(await ask(undefined)).toBe(status.UNAUTHENTICATED)
  })
})
