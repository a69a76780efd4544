import { describe, expect, test } from '@jest/globals'
import { parseJson } from './json.ts'
import { type ParseResult, createLeaves, maxNodes } from './leaves.ts'

type Pairs = readonly (readonly [name: string, value: string])[]

function parse(text: string, maxDepth = 100): { readonly result: ParseResult; readonly pairs: Pairs } {
  const leaves = createLeaves(10_000)
  const result = parseJson(text, maxDepth, leaves)
  return { result, pairs: leaves.found.map(({ name, value }) => [name, value]) }
}

describe('JSON to leaves (spec pipeline 1.8)', () => {
  test.each<readonly [says: string, text: string, pairs: Pairs]>([
    [
      '10 keys and indexes joined with _',
      '{"a":[true,{"b":null}],"c":{"d":1}}',
      [
        ['a_0', 'true'],
        ['a_1_b', 'null'],
        ['c_d', '1'],
      ],
    ],
    [
      'a list at the top',
      '[1,[2,3]]',
      [
        ['0', '1'],
        ['1_0', '2'],
        ['1_1', '3'],
      ],
    ],
    ['a scalar at the top', ' false ', [['JSON_ROOT', 'false']]],
    ['empty containers yield nothing', '{"a":{},"b":[],"c":[[]]}', []],
    [
      '10 duplicate keys are kept',
      '{"a":1,"a":{"b":2},"a":3}',
      [
        ['a', '1'],
        ['a_b', '2'],
        ['a', '3'],
      ],
    ],
    ['empty keys', '{"":{"":1}}', [['_', '1']]],
    [
      'numbers as written',
      '[0,-0,1.50,1E+2,-0.0e-1,12345678901234567890]',
      [
        ['0', '0'],
        ['1', '-0'],
        ['2', '1.50'],
        ['3', '1E+2'],
        ['4', '-0.0e-1'],
        ['5', '12345678901234567890'],
      ],
    ],
    [
      'escapes',
      String.raw`{"a\n":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"}`,
      [['a\n', '"\\/\b\f\n\r\tAé😀']],
    ],
    [
      'half a pair is U+FFFD',
      String.raw`["\ud83d","\ude00x"]`,
      [
        ['0', '\ufffd'],
        ['1', '\ufffdx'],
      ],
    ],
    ['a byte order mark', '\ufeff[1]', [['0', '1']]],
    [
      'white space',
      ' \t\r\n{ "a" : [ 1 , 2 ] } \n',
      [
        ['a_0', '1'],
        ['a_1', '2'],
      ],
    ],
  ])('%s', (_says, text, pairs) => {
    expect(parse(text)).toEqual({ result: { kind: 'parsed' }, pairs })
  })

  test.each([
    ['nothing', '', 0],
    ['a trailing comma in a list', '[1,]', 3],
    ['a trailing comma in an object', '{"a":1,}', 7],
    ['a missing comma', '[1 2]', 3],
    ['a bare key', '{a:1}', 1],
    ['single quotes', "['a']", 1],
    ['a second value', '1 2', 2],
    ['an open string', '["a', 3],
    ['an open escape', '["a\\', 4],
    ['an unknown escape', String.raw`["\x"]`, 1],
    ['a short escape', String.raw`["\u12g4"]`, 1],
    ['a line break in a string', '["a\nb"]', 3],
    ['a leading zero', '[01]', 2],
    ['a plus sign', '[+1]', 1],
    ['a point without digits', '[1.]', 1],
    ['an exponent without digits', '[1e]', 1],
    ['NaN', '[NaN]', 1],
    ['a word cut short', '[tru]', 1],
    ['brackets that do not match', '[1}', 2],
    ['an object that does not end', '{"a":1', 6],
    ['comments', '/**/1', 0],
  ])('malformed: %s', (_says, text, byte) => {
    expect(parse(text).result).toEqual({ kind: 'malformed', byte })
  })

  test('agrees with JSON.parse on what is JSON, over mutations of a document', () => {
    const sample = '{"a":[1,-2.5e3,"x\\u0041\\n",true,null,{"b":[]}],"é":{"":"y"}}'
    const alphabet = '{}[]",:\\0189.eE+-utrfalsn \n\u0001é'
    let seed = 11
    const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below
    let valid = 0
    for (let i = 0; i < 20_000; i++) {
      let text = sample
      for (let edits = random(3); edits >= 0; edits--) {
        const at = random(text.length)
        text = text.slice(0, at) + (alphabet[random(alphabet.length)] ?? '') + text.slice(at + random(3))
      }
      let expected = true
      try {
        JSON.parse(text)
      } catch {
        expected = false
      }
      const found = parse(text).result.kind === 'parsed'
      if (found !== expected)
        throw new Error(`JSON.parse ${expected ? 'takes' : 'refuses'} ${JSON.stringify(text)}`)
      if (found) valid++
    }
    expect(valid).toBeGreaterThan(1000)
  })

  test('20 depth is bounded without calls', () => {
    expect(parse('['.repeat(1_000_000)).result).toEqual({
      kind: 'stopped',
      met: { bound: 'depth', actual: 101, limit: 100 },
    })
    expect(parse('['.repeat(50_000) + ']'.repeat(50_000), 60_000).result.kind).toBe('parsed')
  })

  test('nodes are bounded', () => {
    const { result } = parse(`[${'[],'.repeat(maxNodes)}1]`)
    expect(result).toMatchObject({ kind: 'stopped', met: { bound: 'body', limit: maxNodes } })
  })
})
