import { describe, expect, test } from '@jest/globals'
import { createLeaves } from './leaves.ts'
import { parseMultipart } from './multipart.ts'

type Parsed = { readonly result: unknown; readonly pairs: readonly (readonly [string, string])[] }

function parse(body: string | Buffer, { boundary = 'b', complete = true } = {}): Parsed {
  const leaves = createLeaves(100)
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const result = parseMultipart(bytes, boundary, leaves, complete)
  return { result, pairs: leaves.found.map(({ name, value }) => [name, value]) }
}

const part = (disposition: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`
const end = '--b--\r\n'
const parsed = { kind: 'parsed' }

describe('multipart/form-data to leaves (spec pipeline 1.8)', () => {
  test.each<readonly [says: string, body: string, pairs: readonly (readonly [string, string])[]]>([
    [
      '14 a field and a file',
      part('name="foo"', 'bar') + part('name="up"; filename="../s.php"', 'text') + end,
      [
        ['foo', 'bar'],
        ['up', 'text'],
        ['up:filename', '../s.php'],
      ],
    ],
    [
      'a file that is no text has no content',
      part('name="up"; filename="a"', 'a\u0000b') + end,
      [
        ['up', ''],
        ['up:filename', 'a'],
      ],
    ],
    ['no parts', end, []],
    ['an empty value', part('name="a"', '') + end, [['a', '']]],
    ['line ends without CR', part('name="a"', '1\n2').replaceAll('\r', '') + end, [['a', '1\n2']]],
    [
      'the delimiter within a line is content',
      part('name="a"', 'x--b\r\ny --b') + end,
      [['a', 'x--b\r\ny --b']],
    ],
    ['a longer delimiter is content', part('name="a"', 'x\r\n--bb') + end, [['a', 'x\r\n--bb']]],
    ['text before the first part', `preamble\r\n${part('name="a"', '1')}${end}`, [['a', '1']]],
    [
      'a part after the end',
      `${part('name="a"', '1')}${end}${part('name="c"', '2')}${end}`,
      [
        ['a', '1'],
        ['c', '2'],
      ],
    ],
    [
      'names without quotes, in any case',
      part('NAME=a; FileName=x', '1') + end,
      [
        ['a', '1'],
        ['a:filename', 'x'],
      ],
    ],
    ['quotes in a name', part(String.raw`name="a\"b;c"`, '1') + end, [['a"b;c', '1']]],
    [
      'two names',
      part('name="a"; name="c"', '1') + end,
      [
        ['a', '1'],
        ['c', '1'],
      ],
    ],
    [
      'two file names',
      part(`name="a"; filename="x"; filename*=UTF-8''%C3%A9`, '1') + end,
      [
        ['a', '1'],
        ['a:filename', 'x'],
        ['a:filename', 'é'],
      ],
    ],
    [
      'a continued header',
      '--b\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n1\r\n--b--',
      [['a', '1']],
    ],
    ['a part without a name', '--b\r\n\r\n1\r\n--b--', [['', '1']]],
    [
      'blanks after the delimiter',
      '--b \t\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--',
      [['a', '1']],
    ],
  ])('%s', (_says, body, pairs) => {
    expect(parse(body)).toEqual({ result: parsed, pairs })
  })

  test.each([
    ['no boundary', part('name="a"', '1') + end, '', 0],
    ['a boundary that does not occur', 'x', 'b', 0],
    ['no end', part('name="a"', '1'), 'b', 52],
    ['more names than can be meant', part('name=a;name=b;name=c;name=d;name=e', '1') + end, 'b', 5],
    ['headers that do not end', '--b\r\nX: y', 'b', 5],
  ])('malformed: %s', (_says, body, boundary, byte) => {
    expect(parse(body, { boundary }).result).toEqual({ kind: 'malformed', byte })
  })

  test('a part that breaks off is read as far as it goes', () => {
    const body = Buffer.from(part('name="up"; filename="a"', 'text é')).subarray(0, -3)
    expect(parse(body, { complete: false })).toEqual({
      result: parsed,
      pairs: [
        ['up', 'text '],
        ['up:filename', 'a'],
      ],
    })
  })

  test('many delimiters that are none take linear time', () => {
    const start = process.cpuUsage()
    parse(Buffer.from('--b'.repeat(300_000)))
    parse(Buffer.from('\n--b '.repeat(200_000)))
    expect(process.cpuUsage(start).user).toBeLessThan(5e6)
  })
})
