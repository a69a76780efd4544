// 24 connections of Node's own HTTP/2 client that call, reset in the middle, ping, change their windows and hang up, at random. Each
// answer that was not given up has to be the one that was asked for, and in the end nothing may be left of any of it.
import { once } from 'node:events'
import http2 from 'node:http2'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../src/envoy/grpc/connection.fixture.ts'
import { type Random, createRandom } from '../fuzz/random.ts'
import { type EchoServer, startEcho } from './echo-server.ts'

export type SoakOptions = { readonly seconds: number; readonly seed: number; readonly connections?: number }

export type Soaked = {
  readonly answered: number
  readonly reset: number
  readonly pings: number
  readonly hungUp: number
  /** MiB that the heap has more at the end than after a tenth of the time. */
  readonly heapGrowth: number
  readonly problems: ReadonlyMap<string, number>
}

/** Milliseconds within which an answer has to be there; the machine may be busy. */
const patienceMs = 30_000

type Counts = {
  answered: number
  reset: number
  pings: number
  hungUp: number
  problems: Map<string, number>
}

const found = ({ problems }: Counts, problem: string): void =>
  void problems.set(problem, (problems.get(problem) ?? 0) + 1)

const paths = ['/a.B/Echo', '/a.B/Later', '/a.B/Echo', '/a.B/Later', '/a.B/Never'] as const

/** One call; rarely with a large message, and given up in the middle where the method never answers. */
async function call(session: http2.ClientHttp2Session, random: Random, counts: Counts): Promise<void> {
  const path = random.pick(paths)
  const content = Buffer.alloc(random.below(random.oneIn(20) ? 300_000 : 3000), `${random.below(1e9)} `)
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' })
  stream.on('error', () => undefined)
  const chunks: Buffer[] = []
  let status: unknown
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('trailers', (trailers) => (status = trailers['grpc-status']))
  const gone = path === '/a.B/Never' || random.oneIn(5)
  const body = messageOf(content)
  const cut = random.below(body.length)
  stream.write(body.subarray(0, cut))
  if (gone && random.oneIn(2)) await pause(random.below(5))
  if (!gone || random.oneIn(2)) stream.end(body.subarray(cut))
  const closed = once(stream, 'close')
  if (gone) {
    if (random.oneIn(2)) await pause(random.below(10))
    stream.close(http2.constants.NGHTTP2_CANCEL)
  } else stream.setTimeout(patienceMs, () => stream.close(http2.constants.NGHTTP2_CANCEL))
  await closed
  if (gone) counts.reset++
  else if (status !== '0')
    found(counts, `${path}: grpc-status ${String(status)}, reset ${String(stream.rstCode)}`)
  else if (!Buffer.concat(chunks).equals(body)) found(counts, `${path}: another answer`)
  else counts.answered++
}

async function ping(session: http2.ClientHttp2Session, counts: Counts): Promise<void> {
  const error = await new Promise<Error | null>((resolve) => {
    session.ping(resolve)
  })
  counts.pings++
  if (error !== null) found(counts, `ping: ${error.message}`)
}

/** A client until the time is up; between two hang-ups it is one connection. */
async function client(address: string, random: Random, counts: Counts, until: number): Promise<void> {
  while (performance.now() < until) {
    const session = http2.connect(`http://${address}`)
    session.on('error', (error) => found(counts, `connection: ${error.message}`))
    session.on('goaway', (code) => found(counts, `GOAWAY ${code}`))
    // Before that it sends no pings.
    await once(session, 'connect')
    for (let left = 50 + random.below(200); left > 0 && performance.now() < until; left--) {
      const acts = Array.from({ length: 1 + random.below(8) }, () => {
        if (random.oneIn(6)) return ping(session, counts)
        if (random.oneIn(20)) session.settings({ initialWindowSize: random.pick([1000, 65_535, 1_000_000]) })
        return call(session, random, counts)
      })
      await Promise.all(acts)
    }
    if (random.oneIn(2)) session.destroy()
    else await new Promise<void>((resolve) => session.close(() => resolve()))
    counts.hungUp++
  }
}

const heapMiB = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 1024 / 1024
}

/** Ends when the server says that nobody is connected any more. */
async function finish(server: EchoServer, counts: Counts): Promise<void> {
  const drained = server.drain().then(() => true)
  if (!(await Promise.race([drained, pause(patienceMs, false, { ref: false })])))
    found(counts, 'connections are left')
  if (server.held > 0) found(counts, `${server.held} bytes of messages are still held`)
  for (const defect of server.defects) found(counts, `defect: ${String(defect)}`)
  server.stop()
}

export async function soak({ seconds, seed, connections = 24 }: SoakOptions): Promise<Soaked> {
  const server = await startEcho()
  const counts: Counts = { answered: 0, reset: 0, pings: 0, hungUp: 0, problems: new Map() }
  const until = performance.now() + seconds * 1000
  const clients = Array.from({ length: connections }, (_, at) =>
    client(server.address, createRandom(seed, at), counts, until),
  )
  await pause(seconds * 100)
  const before = heapMiB()
  await Promise.all(clients)
  await finish(server, counts)
  return { ...counts, heapGrowth: Number((heapMiB() - before).toFixed(1)) }
}
