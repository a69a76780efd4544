// The parts of the set-up that a user meets when something is missing, and the line that ends every check.
// The set-up as a whole is tried on bare machines; here its small promises are kept.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { fillFolder } from '../scripts/setup/folder.mjs'
import { closingLine, sum, totalsOf } from '../scripts/verify/totals.mjs'

const repository = join(import.meta.dirname, '..')
let folder = ''

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'weir-scripts-')))
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

describe('bin/weir', () => {
  /** A clone that has nothing but the launcher and a program that repeats its arguments. */
  function clone(): string {
    const root = join(folder, 'clone of weir')
    for (const part of ['bin', 'src/cli']) mkdirSync(join(root, part), { recursive: true })
    cpSync(join(repository, 'bin/weir'), join(root, 'bin/weir'))
    writeFileSync(join(root, 'src/cli/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)))')
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
    return root
  }

  function finishSetUp(root: string): void {
    mkdirSync(join(root, 'node_modules/re2'), { recursive: true })
    mkdirSync(join(root, '.cache'))
    writeFileSync(
      join(root, '.cache/tools.json'),
      JSON.stringify({ node: process.execPath, envoy: '' }, null, 2),
    )
  }

  function weir(file: string, path: string, ...args: readonly string[]) {
    const env = { PATH: path, NODE_OPTIONS: '' }
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8', env, cwd: folder })
    return { status, stdout: stdout.trim(), stderr: stderr.trim() }
  }

  test('hands its arguments on as they are, to the Node of the set-up', () => {
    const root = clone()
    finishSetUp(root)
    const said = weir(join(root, 'bin/weir'), '/usr/bin:/bin', 'inspect', 'a b', '*', '')
    expect(said).toEqual({ status: 0, stdout: '["inspect","a b","*",""]', stderr: '' })
  })

  test('finds its clone through symbolic links, absolute and relative ones', () => {
    const root = clone()
    finishSetUp(root)
    mkdirSync(join(folder, 'bin'))
    symlinkSync(join(root, 'bin/weir'), join(folder, 'bin/first'))
    symlinkSync('first', join(folder, 'bin/second'))
    const said = weir(join(folder, 'bin/second'), '/usr/bin:/bin', 'serve')
    expect(said).toEqual({ status: 0, stdout: '["serve"]', stderr: '' })
  })

  test('names the remedy in one line when there is no Node 24', () => {
    const root = clone()
    const stubs = join(folder, 'stubs')
    mkdirSync(stubs)
    writeFileSync(join(stubs, 'node'), '#!/bin/sh\necho v20.1.0\n', { mode: 0o755 })
    const said = weir(join(root, 'bin/weir'), `${stubs}:/usr/bin:/bin`)
    const stderr = `weir: it needs Node 24, which is not here yet; run "npm run setup" in ${root}`
    expect(said).toEqual({ status: 1, stdout: '', stderr })
  })

  test('names the remedy in one line when the packages are not installed', () => {
    const root = clone()
    const said = weir(join(root, 'bin/weir'), `${dirname(process.execPath)}:/usr/bin:/bin`)
    const stderr = `weir: its packages are not installed; run "npm run setup" in ${root}`
    expect(said).toEqual({ status: 1, stdout: '', stderr })
  })
})

describe('a folder of the set-up', () => {
  test('is not there when filling it was interrupted, and the next one starts anew', async () => {
    const target = join(folder, 'envoy/1.0')
    const half = fillFolder(target, (draft: string) => {
      writeFileSync(join(draft, 'envoy'), 'half')
      throw new Error('interrupted')
    })
    await expect(half).rejects.toThrow('interrupted')
    expect(() => realpathSync(target)).toThrow('ENOENT')
    await fillFolder(target, (draft: string) => writeFileSync(join(draft, 'envoy'), 'whole'))
    expect(realpathSync(join(target, 'envoy'))).toBe(join(target, 'envoy'))
  })
})

describe('the closing line', () => {
  const report = (content: string): string => {
    const file = join(folder, 'report.json')
    writeFileSync(file, content)
    return file
  }
  const counts = {
    numPassedTests: 12,
    numFailedTests: 1,
    numRuntimeErrorTestSuites: 2,
    numPendingTests: 3,
    numTodoTests: 1,
  }

  test('a test file that could not be run counts as a failure; pending and to-do tests as skipped', () => {
    expect(totalsOf(report(JSON.stringify(counts)))).toEqual({ passed: 12, failed: 3, skipped: 4 })
  })

  test('a run that left no report is one failure', () => {
    expect(totalsOf(join(folder, 'none.json'))).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(totalsOf(report('{"numPassed'))).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  test('sums over the parts, and tells of skipped tests only when there are any', () => {
    const unit = { totals: { passed: 300, failed: 0, skipped: 0 } }
    const e2e = { totals: { passed: 41, failed: 1, skipped: 2 } }
    expect(closingLine(sum([unit]))).toBe('300 passed, 0 failed')
    expect(closingLine(sum([unit, e2e]))).toBe('341 passed, 1 failed, 2 skipped')
  })
})
