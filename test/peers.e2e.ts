// The lean transport and programs that nobody here wrote: the conformance suite for HTTP/2 servers, grpc-go, h2load. (Envoy is in every
// other end-to-end test, @grpc/grpc-js in src/envoy/filter-server.test.ts, Node's own client in lean-server.test.ts.)
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type EchoServer, startEcho } from './support/echo-server.ts'
import { soak } from './support/transport-soak.ts'
import { type Peer, goPeer, h2spec, onPath, run } from './support/programs.ts'

let server: EchoServer
beforeAll(async () => {
  server = await startEcho()
})
afterAll(() => {
  server.stop()
  expect(server.defects).toEqual([])
})

/** The group of tests of a peer; where it is missing they are left out and the group's name says why. */
function withPeer(name: string, peer: Peer, tests: (file: string) => void): void {
  if ('file' in peer) describe(name, () => tests(peer.file))
  else describe.skip(`${name}, left out: ${peer.missing}`, () => tests(''))
}

withPeer('h2spec', await h2spec(), (file) => {
  test.each([
    ['generic', 44],
    ['http2', 94],
    ['hpack', 7],
  ])('section %s: all of %i', async (section, tests) => {
    const { output } = await run(file, [section, '-h', '127.0.0.1', '-p', String(server.port)])
    expect(output.trim().split('\n').at(-1)).toBe(`${tests} tests, ${tests} passed, 0 skipped, 0 failed`)
  })
})

withPeer('grpc-go', await goPeer('grpc-go'), (file) => {
  test('what comes back, for answers and for failures', async () => {
    const { code, output } = await run(file, [server.address])
    expect(output.trim().split('\n')).toEqual([
      'echo 0: OK true',
      'echo 1: OK true',
      'echo 5000: OK true',
      'echo 16384: OK true',
      'echo 100000: OK true',
      'echo 5000000: OK true',
      'fail: NotFound nothing here: 100 % ü',
      'unknown: Unimplemented',
      'gzip: Unimplemented',
      'deadline: DeadlineExceeded',
      'cancel: Canceled',
      'health: OK SERVING',
      'health of another: NotFound',
      '5000 calls of 50 at a time: 0 wrong',
    ])
    expect(code).toBe(0)
  })
})

const h2load = onPath('h2load')
const withH2load = h2load === undefined ? test.skip : test

withH2load('h2load (left out where it is missing): 20,000 calls of 24 connections', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-h2load-'))
  try {
    const message = Buffer.alloc(2000, 'x')
    const prefix = Buffer.from([0, 0, 0, message.length >> 8, message.length & 255])
    writeFileSync(join(folder, 'message'), Buffer.concat([prefix, message]))
    const { output } = await run(h2load ?? '', [
      ...['-n', '20000', '-c', '24', '-m', '20', '-d', join(folder, 'message')],
      ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      `http://127.0.0.1:${String(server.port)}/a.B/Echo`,
    ])
    expect(output).toContain('20000 succeeded, 0 failed, 0 errored, 0 timeout')
    expect(output).toContain('status codes: 20000 2xx')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('24 connections that call, reset, ping and hang up at random', async () => {
  const { answered, reset, pings, problems } = await soak({ seconds: 3, seed: 5 })
  expect([...problems]).toEqual([])
  expect(Math.min(answered, reset, pings)).toBeGreaterThan(100)
})
