import { describe, expect, test } from '@jest/globals'
import { type Decoding, decodedVariants } from './decoding.ts'

const off: Decoding = { base64: false, dual: false, html: false, unicode: false }
const all: Decoding = { base64: true, dual: true, html: true, unicode: true }
const only = (kind: keyof Decoding): Decoding => ({ ...off, [kind]: true })

const variants = (value: string, decoding: Decoding): readonly string[] => [
  value,
  ...decodedVariants(value, decoding),
]

describe('decoded variants (spec pipeline 1.9)', () => {
  test.each([
    ['nothing is enabled', 'a%20&lt;', off, ['a%20&lt;']],
    ['an ordinary value', 'Folding chair', all, ['Folding chair']],
    ['22 base64', 'eHBfY21kc2hlbGw=', only('base64'), ['eHBfY21kc2hlbGw=', 'xp_cmdshell']],
    ['22 without padding', 'eHBfY21kc2hlbGw', only('base64'), ['eHBfY21kc2hlbGw', 'xp_cmdshell']],
    ['the URL alphabet', '8J-YgPCfmIA', only('base64'), ['8J-YgPCfmIA', '😀😀']],
    ['both alphabets at once', '8J-YgPCf/IA', only('base64'), ['8J-YgPCf/IA']],
    ['a length that cannot be', 'eHBfY', only('base64'), ['eHBfY']],
    ['base64 of what is no text', '/////w==', only('base64'), ['/////w==']],
    ['an overlong sequence is no text', 'wIA=', only('base64'), ['wIA=']],
    ['23 a second percent-decoding', '%78p', only('dual'), ['%78p', 'xp']],
    ['a plus stays', 'a+%2B', only('dual'), ['a+%2B', 'a++']],
    [
      '24 HTML entities',
      '&#120;&#x70;&LT;&gt;&amp;&quot;',
      only('html'),
      ['&#120;&#x70;&LT;&gt;&amp;&quot;', 'xp<>&"'],
    ],
    ['a non-breaking space', 'a&nbsp;b', only('html'), ['a&nbsp;b', 'a\u00a0b']],
    ['without semicolon, with leading zeros', '&#0000120p', only('html'), ['&#0000120p', 'xp']],
    ['entities once', '&amp;lt;', only('html'), ['&amp;lt;', '&lt;']],
    [
      'numbers that are no characters',
      '&#xD800;&#1114112;&#99999999999999999999;',
      only('html'),
      ['&#xD800;&#1114112;&#99999999999999999999;', '\ufffd\ufffd\ufffd'],
    ],
    ['what only looks like an entity', '&copy; &; &#; &#x;', only('html'), ['&copy; &; &#; &#x;']],
    ['escapes', String.raw`\u0078\U00000070\5f `, only('unicode'), [String.raw`\u0078\U00000070\5f `, 'xp_']],
    ['a surrogate pair', String.raw`\ud83d\ude00`, only('unicode'), [String.raw`\ud83d\ude00`, '😀']],
    ['half of one', String.raw`\ud83dx`, only('unicode'), [String.raw`\ud83dx`, '\ufffdx']],
    [
      'what only looks like an escape',
      String.raw`\u12 \U0000 \x \\`,
      only('unicode'),
      [String.raw`\u12 \U0000 \x \\`],
    ],
    ['N, then B, then N', 'JTc4cF9jbWRzaGVsbA==', all, ['JTc4cF9jbWRzaGVsbA==', 'xp_cmdshell']],
    ['B of N', '%65HBfY21kc2hlbGw=', all, ['%65HBfY21kc2hlbGw=', 'eHBfY21kc2hlbGw=', 'xp_cmdshell']],
    ['an empty value', '', all, ['']],
  ])('%s', (_says, value, decoding, expected) => {
    expect(variants(value, decoding)).toEqual(expected)
  })

  test('base64 is what Buffer makes of it, whenever that is text', () => {
    let seed = 5
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
    let texts = 0
    for (let i = 0; i < 5000; i++) {
      const bytes = Buffer.from(
        Array.from({ length: 1 + random(4) }, () => (random(3) === 0 ? random(256) : 32 + random(95))),
      )
      const value = bytes.toString('base64')
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
      const expected = Buffer.from(text).equals(bytes) && text !== value ? [value, text] : [value]
      expect(variants(value, only('base64'))).toEqual(expected)
      texts += expected.length - 1
    }
    expect(texts).toBeGreaterThan(500)
  })

  test('never more than four, in linear time', () => {
    const start = process.cpuUsage()
    for (const value of [
      '&'.repeat(300_000),
      '\\'.repeat(300_000),
      '%'.repeat(300_000),
      '&#'.repeat(150_000),
      'QUFB'.repeat(75_000),
      '\\ud83d'.repeat(50_000),
    ]) {
      expect(variants(value, all).length).toBeLessThanOrEqual(4)
    }
    expect(process.cpuUsage(start).user).toBeLessThan(5e6)
  })
})
