import { describe, expect, test } from '@jest/globals'
import type { DecisionRecord } from '#pipeline'
import { type SplitRecord, blankRecord, readRecord, splitRecord, splitText } from './record.ts'

const record: DecisionRecord = {
  ...blankRecord,
  request_id: '7f3c0c1e',
  timestamp: 1_772_442_904_000,
  host: 'shop.example.com',
  path: '/search',
  arguments: { q: 'lamp', ',"server_group":': 'x', '"tags":["a"],"server_group":"': '1' },
  tags: ['all', 'bot'],
  reason: 'Content filter: x',
}

/** As a filter writes it: the head first. */
function written({ head, rest }: SplitRecord): string {
  return `${JSON.stringify(head).slice(0, -1)},${rest}}`
}

const whole = (split: SplitRecord | undefined): unknown =>
  split === undefined ? undefined : JSON.parse(written(split))

const text = written(splitRecord(record))
const withHead = (changes: object): string => {
  const { head, rest } = splitRecord(record)
  return `${JSON.stringify({ ...head, ...changes }).slice(0, -1)},${rest}}`
}

describe('the head of a record', () => {
  test('is all that is parsed; the rest stays as it is, to the byte', () => {
    const split = splitText(text)
    expect(split?.head).toEqual(splitRecord(record).head)
    expect(text.endsWith(`,${String(split?.rest)}}`)).toBe(true)
    expect(Object.keys(split?.head ?? {})).not.toContain('arguments')
    expect(whole(split)).toEqual(record)
  })

  const hostile = ',"server_group":'
  test.each([
    ['the path', { path: hostile }],
    ['the query', { query: `?a=${hostile}"x"` }],
    ['a backslash before it', { path: `\\${hostile}` }],
    ['a message that is the name', { messages: ['server_group', ':', hostile] }],
    ['tags that are the name', { tags: ['server_group', ':'] }],
    ['the end of the head', { reason: '"}' }],
  ])('does not end where a client wants: %s', (_says, changes) => {
    expect(whole(splitText(withHead(changes)))).toEqual({ ...record, ...changes })
  })
})

describe('a text that is not exactly what a filter writes', () => {
  test('in another order is the same record', () => {
    const other = JSON.stringify(Object.fromEntries(Object.entries(record).toReversed()))
    expect(splitText(other)).toBeUndefined()
    expect(whole(readRecord(other))).toEqual(record)
  })

  test.each([
    ['a field of the head that is not what it should be', withHead({ path: 5 }), { path: '' }],
    ['a list of texts that has others', withHead({ tags: ['all', 5] }), { tags: [] }],
    ['a field in the head that nobody knows', withHead({ made_up: 1 }), {}],
    ['a field that is missing', JSON.stringify({ ...record, host: undefined }), { host: '' }],
    ['white space and line breaks', JSON.stringify(record, null, 2), {}],
    ['a line break after a proper head', text.replace('"server_group":', '"server_group":\n'), {}],
  ])('%s', (_says, given, differs) => {
    expect(splitText(given)).toBeUndefined()
    expect(whole(readRecord(given))).toEqual({ ...record, ...differs })
  })

  test.each([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['a number', '1'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a head without an end', '{"request_id":"a","server_group":"b"'],
  ])('%s is none', (_says, given) => {
    expect(readRecord(given)).toBeUndefined()
  })
})
