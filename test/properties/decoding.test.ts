// Properties of decoded variants: whatever a value was disguised with, the value itself is among what rules read.
import { describe, expect, test } from '@jest/globals'
import { decodedVariants } from '#request'
import { type Random, createRandom } from '../fuzz/random.ts'
import { percent, text, times, xmlText } from './values.ts'

const runs = times(200, (i) => createRandom(9, i))

describe('decoded variants (spec pipeline 1.9)', () => {
  const all = { base64: true, dual: true, html: true, unicode: true }
  const disguises: readonly (readonly [string, (random: Random, plain: string) => string])[] = [
    ['base64', (_random, plain) => Buffer.from(plain).toString('base64')],
    ['base64 for URLs', (_random, plain) => Buffer.from(plain).toString('base64url')],
    ['percent', (random, plain) => percent(random, plain)],
    ['entities', (random, plain) => xmlText(random, plain)],
    [
      'escapes',
      (random, plain) =>
        Array.from(plain)
          .map((c) =>
            c < '\u0080' && random.oneIn(2) ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c,
          )
          .join(''),
    ],
    ['percent of base64', (random, plain) => percent(random, Buffer.from(plain).toString('base64'))],
  ]
  test.each(disguises)('%s is undone', (_name, disguise) => {
    for (const random of runs) {
      const plain = text(random, '%\\&+')
      const value = disguise(random, plain)
      expect([value, ...decodedVariants(value, all)]).toContain(plain)
    }
  })
  test('never more than three, never the value itself, never longer than it', () => {
    for (const random of runs) {
      const value = times(1 + random.below(3), () => random.pick(disguises)[1](random, text(random))).join(
        ' ',
      )
      const variants = decodedVariants(value, all)
      expect(variants.length).toBeLessThanOrEqual(3)
      expect(new Set([value, ...variants]).size).toBe(variants.length + 1)
      for (const variant of variants)
        expect(Buffer.byteLength(variant)).toBeLessThanOrEqual(Buffer.byteLength(value))
    }
  })
})
