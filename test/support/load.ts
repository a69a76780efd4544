// Steady traffic while something changes: so many requests a second, come what may, over connections that live on and over new
// ones, with and without TLS. Whatever is not answered as it should be is kept, with its time and its way.
import { type RequestOptions, Agent, request } from 'node:http'
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

export type Target = {
  readonly port: number
  readonly host: string
  /** Default: without TLS. */
  readonly tls?: boolean
}

export type Lost = {
  readonly way: string
  /** Milliseconds since the beginning, when the request was sent. */
  readonly at: number
  /** A status or an error. */
  readonly what: string
}

export type Load = {
  sent(): number
  readonly lost: readonly Lost[]
  /** Ends when every request has its answer. */
  stop(): Promise<{ readonly sent: number; readonly lost: readonly Lost[]; readonly perSecond: number }>
  /** Ends at once, whatever is under way; for the end of a test that failed. */
  cancel(): void
}

/** Milliseconds without a byte after which a request is lost. */
const patience = 60_000

/** A machine that cannot keep up is not given more: what waits in a queue of its own says nothing about who lost it. */
const mostUnderWay = 100

/** One way of sending a request; resolves with its status. */
type Way = { readonly name: string; ask(): Promise<number>; close(): void }

function http1({ port, host, tls = false }: Target, kept: boolean): Way {
  const options = { keepAlive: true, maxSockets: 8, rejectUnauthorized: false }
  const agent = kept ? (tls ? new TlsAgent(options) : new Agent(options)) : undefined
  const send = tls ? tlsRequest : request
  const sent: RequestOptions & { rejectUnauthorized: boolean; servername?: string } = {
    host: '127.0.0.1',
    port,
    headers: { host },
    agent: agent ?? false,
    rejectUnauthorized: false,
    ...(tls ? { servername: host } : {}),
  }
  return {
    name: `${tls ? 'TLS, ' : ''}HTTP/1.1, ${kept ? 'kept' : 'new'} connections`,
    ask: () =>
      new Promise((resolve, reject) => {
        const asked = send({ ...sent, path: '/' }, (response) => {
          response.on('error', reject)
          response.on('end', () => resolve(response.statusCode ?? 0))
          response.resume()
        })
        asked.setTimeout(patience, () => asked.destroy(new Error('no answer')))
        asked.on('error', reject)
        asked.end()
      }),
    close: () => agent?.destroy(),
  }
}

/** A session is used until the server says that it goes away; what is under way then still gets its answer. */
function http2({ port, host }: Target): Way {
  let session: ClientHttp2Session | undefined
  const sessions = new Set<ClientHttp2Session>()
  const open = (): ClientHttp2Session => {
    if (session && !session.closed && !session.destroyed) return session
    const fresh = connectHttp2(`https://${host}:${port}`, {
      host: '127.0.0.1',
      servername: host,
      rejectUnauthorized: false,
    })
    fresh.on('error', () => undefined)
    fresh.on('goaway', () => {
      if (session === fresh) session = undefined
    })
    fresh.on('close', () => sessions.delete(fresh))
    sessions.add(fresh)
    session = fresh
    return fresh
  }
  function over(connection: ClientHttp2Session): Promise<number> {
    return new Promise((resolve, reject) => {
      let status = 0
      const stream = connection.request({ ':path': '/', ':authority': host })
      stream.setTimeout(patience, () => stream.destroy(new Error('no answer')))
      stream.on('response', (headers) => (status = headers[':status'] ?? 0))
      stream.on('error', reject)
      stream.on('end', () => resolve(status))
      stream.resume()
      stream.end()
    })
  }
  /** A stream that crossed the server's farewell was refused before anybody looked at it; every client sends it again (RFC 9113, 8.7). */
  async function ask(): Promise<number> {
    const connection = open()
    try {
      return await over(connection)
    } catch (error) {
      if (!String(error).includes('NGHTTP2_REFUSED_STREAM')) throw error
      if (session === connection) session = undefined
      connection.close()
      return over(open())
    }
  }
  return {
    name: 'TLS, HTTP/2',
    ask,
    close() {
      for (const one of sessions) one.destroy()
    },
  }
}

const waysTo = (target: Target): readonly Way[] => [
  http1(target, true),
  http1(target, false),
  ...(target.tls === true ? [http2(target)] : []),
]

/** Sends requests to the targets in turn until it is stopped; an answer other than 200 is lost. */
export function startLoad(targets: readonly Target[], perSecond: number): Load {
  const ways = targets.flatMap(waysTo)
  const started = performance.now()
  const since = (): number => Math.round(performance.now() - started)
  const lost: Lost[] = []
  const open = new Set<Promise<void>>()
  let sent = 0

  async function ask({ name: way, ask: send }: Way): Promise<void> {
    const at = since()
    const what = await send().then(
      (status) => (status === 200 ? undefined : `status ${status}`),
      (error: unknown) => String(error),
    )
    if (what !== undefined) lost.push({ way, at, what })
  }

  // As many as the clock asks for: a moment in which this process was busy is made up for.
  const timer = setInterval(() => {
    for (const due = (since() * perSecond) / 1000; sent < due && open.size < mostUnderWay; sent++) {
      const way = ways[sent % ways.length]
      if (!way) return
      const one = ask(way).finally(() => open.delete(one))
      open.add(one)
    }
  }, 5)

  function cancel(): void {
    clearInterval(timer)
    for (const way of ways) way.close()
  }

  return {
    sent: () => sent,
    lost,
    cancel,
    async stop() {
      clearInterval(timer)
      const seconds = since() / 1000
      await Promise.all(open)
      cancel()
      return { sent, lost, perSecond: sent / seconds }
    },
  }
}
