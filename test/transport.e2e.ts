// Evasions by the way a request is sent, through a real Envoy: pieces, pauses, padding, duplicates. What an origin would
// put together again must be judged put together.
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sendRaw } from './support/http.ts'
import { type TestWeir, startWeir } from './support/weir.ts'

let weir: TestWeir

beforeAll(async () => {
  weir = await startWeir({})
})
afterAll(async () => {
  await weir.stop()
})

const attack = "1' UNION SELECT username, password FROM users-- -"
const head = (lines: readonly string[], method = 'POST', path = '/'): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: localhost',
    'User-Agent: t',
    'Connection: close',
    ...lines,
    '',
    '',
  ].join('\r\n')
const chunk = (data: string | Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`${Buffer.byteLength(data).toString(16)}\r\n`),
    Buffer.from(data),
    Buffer.from('\r\n'),
  ])
const statusOf = (answer: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0)

/** Sends pieces with a pause after each, and returns everything that came back. */
async function sendPieces(pieces: readonly (string | Buffer)[], ms: number): Promise<string> {
  const socket = connect(weir.port, '127.0.0.1')
  await once(socket, 'connect')
  const received: Buffer[] = []
  socket.on('data', (data: Buffer) => received.push(data))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.write(piece)
    await pause(ms)
  }
  await closed
  return Buffer.concat(received).toString('latin1')
}

const json = 'Content-Type: application/json'
const buffer = 1024 * 1024

describe('bodies in pieces', () => {
  test('an attack across chunk boundaries', async () => {
    const body = JSON.stringify({ q: attack })
    const pieces = [...body].map((c) => chunk(c))
    const answer = await sendRaw(
      weir.port,
      Buffer.concat([
        Buffer.from(head([json, 'Transfer-Encoding: chunked'])),
        ...pieces,
        Buffer.from('0\r\n\r\n'),
      ]),
    )
    expect(statusOf(answer)).toBe(473)
  })

  test('an attack that arrives in two segments', async () => {
    const body = JSON.stringify({ q: attack })
    const answer = await sendPieces(
      [head([json, `Content-Length: ${String(body.length)}`]), body.slice(0, 15), body.slice(15)],
      60,
    )
    expect(statusOf(answer)).toBe(473)
  })

  test('a body of exactly the buffer, a pause, and then the attack, is partial and refused', async () => {
    const padding = Buffer.from(`{"a":"${'x'.repeat(buffer - 6)}`)
    const answer = await sendPieces(
      [head([json, 'Transfer-Encoding: chunked']), chunk(padding), chunk(`","q":"${attack}"}`), '0\r\n\r\n'],
      300,
    )
    expect(statusOf(answer)).toBe(413)
  })

  test('an attack behind padding in JSON is refused as too large', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(buffer + 10), q: attack })
    const answer = await sendRaw(
      weir.port,
      `${head([json, `Content-Length: ${String(body.length)}`])}${body}`,
    )
    expect(statusOf(answer)).toBe(413)
  })

  test('padding that fits is inspected to its end', async () => {
    const body = JSON.stringify({ a: 'x'.repeat(buffer - 2000), q: attack })
    const answer = await sendRaw(
      weir.port,
      `${head([json, `Content-Length: ${String(body.length)}`])}${body}`,
    )
    expect(statusOf(answer)).toBe(473)
  })

  test('a multipart body over the buffer passes with the tag', async () => {
    const body = `--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n${'x'.repeat(buffer + 1000)}\r\n--b--\r\n`
    const answer = await sendRaw(
      weir.port,
      `${head(['Content-Type: multipart/form-data; boundary=b', `Content-Length: ${String(body.length)}`])}${body}`,
    )
    expect(statusOf(answer)).toBe(200)
    const event = await weir.event(/x-request-id: (\S+)/i.exec(answer)?.[1] ?? '')
    expect(event.tags).toContain('body-partial')
  })
})

describe('duplicates and splits', () => {
  const rows: readonly (readonly [says: string, request: string])[] = [
    [
      'an attack split over two headers of one name',
      head(["x-note: 1' UNION SELECT username", 'x-note: password FROM users-- -'], 'GET'),
    ],
    ['an attack in the second cookie line', head(['Cookie: a=1', `Cookie: b=${attack}`], 'GET')],
    [
      'an attack split over two cookies of one name',
      head(
        [
          "Cookie: a=1' UNION SELECT username",
          'Cookie: a=password FROM users-- -'.replace('password', ', password'),
        ],
        'GET',
      ),
    ],
    [
      'an attack in the second argument of one name',
      head([], 'GET', `/?q=lamp&q=${encodeURIComponent(attack)}`),
    ],
    ['an attack encoded twice', head([], 'GET', `/?q=${encodeURIComponent(encodeURIComponent(attack))}`)],
    ['an attack in a name', head([], 'GET', `/?${encodeURIComponent(attack)}=1`)],
    [
      'an attack in base64',
      head([], 'GET', `/?q=${encodeURIComponent(Buffer.from(attack).toString('base64'))}`),
    ],
    [
      'a form without content type',
      `${head([`Content-Length: ${String(encodeURIComponent(attack).length + 2)}`])}q=${encodeURIComponent(attack)}`,
    ],
    [
      'a body of GET',
      `${head([json, `Content-Length: ${String(JSON.stringify({ q: attack }).length)}`], 'GET')}${JSON.stringify({ q: attack })}`,
    ],
    ['a path with encoded characters', head([], 'GET', `/files/${encodeURIComponent(attack)}`)],
  ]
  test.each(rows)('%s is refused', async (_says, request) => {
    expect(statusOf(await sendRaw(weir.port, request))).toBe(473)
  })
})
