import { describe, expect, test } from '@jest/globals'
import { readCommandLine } from './command-line.ts'
import { UsageError } from './command.ts'

const options = {
  last: { type: 'string', default: '10' },
  follow: { type: 'boolean', short: 'f', default: false },
  rule: { type: 'string', multiple: true },
} as const

describe('what is read', () => {
  test.each([
    [[], { last: '10', follow: false }],
    [['--last', '5', '-f'], { last: '5', follow: true }],
    [['--last=5'], { last: '5', follow: false }],
    [['--rule', 'a', '--rule=b'], { last: '10', follow: false, rule: ['a', 'b'] }],
    // What is wrong with these values is for the command to say.
    [['--last', '-4'], { last: '-4', follow: false }],
    [['--last', '-'], { last: '-', follow: false }],
    [['--last', '-- comment'], { last: '-- comment', follow: false }],
    [['--last='], { last: '', follow: false }],
    [['--last=--follow'], { last: '--follow', follow: false }],
  ])('%j', (args, values) => {
    expect({ ...readCommandLine(args, options).values }).toEqual(values)
  })

  test('words, where the command takes them', () => {
    expect(readCommandLine(['test', '-f', '--', '-x'], options, 'words').positionals).toEqual(['test', '-x'])
  })
})

describe('what is refused, and what to write instead', () => {
  test.each([
    [['--bogus'], 'there is no option --bogus; known are --last, --follow, --rule, --help'],
    [['--folow'], 'there is no option --folow; did you mean --follow?'],
    [['--no-follow'], 'there is no option --no-follow; did you mean --follow?'],
    [['-fx'], 'there is no option -x; known are --last, --follow, --rule, --help'],
    [['-4'], 'there is no option -4; known are --last, --follow, --rule, --help'],
    [['--constructor'], 'there is no option --constructor; known are --last, --follow, --rule, --help'],
    [['--last'], '--last: the value is missing; write --last VALUE'],
    [
      ['--last', '--follow'],
      '--last: the value is missing before --follow; write --last VALUE, or --last=--follow if that is it',
    ],
    [
      ['--last', '-f'],
      '--last: the value is missing before -f; write --last VALUE, or --last=-f if that is it',
    ],
    [['--follow=yes'], '--follow takes no value; write --follow without "=yes"'],
    [['today'], '"today" belongs to no option; leave it out, or write the option before it'],
  ])('%j', (args, message) => {
    expect(() => readCommandLine(args, options)).toThrow(new UsageError(message))
  })
})
