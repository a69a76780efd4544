// What happens when a part of Weir dies, and when Weir is asked to stop: through a real Envoy, with real signals.
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, send } from './support/http.ts'
import { type TestWeir, pause, startWeir, waitFor } from './support/weir.ts'

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** `/slow` takes a while, everything else is answered at once. */
const slowMs = 2500
let origin: Server
let backendPort: number
beforeAll(async () => {
  origin = createServer((request, response) => {
    setTimeout(() => response.end('here'), request.url === '/slow' ? slowMs : 0)
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  backendPort = (origin.address() as AddressInfo).port
})
afterAll(() => {
  origin.close()
  origin.closeAllConnections()
})

const ask = (weir: TestWeir, path = '/'): Promise<Answer> =>
  send({ port: weir.port, host: 'localhost', path })

type Asked = { readonly at: number; readonly status: number; readonly id: string }

/** Asks again and again until told to stop; status 0: no connection. */
function keepAsking(weir: TestWeir) {
  const asked: Asked[] = []
  let going = true
  const over = (async () => {
    while (going) {
      const at = performance.now()
      const answer = await ask(weir).catch(() => undefined)
      asked.push({ at, status: answer?.status ?? 0, id: String(answer?.headers['x-request-id'] ?? '') })
      await pause(20)
    }
  })()
  return {
    asked,
    async stop() {
      going = false
      await over
      return asked
    },
  }
}

describe('a part dies', () => {
  let weir: TestWeir
  beforeAll(async () => {
    weir = await startWeir({ backendPort })
  })
  afterAll(async () => {
    expect(await weir.stop()).toBe(0)
  })

  const reborn = (child: string, after: number): Promise<unknown> =>
    weir.logged(({ msg }) => msg === `${child} serves again`, after)

  test('the filter: Envoy answers 503, soon traffic goes on, and each refusal is an event', async () => {
    const lines = weir.log().length
    const load = keepAsking(weir)
    await waitFor('an answer', () => load.asked.find(({ status }) => status === 200))
    const killedAt = performance.now()
    process.kill(weir.pidOf('filter-1'), 'SIGKILL')
    await reborn('filter-1', lines)
    await waitFor('traffic goes on', () =>
      load.asked.findLast(({ at, status }) => at > killedAt && status === 200),
    )
    await pause(200)
    const asked = (await load.stop()).filter(({ at }) => at > killedAt)
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200, 503]))
    const lastRefused = asked.findLastIndex(({ status }) => status === 503)
    // 2 s where the machine is free, over 4 where other tests start their Envoys at the same time.
    expect((asked[lastRefused + 1]?.at ?? Infinity) - killedAt).toBeLessThan(20_000)
    const event = await weir.event(asked[lastRefused]?.id ?? '')
    expect(event).toMatchObject({
      source: 'envoy',
      status: 503,
      result: 'Blocked',
      reason: 'General: filter unreachable',
      host: 'localhost',
    })
  })

  test('the control plane: traffic does not notice, and events come again', async () => {
    const lines = weir.log().length
    const load = keepAsking(weir)
    await waitFor('an answer', () => load.asked.find(({ status }) => status === 200))
    process.kill(weir.pidOf('control'), 'SIGKILL')
    await reborn('control', lines)
    await weir.logged(({ component, msg }) => component === 'control' && /connected/.test(msg ?? ''), lines)
    const asked = await load.stop()
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]))
    const later = await waitFor('an event', async () => {
      const { headers } = await ask(weir)
      await pause(1200)
      return (await weir.events()).find(({ request_id }) => request_id === headers['x-request-id'])
    })
    expect(later.status).toBe(200)
  })

  test('Envoy: it is started again and serves', async () => {
    const lines = weir.log().length
    const before = weir.pidOf('envoy')
    const killedAt = performance.now()
    process.kill(before, 'SIGKILL')
    await reborn('envoy', lines)
    await waitFor('an answer', async () => {
      const answer = await ask(weir).catch(() => undefined)
      return answer?.status === 200 ? answer : undefined
    })
    expect(performance.now() - killedAt).toBeLessThan(20_000)
    expect(weir.pidOf('envoy')).not.toBe(before)
  })
})

describe('the end', () => {
  test('SIGTERM: no request in flight fails, everything is gone, and every request has its event', async () => {
    const weir = await startWeir({ backendPort })
    const pids = ['control', 'filter-1', 'envoy'].map(weir.pidOf)
    const load = keepAsking(weir)
    const slow = Array.from({ length: 5 }, () => ask(weir, '/slow'))
    await waitFor('an answer', () => load.asked.find(({ status }) => status === 200))
    await pause(200)
    const { events } = weir
    weir.signal('SIGTERM')
    const answers = await Promise.all(slow)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    const journal = waitFor('the last event', async () => {
      const ids = new Set((await events()).map(({ request_id }) => request_id))
      return answers.every(({ headers }) => ids.has(String(headers['x-request-id']))) ? true : undefined
    })
    const asked = await load.stop()
    expect(await journal).toBe(true)
    expect(await weir.stop()).toBe(0)
    // New connections are refused at some time, but nothing that was accepted fails.
    expect([...new Set(asked.map(({ status }) => status))].filter((status) => status !== 0)).toEqual([200])
    expect(pids.filter(exists)).toEqual([])
  })

  test('the supervisor is killed: nothing is left behind', async () => {
    const weir = await startWeir({ backendPort })
    const pids = ['control', 'filter-1', 'envoy'].map(weir.pidOf)
    weir.signal('SIGKILL')
    await weir.ended
    await waitFor('all processes are gone', () => (pids.some(exists) ? undefined : true))
    expect(pids.filter(exists)).toEqual([])
  })
})
