// Text of a body that is no value: where parsers see a comment or nothing at all, a backend may see more. Whatever stands
// there is examined, and is no argument (spec pipeline 1.8).
import { describe, expect, test } from '@jest/globals'
import { type Request, contentFilter, site } from './support/base.ts'

const attack = 'then xp_cmdshell'

const xml = (body: string): Request => ({ headers: { 'content-type': 'application/xml' }, body })
const multipart = (body: string): Request => ({
  headers: { 'content-type': 'multipart/form-data; boundary=b' },
  body,
})
const plain = (body: string): Request => ({ headers: { 'content-type': 'text/plain' }, body })
const part = (headers = ''): string =>
  `--b\r\nContent-Disposition: form-data; name="a"\r\n${headers}\r\nhello\r\n`

const hidden: readonly (readonly [says: string, hide: (text: string) => Request])[] = [
  ['in a comment', (text) => xml(`<a>x<!-- ${text} --></a>`)],
  ['in a comment before the root', (text) => xml(`<!--${text}--><a>x</a>`)],
  ['in an instruction', (text) => xml(`<a>x<?php ${text} ?></a>`)],
  ['in a comment of the document type', (text) => xml(`<!DOCTYPE a [<!--${text}-->]><a>x</a>`)],
  ['as default of an attribute', (text) => xml(`<!DOCTYPE a [<!ATTLIST a q CDATA "${text}">]><a/>`)],
  ['before the first part', (text) => multipart(`${text}\r\n${part()}--b--\r\n`)],
  ['after the last part', (text) => multipart(`${part()}--b--\r\n${text}`)],
  ['on the line of the last delimiter', (text) => multipart(`${part()}--b--${text}`)],
  ['between the end and one more part', (text) => multipart(`${part()}--b--\r\n${text}\r\n${part()}--b--`)],
  ['in a header of a part', (text) => multipart(`${part(`X-Note: ${text}\r\n`)}--b--\r\n`)],
]

describe.each(hidden)('%s', (_, hide) => {
  test('an attack is refused', async () => {
    const { answer, record } = await site().send(hide(attack))
    expect(answer?.status).toBe(473)
    expect(record.cf_triggers).toMatchObject([{ section: 'body', name: '' }])
  })
  test('harmless text passes and is no argument', async () => {
    const { answer, record } = await site().send(hide('draft of tuesday'))
    expect(answer).toBeUndefined()
    expect(record.tags).toContain('args:1')
    expect(Object.keys(record.arguments)).not.toContain('RAW_BODY')
  })
  test('ignore_body leaves it alone', async () => {
    const profile = { ...contentFilter, ignore_body: true }
    const { answer } = await site({ 'content-filter-profiles': [profile] }).send(hide(attack))
    expect(answer).toBeUndefined()
  })
})

describe('a body that only looks like a form', () => {
  const cutUp: Request = plain('x=javascript&y=:alert')
  const rules = [
    { id: '7', name: '7', category: 'c', subcategory: 's', risk: 5, msg: 'm', operand: 'javascript&y=:' },
  ]
  test('is examined as text too', async () => {
    const { answer, record } = await site({ 'content-filter-rules': rules }).send(cutUp)
    expect(answer?.status).toBe(473)
    expect(record.arguments).toEqual({ x: 'javascript', y: ':alert' })
  })
  test('one that says that it is a form is not', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const { answer } = await site({ 'content-filter-rules': rules }).send({ ...cutUp, headers })
    expect(answer).toBeUndefined()
  })
})

test('an argument named RAW_BODY does not stand for the body', async () => {
  const json = { headers: { 'content-type': 'application/json' }, body: `{"a": "${attack}",}` }
  const { answer } = await site().send({ ...json, path: '/?RAW_BODY=hello+you' })
  expect(answer?.status).toBe(473)
})

describe('98 ignore_body with a name in the query and in the body', () => {
  const profile = { ...contentFilter, ignore_body: true, args: { ...contentFilterArgs(), max_length: 20 } }
  const limit = {
    id: 'r',
    name: 'r',
    global: true,
    timeframe: 60,
    key: [{ args: 'a' }],
    thresholds: [{ limit: 100, action: 'action-rate-limit-block' }],
  }
  const documents = { 'content-filter-profiles': [profile], 'rate-limit-rules': [limit] }
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const rows: readonly (readonly [says: string, path: string, body: string, status: number | undefined])[] = [
    ['what came in the body is not examined', '/?a=1', 'a=xp_cmdshell!', undefined],
    ['nor is its length', '/?a=1', `a=${'x'.repeat(30)}`, undefined],
    ['nor does it join the query to something', '/?a=xp_', 'a=cmdshell!', undefined],
    ['the query is examined', '/?a=xp_cmdshell!', 'a=1', 473],
    ['each of its values', '/?a=1&a=xp_cmdshell!', 'a=1', 473],
  ]
  test.each(rows)('%s', async (_, path, body, status) => {
    const { answer, record } = await site(documents).send({ path, headers: form, body })
    expect(answer?.status).toBe(status)
    // The limit sees both.
    expect(record.arguments['a']).toContain(' ')
  })
})

function contentFilterArgs(): object {
  return { enable_max_count: true, enable_max_length: true, max_count: 100, names: [], regex: [] }
}
