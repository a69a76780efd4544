import { describe, expect, test } from '@jest/globals'
import { createFactorScan } from './factor-scan.ts'

const found = (lists: readonly (readonly string[])[], text: string): readonly number[] => {
  const places = new Set<number>()
  createFactorScan(lists).scan(Buffer.from(text), places)
  return [...places].toSorted((a, b) => a - b)
}

describe('A scan for strings of many lists', () => {
  const lists = [['union', 'select'], ['he', 'hers'], ['she'], ['%2e', '$('], ['abcd'], ['bc']]
  test.each<readonly [string, readonly number[]]>([
    ['nothing of it', []],
    ['UNION', [0]],
    ['ushers', [1, 2]],
    ['shhe', [1]],
    ['%2E', [3]],
    ['x$(id)', [3]],
    ['abce', [5]],
    ['xabcd', [4, 5]],
    ['zürich selec\u0167 $', []],
    ['', []],
  ])('%j', (text, places) => {
    expect(found(lists, text)).toEqual(places)
  })

  test('says what looking for each string says, in texts of few letters', () => {
    const random = (n: number): number => Math.abs(Math.imul(n + 1, 2_654_435_761) >> 7)
    const word = (n: number, length: number): string =>
      Array.from({ length }, (_, i) => 'abC'[random(n * 31 + i) % 3]).join('')
    const many = Array.from({ length: 12 }, (_, i) => [word(i, 2 + (i % 4)), word(i + 50, 5)])
    for (let n = 0; n < 300; n++) {
      const text = word(n + 1000, 12)
      const expected = many.flatMap((list, place) =>
        list.some((one) => text.toLowerCase().includes(one.toLowerCase())) ? [place] : [],
      )
      expect(found(many, text)).toEqual(expected)
    }
  })

  test('no lists: nothing is found', () => expect(found([], 'x')).toEqual([]))

  test('refuses more states than its table can hold', () => {
    expect(() => createFactorScan([['x'.repeat(65_536)]])).toThrow(RangeError)
  })
})
