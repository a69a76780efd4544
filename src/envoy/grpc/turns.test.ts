import { describe, expect, test } from '@jest/globals'
import { GrpcError, type UnaryMethod } from '../transport.ts'
import { Stream } from './stream.ts'
import { type Party, createTurns } from './turns.ts'

/** A clock that calls move, and an event loop that runs when it is told to. */
function start({ burstWaitMs = 200, standingWaitMs = 20, shortRow = 1 } = {}) {
  const state = { now: 1000, loops: [] as (() => void)[] }
  const turns = createTurns({
    burstWaitMs,
    standingWaitMs,
    shortRow,
    now: () => state.now,
    later: (run) => void state.loops.push(run),
  })
  const served: string[] = []
  /** A connection whose calls take this many milliseconds each. */
  const party = (name: string, callMs = 1): Party => ({
    serve(stream, tooLate) {
      served.push(`${name}${String(stream.id)}${tooLate ? ' refused' : ''}`)
      state.now += tooLate ? 0 : callMs
    },
    settle: () => void served.push(`${name} settles`),
  })
  return {
    state,
    turns,
    served,
    party,
    /** One turn of the event loop. */
    loop() {
      const runs = state.loops
      state.loops = []
      for (const run of runs) run()
    },
  }
}

const method: UnaryMethod = () => {
  throw new GrpcError('INTERNAL', 'not called here')
}

const stream = (id: number): Stream =>
  new Stream({
    id,
    served: { path: '/a.B/C', method, urgent: false },
    deadline: Infinity,
    contentLength: undefined,
    encoding: '',
    refusal: undefined,
    head: false,
    receiveWindow: 0,
    sendWindow: 0,
    now: () => 0,
  })

describe('Calls that wait for their turn', () => {
  test('run in order of arrival, whatever their connection, and each connection settles once', () => {
    const { turns, served, party, loop } = start()
    const [a, b] = [party('a'), party('b')]
    turns.add(a, stream(1))
    turns.add(b, stream(1))
    turns.add(a, stream(3))
    expect(served).toEqual([])
    loop()
    expect(served).toEqual(['a1', 'b1', 'a3', 'a settles', 'b settles'])
  })

  test('let the sockets be read now and then', () => {
    const { turns, served, party, loop, state } = start()
    const a = party('a', 3)
    for (const id of [1, 3, 5]) turns.add(a, stream(id))
    loop()
    expect(served).toEqual(['a1', 'a3', 'a settles'])
    expect(turns.waiting).toBe(1)
    loop()
    expect(served.slice(3)).toEqual(['a5', 'a settles'])
    expect(state.loops).toHaveLength(0)
  })

  test('are left out when they were reset meanwhile', () => {
    const { turns, served, party, loop } = start()
    const gone = stream(1)
    turns.add(party('a'), gone)
    gone.closed = true
    loop()
    expect(served).toEqual([])
  })

  test('may wait for a while in a burst', () => {
    const { turns, served, party, loop } = start()
    const a = party('a', 4)
    for (let i = 0; i < 40; i++) turns.add(a, stream(2 * i + 1))
    while (turns.waiting > 0) loop()
    expect(served.filter((one) => one.endsWith('refused'))).toEqual([])
  })

  test('may wait only briefly once the row has not been empty for so long', () => {
    const { turns, served, party, loop, state } = start()
    const a = party('a', 4)
    let id = 1
    const arrive = (count: number): void => {
      for (let i = 0; i < count; i++, id += 2) turns.add(a, stream(id))
    }
    // Two calls come in the time that one takes.
    for (const end = state.now + 2000; state.now < end; loop()) arrive(2)
    const waitedAtMost = 20
    const before = state.now
    arrive(1)
    const last = `a${String(id - 2)}`
    while (!served.some((one) => one.startsWith(last))) loop()
    expect(state.now - before).toBeLessThanOrEqual(waitedAtMost + 8)
    const answered = served.filter((one) => /^a\d+$/.test(one)).length
    // The time went into answers, not into refusals.
    expect(answered * 4).toBeGreaterThanOrEqual(1990)
  })

  test('a short row is never cut, however long its calls take', () => {
    const { turns, served, party, loop, state } = start({ shortRow: 8 })
    const slow = party('a', 50)
    let id = 1
    // As soon as one of eight clients has its answer, it asks again.
    for (let i = 0; i < 7; i++, id += 2) turns.add(slow, stream(id))
    for (const end = state.now + 5000; state.now < end; id += 2) {
      turns.add(slow, stream(id))
      loop()
    }
    expect(served.filter((one) => one.endsWith('refused'))).toEqual([])
  })

  test('a burst after silence is a burst', () => {
    const { turns, served, party, loop, state } = start()
    turns.add(party('a'), stream(1))
    loop()
    state.now += 60_000
    const a = party('b', 4)
    for (let i = 0; i < 20; i++) turns.add(a, stream(2 * i + 1))
    while (turns.waiting > 0) loop()
    expect(served.filter((one) => one.endsWith('refused'))).toEqual([])
  })
})
