import { expect, test } from '@jest/globals'
import { createRecentTexts } from './recent-texts.ts'

const others = (texts: { add(text: string): void }, count: number): void => {
  for (let i = 0; i < count; i++) texts.add(`other ${String(i)}`)
}

test('a text that is asked for now and then stays, however many others come', () => {
  const texts = createRecentTexts()
  texts.add('kept')
  for (let i = 0; i < 20; i++) {
    others(texts, 4000)
    expect(texts.has('kept')).toBe(true)
  }
})

test('a text that nobody asks for is forgotten', () => {
  const texts = createRecentTexts()
  texts.add('forgotten')
  others(texts, 9000)
  expect(texts.has('forgotten')).toBe(false)
})

test('long texts are not kept', () => {
  const texts = createRecentTexts()
  texts.add('x'.repeat(1025))
  expect(texts.has('x'.repeat(1025))).toBe(false)
})
