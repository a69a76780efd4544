import { describe, expect, test } from '@jest/globals'
import { createLeaves } from './leaves.ts'
import { parseXml } from './xml.ts'

function parse(text: string, maxDepth = 100): readonly [kind: string, pairs: readonly (readonly string[])[]] {
  const leaves = createLeaves(10_000)
  const { kind } = parseXml(text, maxDepth, leaves)
  return [kind, leaves.found.map(({ name, value }) => [name, value])]
}

describe('XML to leaves (spec pipeline 1.8)', () => {
  test.each<readonly [says: string, text: string, pairs: readonly (readonly [string, string])[]]>([
    [
      '12 text, elements and attributes',
      '<a>a<b foo="bar">xxx</b>z</a>',
      [
        ['a1', 'a'],
        ['a2bfoo', 'bar'],
        ['a2b1', 'xxx'],
        ['a3', 'z'],
      ],
    ],
    ['12 an empty element', '<a><b><c></c></b></a>', [['a1b1c1', '']]],
    [
      'local names',
      '<s:a xmlns:s="u"><s:b t:x="1"/></s:a>',
      [
        ['as', 'u'],
        ['a1bx', '1'],
        ['a1b1', ''],
      ],
    ],
    ['text is trimmed and skipped when empty', '<a>\n <b> x </b>\n</a>', [['a1b1', 'x']]],
    ['CDATA is kept whole', '<a><![CDATA[ <x> ]]></a>', [['a1', ' <x> ']]],
    ['a comment does not divide text', '<a>sel<!-- x -->ect</a>', [['a1', 'select']]],
    ['predefined entities and characters', '<a>&lt;&#65;&amp;</a>', [['a1', '<A&']]],
    ['others are not expanded', '<a>&x;&constructor;</a>', [['a1', '&x;&constructor;']]],
    [
      '13 an external entity',
      '<!DOCTYPE a [<!ENTITY e SYSTEM "http://h/x">]><a>&e;</a>',
      [
        ['entity/e', 'SYSTEM http://h/x'],
        ['entity_raw/e', '<!ENTITY e SYSTEM "http://h/x">'],
        ['a1', '&e;'],
      ],
    ],
    [
      'an instruction does not hide one',
      `<!DOCTYPE a [<?x ' ?><!ENTITY e SYSTEM "u">]><a>1</a>`,
      [
        ['entity/e', 'SYSTEM u'],
        ['entity_raw/e', '<!ENTITY e SYSTEM "u">'],
        ['a1', '1'],
      ],
    ],
    [
      'a public one',
      "<!DOCTYPE a [<!ENTITY e PUBLIC '-//x' 'u'>]><a>1</a>",
      [
        ['entity/e', 'PUBLIC -//x u'],
        ['entity_raw/e', "<!ENTITY e PUBLIC '-//x' 'u'>"],
        ['a1', '1'],
      ],
    ],
    [
      'an internal entity',
      '<!DOCTYPE a [<!ENTITY e "v&lt;">]><a>1</a>',
      [
        ['_XMLENTITY_VALUE_e', 'v&lt;'],
        ['a1', '1'],
      ],
    ],
    [
      'a parameter entity',
      '<!DOCTYPE a [<!ENTITY % p SYSTEM "u">]><a>1</a>',
      [
        ['entity/p', 'SYSTEM u'],
        ['entity_raw/p', '<!ENTITY % p SYSTEM "u">'],
        ['a1', '1'],
      ],
    ],
    [
      'the document type itself',
      '<!DOCTYPE a SYSTEM "u"><a>1</a>',
      [
        ['entity/a', 'SYSTEM u'],
        ['entity_raw/a', 'SYSTEM "u"'],
        ['a1', '1'],
      ],
    ],
    [
      'not within comments and other declarations',
      '<!DOCTYPE a [<!-- <!ENTITY x "y"> --><!ATTLIST a b CDATA "<!ENTITY z \'w\'>">]><a>1</a>',
      [['a1', '1']],
    ],
    [
      'a declaration before it',
      '<?xml version="1.0" encoding="UTF-8"?><a b="1"/>',
      [
        ['ab', '1'],
        ['a1', ''],
      ],
    ],
  ])('%s', (_says, text, pairs) => {
    expect(parse(text)).toEqual(['parsed', pairs])
  })

  test.each([
    ['nothing', ''],
    ['no element', 'x'],
    ['an open element', '<a>'],
    ['the wrong end', '<a></b>'],
    ['two roots', '<a/><b/>'],
    ['a bare ampersand', '<a>&</a>'],
    ['an attribute without quotes', '<a b=c/>'],
    ['the same attribute twice', '<a b="1" b="2"/>'],
  ])('malformed: %s', (_says, text) => {
    expect(parse(text)[0]).toBe('malformed')
  })

  test('depth is open elements and one', () => {
    expect(parse('<a><b>x</b></a>', 3)[0]).toBe('parsed')
    expect(parse('<a><b><c/></b></a>', 3)[0]).toBe('stopped')
    expect(parse('<a>'.repeat(200_000))[0]).toBe('stopped')
  })

  test('a billion laughs are not told', () => {
    const laughs = Array.from(
      { length: 9 },
      (_, i) => `<!ENTITY l${String(i + 1)} "${`&l${String(i)};`.repeat(10)}">`,
    )
    const [kind, pairs] = parse(`<!DOCTYPE a [<!ENTITY l0 "ha">${laughs.join('')}]><a>&l9;</a>`)
    expect([kind, pairs.at(-1)]).toEqual(['parsed', ['a1', '&l9;']])
  })
})
