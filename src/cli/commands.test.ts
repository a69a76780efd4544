import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { commands } from './commands.ts'

test('the table in README.md has the commands of the help, in its order', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const [, section = ''] = readme.split('\n## Commands\n')
  const [table = ''] = section.split('\n## ')
  const rows = [...table.matchAll(/^\| `weir (\w+)[^`]*` \| \S/gm)].map(([, name]) => name)
  expect(rows).toEqual(commands.map(({ name }) => name))
})
