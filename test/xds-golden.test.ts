// Golden folders: documents yield Envoy resources (test/golden/README.md).
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { assertConsistent } from '#envoy'
import { goldenFolders, goldenOutput, goldenSnapshot, outputFile } from './support/golden.ts'

const folders = goldenFolders()

describe('documents yield Envoy resources', () => {
  test.each(folders)('%s', (name) => {
    assertConsistent(goldenSnapshot(name))
    const file = outputFile(name)
    expect(existsSync(file)).toBe(true)
    expect(goldenOutput(name)).toBe(readFileSync(file, 'utf8'))
  })

  test('all folders were found', () => {
    expect(folders.length).toBeGreaterThanOrEqual(80)
  })
})
