// The state in memory: the contract, what only a clock that stands still can show (the very millisecond), and its bounds.
import { describe, expect, test } from '@jest/globals'
import { manualClock } from '#platform'
import { stateContract } from './contract.ts'
import { memoryState } from './memory.ts'
import { maxMembers } from './rules.ts'
import { type StateOperation, bannedAnswer } from './state.ts'

stateContract('memory', () => {
  const clock = manualClock(1_700_000_000_000)
  return Promise.resolve({
    state: memoryState({ clock }),
    wait(ms: number) {
      clock.advance(ms)
      return Promise.resolve()
    },
  })
})

function setUp(maxKeys?: number) {
  const clock = manualClock(1_700_000_000_000)
  const state = memoryState({ clock, ...(maxKeys === undefined ? {} : { maxKeys }) })
  const one = (operation: StateOperation): number => state.exchange([operation]).answers[0] ?? NaN
  const count = (key: string, windowMs = 60_000): number => one({ kind: 'count', key, windowMs })
  return { clock, state, one, count }
}

describe('memory: to the millisecond', () => {
  test('58: an event at exactly the end opens the next window', () => {
    const { clock, count } = setUp()
    expect(count('a')).toBe(1)
    clock.advance(59_999)
    expect(count('a')).toBe(2)
    clock.advance(1)
    expect(count('a')).toBe(1)
    clock.advance(59_999)
    expect(count('a')).toBe(2)
  })
  test.each([
    ['52: the last step before the end completes the sequence', 59_000, 1],
    ['52: at exactly the end it does not', 60_000, 0],
  ])('%s', (_, ms, answer) => {
    const { clock, one } = setUp()
    const step = (matched: number) =>
      one({ kind: 'sequence', key: 's', matched: [matched], steps: 2, windowMs: 60_000 })
    expect(step(0)).toBe(0)
    clock.advance(ms)
    expect(step(1)).toBe(answer)
  })
  test('67: one request a second, limit 4: banned at the fifth for 600 s, then counted from 1', () => {
    const { clock, one } = setUp()
    const request = () =>
      one({ kind: 'count', key: 'ip', windowMs: 60_000, ban: { above: 4, forMs: 600_000 } })
    const answers = Array.from({ length: 5 }, () => {
      const answer = request()
      clock.advance(1000)
      return answer
    })
    expect(answers).toEqual([1, 2, 3, 4, 5])
    expect(request()).toBe(bannedAnswer)
    clock.advance(598_999)
    expect(request()).toBe(bannedAnswer)
    clock.advance(1)
    expect(request()).toBe(1)
  })
  test('76: 25 requests in one millisecond at 100 a second and 20 more: 21 accepted', () => {
    const { one } = setUp()
    const answers = Array.from({ length: 25 }, () =>
      one({ kind: 'bucket', key: 'ip', ratePerSecond: 100, burst: 20 }),
    )
    expect(answers.filter((answer) => answer === 1)).toHaveLength(21)
  })
  test.each([
    ['76: without burst, 9 ms apart is refused', 9, 0],
    ['76: without burst, 10 ms apart is accepted', 10, 1],
  ])('%s', (_, ms, answer) => {
    const { clock, one } = setUp()
    const request = () => one({ kind: 'bucket', key: 'ip', ratePerSecond: 100, burst: 0 })
    expect(request()).toBe(1)
    clock.advance(ms)
    expect(request()).toBe(answer)
  })
  test('refused requests do not fill the bucket', () => {
    const { clock, one } = setUp()
    const request = () => one({ kind: 'bucket', key: 'ip', ratePerSecond: 10, burst: 1 })
    expect([request(), request(), request()]).toEqual([1, 1, 0])
    clock.advance(50)
    expect(request()).toBe(0)
    clock.advance(50)
    expect([request(), request()]).toEqual([1, 0])
  })
  test('a rate that does not divide a second stays exact over many requests', () => {
    const { clock, one } = setUp()
    const request = () => one({ kind: 'bucket', key: 'ip', ratePerSecond: 3, burst: 0 })
    let accepted = 0
    for (let ms = 0; ms < 100_000; ms++) {
      accepted += request()
      clock.advance(1)
    }
    // Three a second would be 300 and one at the start; each waits for a whole millisecond, 334 instead of 333.3.
    expect(accepted).toBe(300)
  })
  test('a clock set back does not refill a bucket', () => {
    const { clock, one } = setUp()
    const request = () => one({ kind: 'bucket', key: 'ip', ratePerSecond: 1, burst: 0 })
    expect(request()).toBe(1)
    clock.advance(-5000)
    expect(request()).toBe(0)
  })
})

