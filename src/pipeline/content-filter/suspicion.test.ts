import { describe, expect, test } from '@jest/globals'
import { type InjectionKind, createInjectionDetector } from './libinjection.ts'
import { plausible } from './plausible.ts'
import { mayInject } from './suspicion.ts'

const detector = createInjectionDetector(['sqli', 'xss'])

describe('Texts that libinjection need not see', () => {
  const spared = [
    'word',
    'LAMP-4711',
    'please send the red lamp to the house behind the old mill',
    'Mill Lane 14',
    'select the lamp from the shop, union of two, or 1',
    'ada.0@example.com',
    '2026-11-21T10:00:00Z',
    '+44 (0)20 7946 0958',
    '51.3811, -2.3590',
    'GA1.2.1234567890.1700000000',
    'Zürich, Straße 5',
    '/products/lamp-12',
    "it's a gift for mum, no 812",
  ]
  for (const text of spared) test(text, () => expect(mayInject(text)).toBe(false))

  const seen = [
    "O'Brien",
    "it's <b onclick=go()> here",
    "it's fine -- or 1",
    '1 or sleep(5)',
    '14 Mill Lane',
    '(1) union select 2',
    'not 1 union select 2',
    'int 1 union select 2',
    'true union select 2',
    'int4(1) union select 2',
    'float8(1) and pg_sleep(5)',
    '_latin1 0x31 union select 2',
    '_binary 0x31 or sleep(5)',
    'cstring 1 union select 2',
    `${'é'.repeat(2060)}' union select password from users -- `,
    '1--',
    '1;shutdown',
    'x onclick=go()',
    '<b>',
    'javascript:alert(1)//=',
    `${'word '.repeat(1500)}'--`,
    `${'x'.repeat(3839)} 1 union select 2 ${'x'.repeat(600)}`,
  ]
  for (const text of seen) test(text.slice(0, 40), () => expect(mayInject(text)).toBe(true))
})

/** A generator of its own, so that a failure comes again. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.trunc((state / 2 ** 32) * below)
  }
}

const words =
  'a x n e b q u N X E 0x1f 0b1 1e5 1. .5 7 42 or and xor not is null nil true false like in between exists any all some case when then else end if as on by from where having group order limit offset into values set union all intersect except select distinct top insert update delete replace drop create alter table truncate load load_file outfile begin declare exec execute call waitfor delay shutdown sleep benchmark pg_sleep version user current_user current_date current_timestamp database schema concat char chr ascii count sum min max avg mod div rlike regexp collate escape cast convert int integer bigint binary varchar text float real double decimal numeric boolean date timestamp money serial oid regclass bytea character int2 int4 int8 float4 float8 serial2 serial8 anyarray anyelement cstring void _utf8 _latin1 _ascii _binary sounds natural join left right inner outer cross using window over go print sp_password xp_cmdshell mill lamp Bath please the red zürich à ß script style onload javascript: data: vbscript: srcdoc expression xlink:href @import'.split(
    ' ',
  )
const between = [
  ' ',
  ' ',
  ' ',
  '',
  ',',
  '.',
  '(',
  ')',
  '+',
  '-',
  '/',
  '*',
  '%',
  '&',
  '|',
  '!',
  '~',
  '^',
  '@',
  '@@',
  ':',
  ':=',
  '?',
  '[',
  ']',
  '}',
  '>',
  '\n',
  '\t',
  '\u00a0',
  '\0',
]

const statements = [
  'union select 1 from x',
  'union all select null, version()',
  'or 1 like 1',
  'and sleep(5)',
  ') or (1)',
  'having 1 > 0',
  'group by x having 1',
  'or exists (select 1 from x)',
  'into outfile x',
  'waitfor delay x',
]

test.each(['é', '中', '😀'])('a value is fed whole, whatever its characters take: %s', (character) => {
  for (const length of [1000, 1364, 1365, 1366, 2040, 2060, 5000]) {
    const text = `${character.repeat(length)}' or 1=1 -- `
    expect(detector.find([text], plausible).map(({ kind }) => kind)).toEqual(['sqli'])
  }
})

describe('What is spared would not have been believed', () => {
  const random = createRandom(20261121)
  const texts: string[] = []
  while (texts.length < 60_000) {
    const pieces = Array.from({ length: 1 + random(9) }, () =>
      [between[random(between.length)], words[random(words.length)]].join(''),
    )
    const head = random(3) === 0 ? pieces.join('') : pieces.join(' ').trimStart()
    const text = random(2) === 0 ? head : `${head} ${String(statements[random(statements.length)])}`
    if (!mayInject(text)) texts.push(text)
  }

  test.each<InjectionKind>(['sqli', 'xss'])(
    '%s, in 60,000 texts made of what means something to it',
    (kind) => {
      const found = createInjectionDetector([kind]).find(texts, plausible)
      expect(found.map(({ index, fingerprint }) => `${fingerprint}: ${String(texts[index])}`)).toEqual([])
    },
  )

  test('without a tag or an attribute libinjection finds no XSS at all, believed or not', () => {
    expect(createInjectionDetector(['xss']).kindsIn(texts).size).toBe(0)
  })

  test('and the texts do mean something to it: many are hits that nobody believes', () => {
    expect(detector.find(texts, () => () => true).length).toBeGreaterThan(1000)
  })
})
