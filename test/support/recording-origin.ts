// An origin that trusts nobody: it reads the bytes of its connections itself, strictly, and keeps them. What does not
// read as one whole request after the other is kept as a stray, so that nothing can reach it unnoticed.
import { type AddressInfo, type Socket, createServer } from 'node:net'

export type Recorded = {
  readonly origin: string
  readonly method: string
  /** As on the wire. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Without the framing of chunks; as far as it came. */
  readonly body: Buffer
  readonly whole: boolean
}

export type RecordingOrigin = {
  readonly name: string
  readonly port: number
  readonly requests: readonly Recorded[]
  /** Bytes that are no request. */
  readonly strays: readonly string[]
  stop(): Promise<void>
}

type Head = Pick<Recorded, 'method' | 'target' | 'headers'>

const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/1\.1$/
const headerLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\t -~\x80-\xff]*)$/

function readHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.split('\r\n')
  const [, method, target] = requestLine.exec(first) ?? []
  if (method === undefined || target === undefined) return undefined
  const headers: (readonly [string, string])[] = []
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    headers.push([name.toLowerCase(), value])
  }
  return { method, target, headers }
}

type Body = { readonly bytes: Buffer; readonly end: number; readonly whole: boolean }

/** Undefined: no valid chunk. */
function readChunks(input: Buffer): Body | undefined {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const eol = input.indexOf('\r\n', at)
    if (eol < 0) return { bytes: Buffer.concat(parts), end: input.length, whole: false }
    const size = input.toString('latin1', at, eol)
    if (!/^[0-9a-fA-F]{1,8}$/.test(size)) return undefined
    const length = Number.parseInt(size, 16)
    const from = eol + 2
    if (length === 0) {
      const end = input.indexOf('\r\n', from)
      if (end < 0) return { bytes: Buffer.concat(parts), end: input.length, whole: false }
      // Trailers end with an empty line; without any, that line is here.
      const last = end === from ? from : input.indexOf('\r\n\r\n', from) + 2
      return { bytes: Buffer.concat(parts), end: last + 2, whole: true }
    }
    if (input.length < from + length + 2)
      return {
        bytes: Buffer.concat([...parts, input.subarray(from, from + length)]),
        end: input.length,
        whole: false,
      }
    if (input.toString('latin1', from + length, from + length + 2) !== '\r\n') return undefined
    parts.push(input.subarray(from, from + length))
    at = from + length + 2
  }
}

function readBody({ headers }: Head, input: Buffer): Body | undefined {
  const of = (name: string): readonly string[] =>
    headers.filter(([key]) => key === name).map(([, value]) => value)
  const encodings = of('transfer-encoding')
  const lengths = of('content-length')
  if (encodings.length > 0)
    return encodings.join() === 'chunked' && lengths.length === 0 ? readChunks(input) : undefined
  const [length = '0', ...more] = lengths
  if (more.length > 0 || !/^[0-9]+$/.test(length)) return undefined
  const wanted = Number(length)
  const end = Math.min(wanted, input.length)
  return { bytes: input.subarray(0, end), end, whole: input.length >= wanted }
}

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

function record(socket: Socket, name: string, requests: Recorded[], strays: string[]): void {
  let pending = Buffer.alloc(0)
  /** Place in `requests` of the one whose body is still coming. */
  let open: number | undefined
  const stray = (bytes: Buffer): void => {
    strays.push(bytes.toString('latin1'))
    pending = Buffer.alloc(0)
    socket.destroy()
  }
  const read = (): void => {
    for (;;) {
      const gap = pending.indexOf('\r\n\r\n')
      if (gap < 0) return
      const head = readHead(pending.toString('latin1', 0, gap))
      const body = head && readBody(head, pending.subarray(gap + 4))
      if (head === undefined || body === undefined) return stray(pending)
      const one = { ...head, origin: name, body: Buffer.from(body.bytes), whole: body.whole }
      open ??= requests.push(one) - 1
      requests[open] = one
      if (!body.whole) return
      open = undefined
      pending = pending.subarray(gap + 4 + body.end)
      socket.write(answer)
    }
  }
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    read()
  })
  socket.on('close', () => {
    if (open === undefined && pending.length > 0) strays.push(pending.toString('latin1'))
  })
  socket.on('error', () => socket.destroy())
}

/** Listens on a port of 127.0.0.1 that the kernel chooses. */
export async function startRecordingOrigin(name: string): Promise<RecordingOrigin> {
  const requests: Recorded[] = []
  const strays: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    record(socket, name, requests, strays)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    name,
    port: (server.address() as AddressInfo).port,
    requests,
    strays,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
