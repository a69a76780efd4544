import { describe, expect, test } from '@jest/globals'
import { createInjectionDetector } from './libinjection.ts'
import { plausible } from './plausible.ts'

const detector = createInjectionDetector(['sqli', 'xss'])
const said = (value: string): readonly string[] =>
  detector.find([value], () => () => true).map(({ kind }) => kind)
const counted = (value: string): readonly string[] =>
  detector.find([value], plausible).map(({ kind }) => kind)

describe('Verdicts of libinjection that count', () => {
  const attacks = [
    ["1' or '1'='1", 'sqli'],
    ["x' union select null,null--", 'sqli'],
    ['1; drop table users--', 'sqli'],
    ['1-(select 1)', 'sqli'],
    ['2-exp(~(select 1))', 'sqli'],
    ['"a" or "b"="b', 'sqli'],
    ['<script>alert(1)</script>', 'xss'],
    ['<svg onload=alert(1)>', 'xss'],
    ['<a href="javascript:alert(1)">x</a>', 'xss'],
    ['<a href="javascript:vbs()">x</a>', 'xss'],
    ['<object data="data:image/svg+xml,<svg onload=alert(1)>">', 'xss'],
  ] as const
  for (const [value, kind] of attacks)
    test(`an attack: ${value}`, () => expect(counted(value)).toContain(kind))

  const harmless = [
    'null or empty',
    '1 or 2 = fine',
    'Sleep (hotel), 5 nights',
    "Workers' Union select board -- minutes",
    "$stmt = $pdo->prepare('SELECT * FROM users WHERE id = ?');",
    'what does <iframe> do?',
    '(3+4)*2^3-sin(pi/2)',
    '"machine learning" OR "deep learning" -survey site:example.org filetype:pdf',
    '1. Select "File" > "Open"\n2. Drop the file onto the table\n3. Delete from list',
    "const q = `SELECT * FROM t WHERE id = ${id}`; // don't do that",
    '<a href="javascript:void(0)">Open menu</a>',
    '<img src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP" alt="">',
    '<script> is an HTML tag',
    '<iframe src="https://player.example.com/video/1"></iframe>',
    '```html\n<button onclick="save()">Save</button>\n```',
    'Please write onclick = go in the tag <a> of the page you showed',
  ]
  for (const value of harmless)
    test(`libinjection says something, it is harmless: ${value}`, () => {
      expect(said(value)).not.toEqual([])
      expect(counted(value)).toEqual([])
    })
})

test('a text is judged once, however many of its parts libinjection hits', () => {
  const text = 'concat()\n%2e'.repeat(20_000)
  let judged = 0
  let asked = 0
  detector.find([text], () => {
    judged++
    return () => {
      asked++
      return false
    }
  })
  expect(judged).toBeLessThanOrEqual(2)
  expect(asked).toBeGreaterThan(10)
})
