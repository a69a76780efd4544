import { describe, expect, test } from '@jest/globals'
import { read, post, shown } from '../input.fixture.ts'
import { looksLikeGraphql, parseGraphql } from './graphql.ts'
import { parseJsonPath } from './json-path.ts'
import { selectStrings } from './json-select.ts'
import { createLeaves, maxNodes } from './leaves.ts'

function parse(text: string, maxDepth = 100): readonly [kind: string, Readonly<Record<string, string>>] {
  const leaves = createLeaves(10_000)
  const { kind } = parseGraphql(text, maxDepth, leaves)
  return [kind, Object.fromEntries(leaves.found.map(({ name, value }) => [name, value]))]
}

describe('GraphQL to leaves (spec pipeline 1.8)', () => {
  test.each<readonly [says: string, text: string, pairs: Readonly<Record<string, string>>]>([
    ['15 a selection', '{ hero { name } }', { 'gdir-s0-hero-s0': 'name' }],
    [
      '15 variables and arguments',
      'query Q($f:Int=3){h(first:$f){n}}',
      { 'gdir-Q-f-defvalue': '3', 'gdir-Q-s0-h-first': '$f', 'gdir-Q-s0-h-s0': 'n' },
    ],
    [
      'aliases, directives and spreads',
      '{ a: b @include(if: $c) @client ...F @skip(if: true) ... on T { u } } fragment F on T { v }',
      {
        'gdir-s0-b-alias': 'a',
        'gdir-s0-b-d0-include-if': '$c',
        'gdir-s0-b-d1': 'client',
        'gdir-s1-frag': 'F',
        'gdir-s1-d0-skip-if': 'true',
        'gdir-s2-s0': 'u',
        'gfrag-F-s0': 'v',
      },
    ],
    [
      'literals',
      'mutation M { x(s: "it\'s", b: """block""", f: 1.5, e: E, n: null, l: [1, "q"], o: {k: true}) }',
      {
        'gdir-M-s0-x-s': "it's",
        'gdir-M-s0-x-b': 'block',
        'gdir-M-s0-x-f': '1.5',
        'gdir-M-s0-x-e': 'E',
        'gdir-M-s0-x-n': 'null',
        'gdir-M-s0-x-l': '[1, "q"]',
        'gdir-M-s0-x-o': '{k: true}',
      },
    ],
  ])('%s', (_says, text, pairs) => {
    expect(parse(text)).toEqual(['parsed', pairs])
  })

  test('brackets nest as deep as the profile allows, those in strings and comments do not count', () => {
    expect(parse(`${'{a'.repeat(99)}${'}'.repeat(99)}`)[0]).toBe('parsed')
    expect(parse(`${'{a'.repeat(100)}${'}'.repeat(100)}`)[0]).toBe('stopped')
    expect(parse(`{a(b:"${'{'.repeat(200)}") # ${'{'.repeat(200)}\n}`)[0]).toBe('parsed')
    expect(parse('{a'.repeat(100_000), 100_000)[0]).toBe('stopped')
  })

  test('tokens are bounded', () => {
    expect(parse(`{${'a '.repeat(maxNodes + 1)}}`)[0]).toBe('stopped')
  })

  test.each([
    ['query{a}', true],
    ['query {a}', true],
    ['mutation M{a}', true],
    ['fragment\tF', true],
    ['query', false],
    ['queryx{', false],
    ['Query {', false],
    [' query {', false],
    ['{a}', false],
  ])('begins like a document: %s', (text, expected) => {
    expect(looksLikeGraphql(text)).toBe(expected)
  })
})

describe('GraphQL inside JSON (spec pipeline 1.8)', () => {
  const json = 'application/json'
  test('a string that begins like a document is read in addition', () => {
    expect(shown(read(post('{"query":"query { a }","n":1}', json)).args)).toEqual({
      query: 'query { a }',
      n: '1',
      'gdir-s0': 'a',
    })
  })

  test('a failure is ignored without a path, and malformed with one', () => {
    const body = '{"query":"query {"}'
    expect(read(post(body, json)).body.malformed).toBeUndefined()
    expect(read(post(body, json), { graphqlPath: '$.query' }).body.malformed).toBe(
      'malformed GraphQL body at byte 7',
    )
  })

  test('with a path other strings are not read', () => {
    const body = '{"q":"{ a }","note":"query { b }"}'
    expect(shown(read(post(body, json), { graphqlPath: '$.q' }).args)).toMatchObject({ 'gdir-s0': 'a' })
    expect(read(post(body, json), { graphqlPath: '$.q' }).args.has('gdir-s0-b')).toBe(false)
  })
})

describe('JSONPath', () => {
  const root = {
    a: [{ k: 'q', v: 'one' }, { k: 'z', v: 'two', n: 3 }, 'three'],
    b: { c: { v: 'four' } },
    'd e': 'five',
  }
  test.each([
    ['$.a[0].v', ['one']],
    ["$['d e']", ['five']],
    ['$.a[-1]', ['three']],
    ['$.a[*].v', ['one', 'two']],
    ['$..v', ['one', 'two', 'four']],
    ['$.a[0,1].k', ['q', 'z']],
    ['$.a[1:].v', ['two']],
    ['$.*.c.v', ['four']],
    ['$..[?(@.k =~ /^Q$/i)].v', ['one']],
    ["$.a[?(@.k == 'z')].v", ['two']],
    ['$.a[?@.n > 2 && !(@.k == "q")].v', ['two']],
    ['$.a[?(@.n)].v', ['two']],
    ["$.a[?match(@.k, '[a-q]')].v", ['one']],
    ['$.missing', []],
  ])('%s', (path, strings) => {
    const segments = parseJsonPath(path)
    expect(segments === undefined ? undefined : selectStrings(root, segments)).toEqual(strings)
  })

  test.each(['a', '$.', '$[', '$.a[?(@.k =~ /(/)]', '$.a[?(@.k =~ /(?=x)/)]', '$ .a', '$.a[?(eval(1))]'])(
    'not understood: %s',
    (path) => {
      expect(parseJsonPath(path)).toBeUndefined()
    },
  )

  test('descents in a row are bounded', () => {
    let deep: unknown = 'x'
    for (let i = 0; i < 200; i++) deep = { a: deep, b: [deep] }
    const segments = parseJsonPath('$..a..a..a..a..a') ?? []
    const start = process.cpuUsage()
    selectStrings(
      JSON.parse(
        JSON.stringify({ a: Array.from({ length: 1000 }, () => ({ a: { a: { a: { a: 'x' } } } })) }),
      ),
      segments,
    )
    expect(process.cpuUsage(start).user).toBeLessThan(5e6)
  })
})
