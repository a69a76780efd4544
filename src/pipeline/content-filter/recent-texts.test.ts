import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from '@jest/globals'
import { createRecentTexts } from './recent-texts.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test.each([1, 1024, 1025])('a text of %i characters', (length) => {
  const texts = createRecentTexts()
  texts.add('x'.repeat(length))
  expect(texts.has('x'.repeat(length))).toBe(length <= 1024)
})

test('texts that are parts of long ones do not keep these, neither when they are added nor when they are met again', () => {
  const texts = createRecentTexts()
  const partOf = (n: number, line: Buffer): string => {
    line.write(`the value of client ${String(n).padStart(6, '0')}`)
    return line.toString('latin1').slice(0, 40)
  }
  const line = Buffer.alloc(60_000, ' ')
  collect()
  const before = process.memoryUsage().heapUsed
  for (let n = 0; n < 1000; n++) texts.add(partOf(n, line))
  for (let n = 0; n < 4000; n++) texts.add(`other ${String(n)}`)
  for (let n = 0; n < 1000; n++) expect(texts.has(partOf(n, line))).toBe(true)
  collect()
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6)
})
