// What every State promises, as one suite: memory, one Redis and a Redis Cluster pass the same tests. Time passes through the
// subject (a manual clock, or real waiting). Windows that must end are short and waited for or polled; windows that must
// not end meanwhile are a minute long. So nothing depends on how fast the machine is.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type State, type StateOperation, bannedAnswer } from './state.ts'

export type ContractSubject = {
  readonly state: State
  /** Lets at least `ms` milliseconds pass for the state. */
  wait(ms: number): Promise<void>
}

const long = 60_000
const short = 200
/** After this a short window has ended for certain. */
const over = short + 20

type Ask = (...operations: readonly StateOperation[]) => Promise<readonly number[]>

const count = (key: string, more: { windowMs?: number; ban?: { above: number; forMs: number } } = {}) =>
  ({ kind: 'count', key, windowMs: long, ...more }) as const
const distinct = (
  key: string,
  value: string,
  more: { windowMs?: number; ban?: { above: number; forMs: number } } = {},
) => ({ kind: 'distinct', key, value, windowMs: long, ...more }) as const
const banned = (key: string) => ({ kind: 'banned', key }) as const
const sequence = (key: string, matched: readonly number[], steps: number, windowMs = long) =>
  ({ kind: 'sequence', key, matched, steps, windowMs }) as const
const bucket = (key: string, ratePerSecond: number, burst: number) =>
  ({ kind: 'bucket', key, ratePerSecond, burst }) as const

/** Keys that have broken stores before: empty, hash tag characters, blanks, other alphabets, half a surrogate pair, too long. */
const oddKeys = [
  '',
  '}',
  '{}',
  '}{a}',
  '{a}b',
  ' a\r\nb ',
  'ключ-鍵-🔑',
  '\ud800 alone',
  '\0',
  'k'.repeat(9_000),
  `${'k'.repeat(8_999)}l`,
]

