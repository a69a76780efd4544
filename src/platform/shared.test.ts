import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { createShared } from './shared.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('the same key gives the same thing while somebody holds it', () => {
  const shared = createShared<{ n: number }>()
  let made = 0
  const make = () => ({ n: ++made })
  const held = [shared.get('a', make), shared.get('b', make), shared.get('a', make)]
  expect(held.map(({ n }) => n)).toEqual([1, 2, 1])
  expect(held[2]).toBe(held[0])
})

test('what cannot be made leaves nothing behind', () => {
  const shared = createShared<object>()
  const fail = () => {
    throw new Error('too large')
  }
  expect(() => shared.get('a', fail)).toThrow('too large')
  expect(shared.size).toBe(0)
})

test('what nobody holds is let go, with its key', async () => {
  const shared = createShared<{ bytes: Buffer }>()
  const held = shared.get('held', () => ({ bytes: Buffer.alloc(10) }))
  for (let i = 0; i < 1000; i++) shared.get(String(i), () => ({ bytes: Buffer.alloc(10) }))
  for (let turns = 0; shared.size > 1 && turns < 100; turns++) {
    // Finalizers run after a collection, in a turn of their own.
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(shared.size).toBe(1)
  expect(shared.get('held', () => ({ bytes: Buffer.alloc(0) }))).toBe(held)
})
