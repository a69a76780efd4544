// docs/configuration.md is what the schemas say.
import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { documents } from '#config'
import { documentReference } from '../scripts/document-reference.ts'

const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')

test('the page is current: node scripts/document-reference.ts writes it anew', () => {
  expect(page).toBe(documentReference())
})

test('it has every document, and its links lead somewhere', () => {
  const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, name]) => name)
  expect(headings).toEqual(['Every entry', ...documents.map(({ namespace }) => namespace).toSorted()])
  const anchors = [...page.matchAll(/\]\(#([\w-]+)\)/g)].map(([, name]) => name)
  expect(anchors.filter((name) => !headings.includes(name))).toEqual([])
})

test('every field says what it means', () => {
  const silent = [...page.matchAll(/^\| (.+) \| .* \| +\|$/gm)].map(([, field]) => field)
  expect(silent).toEqual([])
})
