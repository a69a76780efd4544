// Load at a constant rate, whether answers come or not, as visitors do it. Each request has its moment, and its latency is
// counted from then on: a server that lets requests wait does not look fast because fewer were sent (coordinated omission).
// Runs as a process of its own: node bench/compare/open-loop.ts PORT RATE SECONDS MIX; prints one line of JSON.
import { execFile } from 'node:child_process'
import { type Socket, connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { quantileOf } from './figures.ts'
import { mixes } from './mixes.ts'

export type OpenLoop = {
  readonly sent: number
  /** Answered below 400. */
  readonly good: number
  /** Answered 503 or another status from 400. */
  readonly refused: number
  /** No answer: connection lost, or none free when the request's moment came. */
  readonly lost: number
  /** Milliseconds, of the good ones. */
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** As many visitors as wait at once; more are turned away before they reach the server. */
const mostConnections = 1000
const headerEnd = Buffer.from('\r\n\r\n')

type Totals = { sent: number; good: number; refused: number; lost: number; readonly latencies: number[] }

type Connection = {
  readonly socket: Socket
  /** When the request that runs was due; 0: none runs. */
  due: number
  /** Bytes of the answer that have not come yet; -1: its header is not whole. */
  left: number
  status: number
  head: Buffer
}

/** Takes what came; true once the answer is whole. */
function take(connection: Connection, chunk: Buffer): boolean {
  if (connection.left >= 0) {
    connection.left -= chunk.length
    return connection.left <= 0
  }
  const all = connection.head.length === 0 ? chunk : Buffer.concat([connection.head, chunk])
  const end = all.indexOf(headerEnd)
  if (end < 0) {
    connection.head = all
    return false
  }
  const text = all.toString('latin1', 0, end)
  connection.status = Number(text.slice(9, 12))
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
  connection.left = length - (all.length - end - headerEnd.length)
  return connection.left <= 0
}

async function run(
  port: number,
  rate: number,
  seconds: number,
  requests: readonly Buffer[],
): Promise<OpenLoop> {
  const totals: Totals = { sent: 0, good: 0, refused: 0, lost: 0, latencies: [] }
  const free: Connection[] = []
  let open = 0
  let running = 0

  function finish(connection: Connection): void {
    if (connection.status < 400) {
      totals.good++
      totals.latencies.push(performance.now() - connection.due)
    } else totals.refused++
    Object.assign(connection, { due: 0, left: -1, head: Buffer.alloc(0) })
    running--
    free.push(connection)
  }

  function openOne(): Connection {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    const connection: Connection = { socket, due: 0, left: -1, status: 0, head: Buffer.alloc(0) }
    open++
    socket.on('data', (chunk) => {
      if (take(connection, chunk)) finish(connection)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      open--
      if (connection.due > 0) {
        running--
        totals.lost++
      } else {
        const at = free.indexOf(connection)
        if (at >= 0) free.splice(at, 1)
      }
    })
    return connection
  }

  function send(due: number): void {
    totals.sent++
    const connection = free.pop() ?? (open < mostConnections ? openOne() : undefined)
    const request = requests[totals.sent % requests.length]
    if (connection === undefined || request === undefined) {
      totals.lost++
      return
    }
    connection.due = due
    running++
    connection.socket.write(request)
  }

  const start = performance.now()
  const all = rate * seconds
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now()
      const due = Math.min(all, Math.trunc(((now - start) / 1000) * rate))
      while (totals.sent < due) send(start + (totals.sent / rate) * 1000)
      if (totals.sent < all) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  // Who still waits is given some seconds.
  for (const end = performance.now() + 5000; running > 0 && performance.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 20))
  totals.lost += running
  const sorted = totals.latencies.toSorted((a, b) => a - b)
  const { latencies: _, ...counts } = totals
  return {
    ...counts,
    p50: quantileOf(sorted, 0.5),
    p99: quantileOf(sorted, 0.99),
    p999: quantileOf(sorted, 0.999),
  }
}

const file = fileURLToPath(import.meta.url)

/** Sends `rate` requests a second for `seconds`. */
export async function openLoop(port: number, rate: number, seconds: number, mix: string): Promise<OpenLoop> {
  const args = [file, String(port), String(rate), String(seconds), mix]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1 << 20 })
  return JSON.parse(stdout) as OpenLoop
}

if (import.meta.main) {
  const [port = '', rate = '', seconds = '', mix = 'get'] = process.argv.slice(2)
  const make = mixes[mix]
  if (make === undefined) throw new Error(`no mix "${mix}"`)
  const found = await run(Number(port), Number(rate), Number(seconds), make().requests)
  process.stdout.write(JSON.stringify(found))
  process.exit(0)
}
