// The main job through a real Envoy under the shipped policy: attacks are refused with a reason wherever they stand, a
// shop's good requests pass, and every request leaves exactly one event.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, send, sendRaw } from './support/http.ts'
import { type Probe, attackProbes, benignProbes } from './support/probes.ts'
import { type TestWeir, startWeir } from './support/weir.ts'

let weir: TestWeir

beforeAll(async () => {
  weir = await startWeir({})
})
afterAll(async () => {
  await weir.stop()
})

const browser = [
  [
    'user-agent',
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  ],
  ['accept', 'text/html,application/xhtml+xml,*/*;q=0.8'],
] as const

const ask = ({ method, path, headers, body }: Probe, host = 'localhost'): Promise<Answer> =>
  send({
    port: weir.port,
    host,
    method,
    path,
    headers: [...browser, ...Object.entries(headers)],
    ...(body === undefined ? {} : { body }),
  })

const requestId = ({ headers }: Answer): string => {
  const id = headers['x-request-id']
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
  return String(id)
}

/** A traversal in the path may be redirected to its normalised form first: what counts is where that ends. */
async function follow(probe: Probe): Promise<Answer> {
  const answer = await ask(probe)
  const { location } = answer.headers
  return answer.status === 307 && location !== undefined ? follow({ ...probe, path: location }) : answer
}

describe('good requests', () => {
  test.each(benignProbes.map((probe) => [probe.name, probe] as const))('%s passes', async (_name, probe) => {
    const answer = await ask(probe)
    expect(answer.status).toBe(200)
    const event = await weir.event(requestId(answer))
    expect(event).toMatchObject({
      result: 'Passed',
      status: 200,
      reason: null,
      source: 'pipeline',
      method: probe.method,
    })
    expect(event.tags).toEqual(
      expect.arrayContaining(['all', 'bot', 'sent-to-origin', 'status:200', 'upstream-status:200']),
    )
    expect(event.upstream_addr).toEqual([weir.backend])
    expect(event.request_time).toBeGreaterThan(0)
  })
})

describe('attacks', () => {
  test.each(attackProbes.map((probe) => [probe.name, probe] as const))(
    '%s is refused',
    async (_name, probe) => {
      const answer = await follow(probe)
      expect([answer.status, probe.name]).toEqual([473, probe.name])
      const event = await weir.event(requestId(answer))
      expect(answer.headers['content-type']).toContain('text/html')
      for (const shown of [event.request_id, event.host, '473']) expect(answer.body).toContain(String(shown))
      expect(answer.body).toMatch(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/)
      expect(event).toMatchObject({
        result: 'Blocked',
        status: 473,
        blocked: true,
        upstream_addr: [],
        processing_stage: 7,
      })
      expect(event.reason).toMatch(/^Content filter: /)
      expect(event.cf_triggers.length).toBeGreaterThan(0)
      expect(event.tags).toEqual(
        expect.arrayContaining(['action:content-filter-block', 'cf-all', 'status:473']),
      )
    },
  )
})

describe('requests that are wrong in themselves', () => {
  test('an unknown host is refused with 421', async () => {
    const answer = await ask({ name: '', method: 'GET', path: '/', headers: {} }, 'unknown.example')
    expect(answer.status).toBe(421)
    const event = await weir.event(requestId(answer))
    expect(event).toMatchObject({ reason: 'General: unrecognized host header', result: 'Blocked' })
    expect(event.tags).toContain('unrecognized-host-header')
  })

  test('two Host lines are refused with 400', async () => {
    const answer = await sendRaw(
      weir.port,
      'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  })

  test('invalid UTF-8 in a header is refused with 400', async () => {
    const bytes = Buffer.concat([
      Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\nx-broken: a'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\r\nConnection: close\r\n\r\n'),
    ])
    const answer = await sendRaw(weir.port, bytes)
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
    const id = /x-request-id: (\S+)/i.exec(answer)?.[1] ?? ''
    const event = await weir.event(id)
    expect(event.reason).toBe('General: invalid characters in header x-broken')
  })

  test('what Envoy refuses by itself is an event too', async () => {
    const before = (await weir.events()).length
    await sendRaw(
      weir.port,
      'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    )
    const events = await weir.eventsAfter(before)
    expect(events[0]).toMatchObject({
      source: 'envoy',
      status: 400,
      reason: 'General: malformed request',
      result: 'Blocked',
    })
  })

  test('two content types are refused with 400', async () => {
    const answer = await sendRaw(
      weir.port,
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400/)
  })
})

test('each request has exactly one event', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      ask({ name: '', method: 'GET', path: `/once/${String(i)}`, headers: {} }),
    ),
  )
  const ids = answers.map(requestId)
  for (const id of ids) await weir.event(id)
  const seen = (await weir.events()).map((event) => event.request_id).filter((id) => ids.includes(id))
  expect(seen.toSorted()).toEqual(ids.toSorted())
})
