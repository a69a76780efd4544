import { expect, test } from '@jest/globals'
import { createRecentTexts } from './recent-texts.ts'

test.each([1, 1024, 1025])('a text of %i characters', (length) => {
  const texts = createRecentTexts()
  texts.add('x'.repeat(length))
  expect(texts.has('x'.repeat(length))).toBe(length <= 1024)
})