describe('memory: bounds', () => {
  test('over the limit the counters nearest their end are dropped and counted', () => {
    const { state, count } = setUp(100)
    for (let i = 0; i < 50; i++) count(`long-${String(i)}`, 3_600_000)
    for (let i = 0; i < 50; i++) count(`short-${String(i)}`, 10_000)
    expect(state.stats()).toEqual({ keys: 100, members: 0, evictions: 0 })
    for (let i = 0; i < 30; i++) count(`new-${String(i)}`, 60_000)
    expect(state.stats()).toEqual({ keys: 100, members: 0, evictions: 30 })
    for (let i = 0; i < 50; i++) expect(count(`long-${String(i)}`, 3_600_000)).toBe(2)
    for (let i = 0; i < 30; i++) expect(count(`new-${String(i)}`, 60_000)).toBe(2)
  })
  test('a bucket in use is not taken for one that ends', () => {
    const { clock, one, count } = setUp(10)
    const request = () => one({ kind: 'bucket', key: 'busy', ratePerSecond: 1, burst: 1000 })
    request()
    for (let i = 0; i < 9; i++) count(`c-${String(i)}`, 20_000)
    for (let i = 0; i < 100; i++) request()
    // Not yet a second: the wheel still has it where its first request put it.
    clock.advance(500)
    for (let i = 0; i < 5; i++) count(`n-${String(i)}`, 60_000)
    // Its excess of 100 is still there, less a half: 900 more fit into 1,000, into a new one 1,001.
    let accepted = 0
    for (let i = 0; i < 2000; i++) accepted += request()
    expect(accepted).toBe(900)
  })
  test('members of sets count towards the limit', () => {
    const { state, one, count } = setUp(100)
    for (let i = 0; i < 500; i++)
      one({ kind: 'distinct', key: 'set', value: `v${String(i)}`, windowMs: 1000 })
    expect(state.stats().keys + state.stats().members).toBeLessThanOrEqual(100)
    expect(state.stats().evictions).toBeGreaterThan(0)
    expect(count('after')).toBe(1)
  })
  test('a set stops growing at its bound, and still answers', () => {
    const { one } = setUp()
    let size = 0
    for (let i = 0; i < maxMembers + 10; i++)
      size = one({ kind: 'distinct', key: 'set', value: String(i), windowMs: 60_000 })
    expect(size).toBe(maxMembers)
  })
  test('what has ended is swept away by later exchanges, also across gaps longer than the wheel', () => {
    const { clock, state, count } = setUp()
    for (let i = 0; i < 1000; i++) count(`k-${String(i)}`, 1000 + i * 100_000)
    clock.advance(1000 * 100_000 + 1000)
    for (let i = 0; i < 2000; i++) count('tick', 10)
    expect(state.stats().keys).toBe(1)
    clock.advance(86_400_000 * 30)
    expect(count('tick', 10)).toBe(1)
    expect(state.stats().keys).toBe(1)
  })
  test('a window longer than the wheel ends when it should', () => {
    const { clock, state, count } = setUp()
    const day = 86_400_000
    expect(count('long', 7 * day)).toBe(1)
    for (let hours = 0; hours < 7 * 24 - 1; hours++) {
      clock.advance(3_600_000)
      count('tick', 1000)
    }
    expect(count('long', 7 * day)).toBe(2)
    clock.advance(3_600_000)
    expect(count('long', 7 * day)).toBe(1)
    expect(state.stats().evictions).toBe(0)
  })
  test('a model with nothing but a list agrees on random operations and times', () => {
    const { clock, state, one } = setUp()
    let seed = 42
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff
      return (seed >>> 8) % n
    }
    const counters = new Map<string, { end: number; count: number }>()
    for (let i = 0; i < 50_000; i++) {
      if (random(10) === 0) clock.advance(random(5000))
      const key = `k${String(random(200))}`
      const windowMs = [1, 250, 1000, 30_000, 100_000_000][random(5)] ?? 1
      const known = counters.get(key)
      const now = clock.now()
      const model = known !== undefined && now < known.end ? known : { end: now + windowMs, count: 0 }
      model.count++
      counters.set(key, model)
      expect(one({ kind: 'count', key, windowMs })).toBe(model.count)
    }
    expect(state.stats().keys).toBeLessThanOrEqual(200)
  })
})
