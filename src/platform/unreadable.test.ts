import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { whyUnreadable } from './unreadable.ts'

const here = fileURLToPath(import.meta.url)

function reasonFor(read: () => unknown): string {
  try {
    read()
  } catch (error) {
    return whyUnreadable(error)
  }
  return ''
}

describe('why something cannot be read', () => {
  test.each([
    [
      'a name that is none',
      () => readFileSync(`${here}.none`),
      'it does not exist, or is a link to what does not',
    ],
    ['a folder for a file', () => readFileSync(import.meta.dirname), 'it is a folder'],
    ['a file for a folder', () => readdirSync(here), 'there is a file where a folder should be'],
    ['a name without end', () => readFileSync('x'.repeat(300)), 'its name is too long'],
    [
      'what is no matter of files',
      () => JSON.parse('x') as unknown,
      `Unexpected token 'x', "x" is not valid JSON`,
    ],
  ])('%s', (_says, read, reason) => {
    expect(reasonFor(read)).toBe(reason)
  })

  test('something that is no error is shown as it is', () => {
    expect(whyUnreadable('gone')).toBe('gone')
  })
})
