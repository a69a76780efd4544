// Folders with one mistake each: whoever runs `weir validate` is told this one thing, at its place, and what to do. A new
// folder beside the others is a new test; `expected.json` stands outside of what is read.
import { loadFolder } from '#config'
import { describe, expect, test } from '@jest/globals'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, 'broken')
const names = readdirSync(root).toSorted()

/** What is wrong with a folder, without the advice; the folder's own path is written `<folder>`. */
function problemsOf(folder: string) {
  const result = loadFolder(folder)
  const problems = result.ok ? [] : result.problems
  return problems.map(({ file, document, entry, field, reason }) => ({
    file: file === folder ? '<folder>' : file,
    document,
    entry,
    field,
    reason,
  }))
}

describe('a folder with one mistake', () => {
  test.each(names)('%s: is refused for this mistake and no other', (...[name]) => {
    const expected: unknown = JSON.parse(readFileSync(join(root, name, 'expected.json'), 'utf8'))
    expect(expected).toHaveLength(1)
    expect(problemsOf(join(root, name, 'folder'))).toEqual(expected)
  })

  test.each(names)('%s: the author is told what to do', (...[name]) => {
    const result = loadFolder(join(root, name, 'folder'))
    expect(result.ok ? [] : result.problems.filter(({ remedy }) => /^\S.*[.?]$/s.test(remedy))).toHaveLength(
      1,
    )
  })

  test('all of them ran', () => {
    expect(names.length).toBe(58)
  })
})