/** Runs the suite on the state that `open` gives; it is closed at the end. */
export function stateContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`state: ${name}`, () => {
    let subject: ContractSubject
    const ask: Ask = async (...operations) => {
      const { answers, local } = await subject.state.exchange(operations)
      expect(local).toBe(false)
      return answers
    }
    const one = async (operation: StateOperation): Promise<number> => {
      const [answer, ...none] = await ask(operation)
      expect(none).toEqual([])
      if (answer === undefined) throw new Error('an operation was not answered')
      return answer
    }
    /** Asks again and again; the answers up to the first that is wanted. */
    const until = async (operation: StateOperation, wanted: (answer: number) => boolean) => {
      const answers: number[] = []
      for (let i = 0; i < 500; i++) {
        const answer = await one(operation)
        if (wanted(answer)) return answers
        answers.push(answer)
        await subject.wait(20)
      }
      throw new Error(`after 10 s still ${String(answers.at(-1))}`)
    }

    beforeAll(async () => {
      subject = await open()
    })
    afterAll(() => subject.state.close())

    test('an exchange without operations has no answers', async () => {
      expect(await ask()).toEqual([])
    })

    describe('count', () => {
      test('answers the count after each event', async () => {
        expect(await one(count('c1'))).toBe(1)
        expect(await one(count('c1'))).toBe(2)
        expect(await ask(count('c1'), count('c1'))).toEqual([3, 4])
      })
      test('each key has a counter of its own; answers come in the order asked', async () => {
        const keys = Array.from({ length: 50 }, (_, i) => `c2-${String(i)}`)
        await ask(...keys.filter((_, i) => i % 3 === 0).map((key) => count(key)))
        const answers = await ask(...keys.map((key) => count(key)))
        expect(answers).toEqual(keys.map((_, i) => (i % 3 === 0 ? 2 : 1)))
      })
      test.each(oddKeys.map((key) => [JSON.stringify(key).slice(0, 20), key]))(
        'key %s is a key as others',
        async (_, key) => {
          const ban = { above: 1, forMs: long }
          expect(await one(count(key))).toBe(1)
          expect(await one(distinct(key, 'a'))).toBe(1)
          expect(await one(sequence(key, [0], 2))).toBe(0)
          expect(await one(sequence(key, [1], 2))).toBe(1)
          expect(await one(bucket(key, 0.001, 0))).toBe(1)
          expect(await ask(count(key, { ban }), count(key, { ban }), banned(key))).toEqual([
            2,
            bannedAnswer,
            1,
          ])
        },
      )
      test('the window ends its length after the first event, however many follow', async () => {
        const event = count('c3', { windowMs: short })
        expect(await one(event)).toBe(1)
        await subject.wait(20)
        const answers = await until(event, (answer) => answer === 1)
        expect(answers).toEqual(answers.map((_, i) => i + 2))
      })
      test('the next window counts from 1 again', async () => {
        const event = count('c4', { windowMs: short })
        await ask(event, event, event)
        await subject.wait(over)
        expect(await one(event)).toBe(1)
      })
    })

    describe('distinct', () => {
      test('answers how many values there are; a known value adds nothing', async () => {
        const answers = await ask(
          distinct('d1', 'a'),
          distinct('d1', 'b'),
          distinct('d1', 'a'),
          distinct('d1', ''),
          distinct('d1', '\ud800'),
        )
        expect(answers).toEqual([1, 2, 2, 3, 4])
        expect(await one(distinct('d1', 'c'))).toBe(5)
        expect(await one(distinct('d2', 'c'))).toBe(1)
      })
      test('long values are told apart', async () => {
        const stem = 'v'.repeat(20_000)
        expect(
          await ask(distinct('d3', `${stem}1`), distinct('d3', `${stem}2`), distinct('d3', `${stem}1`)),
        ).toEqual([1, 2, 2])
      })
      test('the set is empty when its window has ended', async () => {
        const event = (value: string) => distinct('d4', value, { windowMs: short })
        await ask(event('a'), event('b'))
        await subject.wait(over)
        expect(await one(event('c'))).toBe(1)
      })
      test('later events do not prolong the window', async () => {
        const event = distinct('d5', 'a', { windowMs: short })
        await ask(event, distinct('d5', 'b', { windowMs: short }))
        const answers = await until(event, (answer) => answer === 1)
        expect(new Set(answers)).toEqual(answers.length === 0 ? new Set() : new Set([2]))
      })
    })

    describe('ban', () => {
      test('the event over the limit is counted and bans; the next ones are refused', async () => {
        const event = count('b1', { ban: { above: 2, forMs: long } })
        expect(await ask(banned('b1'), event, event, banned('b1'))).toEqual([0, 1, 2, 0])
        expect(await ask(event, banned('b1'), event)).toEqual([3, 1, bannedAnswer])
        expect(await one(banned('b1-other'))).toBe(0)
      })
      test('whoever asks is told of the ban, also without a ban of its own', async () => {
        await ask(count('b2', { ban: { above: 0, forMs: long } }))
        expect(await ask(count('b2'), distinct('b2', 'a'))).toEqual([bannedAnswer, bannedAnswer])
      })
      test('a set over its limit bans as well', async () => {
        const event = (value: string) => distinct('b3', value, { ban: { above: 1, forMs: long } })
        expect(await ask(event('a'), event('a'), event('b'), event('a'))).toEqual([1, 1, 2, bannedAnswer])
      })
      test('requests during a ban neither count nor prolong it; the counter stood still', async () => {
        const event = count('b4', { ban: { above: 1, forMs: short } })
        expect(await ask(event, event)).toEqual([1, 2])
        const refused = await until(event, (answer) => answer === 3)
        expect(refused).toEqual(refused.map(() => bannedAnswer))
        // Still over the limit: banned once more.
        expect(await one(banned('b4'))).toBe(1)
      })
      test('after a ban that outlasts the window counting begins at 1', async () => {
        const event = count('b5', { windowMs: 40, ban: { above: 0, forMs: short } })
        await one(event)
        await subject.wait(over)
        expect(await ask(banned('b5'), event)).toEqual([0, 1])
      })
    })

    describe('sequence', () => {
      test('the last step is answered with 1, again and again', async () => {
        const step = (...matched: number[]) => sequence('s1', matched, 2)
        expect(await ask(step(0), step(1), step(1))).toEqual([0, 1, 1])
      })
      test('steps not due, steps done and other requests change nothing', async () => {
        const step = (...matched: number[]) => sequence('s2', matched, 3)
        expect(await ask(step(1), step(2), step(0), step(), step(0), step(1), step(2))).toEqual([
          0, 0, 0, 0, 0, 0, 1,
        ])
      })
      test('a request advances by one step at most', async () => {
        const all = sequence('s3', [0, 1, 2], 3)
        expect(await ask(all, all, all)).toEqual([0, 0, 1])
      })
      test('each key has a progress of its own', async () => {
        await ask(sequence('s4-a', [0], 2))
        expect(await ask(sequence('s4-b', [1], 2), sequence('s4-a', [1], 2))).toEqual([0, 1])
      })
      test('the window begins with the first step, and when it ends the progress is 0', async () => {
        const step = (...matched: number[]) => sequence('s5', matched, 3, short)
        expect(await one(step(0))).toBe(0)
        await subject.wait(over)
        expect(await ask(step(1), step(2))).toEqual([0, 0])
        await ask(step(0), step(1))
        const complete = await until(step(2), (answer) => answer === 0)
        expect(complete).toEqual(complete.map(() => 1))
      })
    })

    describe('bucket', () => {
      // One request in 1,000 s leaks away: none while the suite runs.
      test('takes the burst and one, refuses the rest', async () => {
        const answers = await ask(...Array.from({ length: 25 }, () => bucket('l1', 0.001, 20)))
        expect(answers).toEqual(answers.map((_, i) => (i < 21 ? 1 : 0)))
        expect(answers).toHaveLength(25)
      })
      test('each key has a bucket of its own', async () => {
        expect(await ask(bucket('l2', 0.001, 0), bucket('l3', 0.001, 0), bucket('l2', 0.001, 0))).toEqual([
          1, 1, 0,
        ])
      })
      test('leaks at its rate; refused requests do not fill it', async () => {
        const request = bucket('l4', 5, 0)
        expect(await one(request)).toBe(1)
        const refused = await until(request, (answer) => answer === 1)
        expect(refused).toEqual(refused.map(() => 0))
        await subject.wait(220)
        expect(await one(request)).toBe(1)
      })
    })
  })
}
