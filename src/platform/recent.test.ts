import { expect, test } from '@jest/globals'
import { createRecent } from './recent.ts'

const others = (recent: { set(key: string, value: true): void }, count: number): void => {
  for (let i = 0; i < count; i++) recent.set(`other ${String(i)}`, true)
}

test('what is asked for now and then stays, however many others come', () => {
  const recent = createRecent<true>(100)
  recent.set('kept', true)
  for (let i = 0; i < 20; i++) {
    others(recent, 99)
    expect(recent.get('kept')).toBe(true)
  }
})

test('what nobody asks for is forgotten', () => {
  const recent = createRecent<true>(100)
  recent.set('forgotten', true)
  others(recent, 220)
  expect(recent.get('forgotten')).toBeUndefined()
})

test('the last value of a key counts', () => {
  const recent = createRecent<{ n: number }>(2)
  recent.set('a', { n: 1 })
  recent.set('b', { n: 1 })
  recent.set('a', { n: 2 })
  recent.set('c', { n: 1 })
  expect(recent.get('a')).toEqual({ n: 2 })
})
