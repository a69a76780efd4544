// Properties of what is read from the head of a request: however a client writes a thing, it is read as that thing.
import { describe, expect, test } from '@jest/globals'
import { decodePath, decodeQuery } from '#request'
import { createRandom } from '../fuzz/random.ts'
import { anyCase, joined, pairs, percent, read, shown, shuffled, text, times, word } from './values.ts'

const runs = times(300, (i) => createRandom(1, i))

describe('URI (spec pipeline 1.5)', () => {
  test('decoding undoes every spelling', () => {
    for (const random of runs) {
      const plain = text(random)
      expect(decodePath(percent(random, plain))).toBe(plain)
      expect(decodeQuery(percent(random, plain, true))).toBe(plain)
    }
  })
  test('a path is the same path however its characters are written', () => {
    for (const random of runs) {
      const segments = times(1 + random.below(5), () => text(random, '/%?#'))
      const spelt = segments.map((segment) => percent(random, segment)).join('/')
      const { uri } = read({ target: `/${spelt}?x=1` })
      expect(uri.path).toBe(`/${segments.join('/')}`)
      expect(times(segments.length, (i) => uri.parts.get(`part${String(i + 1)}`)?.value)).toEqual(segments)
    }
  })
  test('no path that rules see has dot segments or empty ones, and none climbs out', () => {
    const pieces = ['..', '.', '', 'a', 'b.c', '...', '%2e', '%2E.', '%2e%2e', 'a%2fb', '%2f', ';x']
    for (const random of runs) {
      const target = `/${times(random.below(12), () => random.pick(pieces)).join('/')}`
      const { path } = read({ target }).uri
      expect([target, path]).toEqual([target, expect.stringMatching(/^\//)])
      expect([target, path]).toEqual([target, expect.not.stringMatching(/\/\/|\/\.{1,2}(?:\/|$)/)])
    }
  })
})

describe('query (spec pipeline 1.7)', () => {
  test('names and values are read as they were sent, repeated names joined', () => {
    for (const random of runs) {
      const sent = pairs(random, () => text(random))
      const query = sent
        .map(([name, value]) => `${percent(random, name)}=${percent(random, value, true)}`)
        .join(random.pick(['&', '&&']))
      expect(shown(read({ target: `/?${query}` }).args)).toEqual(joined(sent))
    }
  })
})

describe('headers and cookies (spec pipeline 1.6)', () => {
  test('names in any case are one header, values in the order of the lines', () => {
    for (const random of runs) {
      const sent = pairs(random, () => text(random))
      const lines = sent.map(([name, value]) => [anyCase(random, `x-${name}`), value] as const)
      const { host, ...headers } = shown(read({ headers: lines }).headers)
      expect(host).toBe('www.example.com')
      expect(headers).toEqual(
        joined(
          sent.map(([name, value]) => [`x-${name}`, value]),
          ', ',
        ),
      )
    }
  })
  test('lines of different names may come in any order', () => {
    for (const random of runs) {
      const lines = times(6, (i) => [`x-${String(i)}`, text(random)] as const)
      const [first, second] = [lines, shuffled(random, lines)].map((headers) =>
        shown(read({ headers }).headers),
      )
      expect(second).toEqual(first)
    }
  })
  test('cookies are the same in one line and in several, whatever blanks stand between them', () => {
    for (const random of runs) {
      const sent = pairs(random, () => text(random, '; '))
      const pieces = sent.map(
        ([name, value]) => `${random.pick(['', ' ', '\t '])}${name}=${value}${random.pick(['', ' '])}`,
      )
      const cut = random.below(pieces.length + 1)
      const lines = [pieces.slice(0, cut), pieces.slice(cut)].map(
        (some) => ['Cookie', some.join(random.pick([';', '; ', ';;']))] as const,
      )
      expect(shown(read({ headers: lines }).cookies)).toEqual(joined(sent))
    }
  })
})

describe('client address (spec pipeline 1.3)', () => {
  test('it is the last untrusted address of the chain, whatever a client put before it', () => {
    for (const random of runs) {
      const trusted = times(random.below(4), () => `10.0.0.${String(random.below(256))}`)
      const client = `203.0.113.${String(random.below(256))}`
      const forged = times(random.below(4), () => random.pick(['127.0.0.1', '10.0.0.1', word(random), '']))
      const chain = [...forged, client, ...trusted].join(random.pick([',', ', ', ' ,']))
      const { ip, ipInvalid } = read({ headers: [['x-forwarded-for', chain]] })
      expect([chain, ip, ipInvalid]).toEqual([chain, client, false])
    }
  })
})
