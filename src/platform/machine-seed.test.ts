// The seed of this machine: made once, for its owner only, the same for everybody who asks.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { readMachineSeed } from './machine-seed.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-seed-'))
  file = join(folder, 'var/masking-seed')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('the first start', () => {
  test('makes a random one, for its owner only', () => {
    const made = readMachineSeed(file)
    expect(made).toEqual({ ok: true, made: true, seed: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'var'))).toEqual(['masking-seed'])
    const other = readMachineSeed(join(folder, 'other'))
    expect(other.ok && other.seed).not.toBe(made.ok && made.seed)
  })
  test('processes that start at the same time agree', async () => {
    const script = `
      import { readMachineSeed } from ${JSON.stringify(join(import.meta.dirname, 'machine-seed.ts'))}
      process.stdin.once('data', () => {
        process.stdout.write(JSON.stringify(readMachineSeed(${JSON.stringify(file)})))
        process.exit()
      })
      process.stdout.write('!')`
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script], {
        env: { ...process.env, NODE_OPTIONS: '' },
      }),
    )
    const outputs = children.map(outputOf)
    await Promise.all(children.map((child) => once(child.stdout, 'data')))
    for (const child of children) child.stdin.write('go')
    const seeds = (await Promise.all(outputs)).map((text) => JSON.parse(text.slice(1)) as object)
    expect(seeds.filter((seed) => 'made' in seed && seed.made === true)).toHaveLength(1)
    const kept = readFileSync(file, 'utf8').trim()
    for (const seed of seeds) expect(seed).toMatchObject({ ok: true, seed: kept })
    expect(readdirSync(join(folder, 'var'))).toEqual(['masking-seed'])
  })
})

async function outputOf(child: ChildProcess): Promise<string> {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()))
  await once(child, 'close')
  return text
}

describe('later', () => {
  test('a restart keeps it', () => {
    const first = readMachineSeed(file)
    expect(readMachineSeed(file)).toEqual({ ...first, made: false })
  })
  test('one that the operator wrote is used', () => {
    writeFileSync(join(folder, 'own'), '  a secret of the operator\n')
    expect(readMachineSeed(join(folder, 'own'))).toEqual({
      ok: true,
      made: false,
      seed: 'a secret of the operator',
    })
  })
})

describe('what cannot be used is said, with the remedy', () => {
  const rows: readonly (readonly [says: string, prepare: () => void, reason: RegExp])[] = [
    ['an empty file', () => writeFileSync(file, '\n'), /masking-seed, holds nothing$/],
    ['a short one', () => writeFileSync(file, 'short'), /masking-seed, holds only 5 characters$/],
    ['a folder in its place', () => mkdirSync(file), /masking-seed, cannot be used: EISDIR/],
  ]
  test.each(rows)('%s', (_, prepare, reason) => {
    mkdirSync(join(folder, 'var'))
    prepare()
    expect(readMachineSeed(file)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
      remedy: expect.stringContaining('masking.seed_file'),
    })
  })
  test('a place where nothing can be written', () => {
    writeFileSync(join(folder, 'var'), '')
    expect(readMachineSeed(file)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/ENOTDIR|EEXIST/),
    })
  })
  const asRoot = process.getuid?.() === 0
  ;(asRoot ? test.skip : test)('a file of somebody else (nothing is forbidden to root)', () => {
    readMachineSeed(file)
    chmodSync(file, 0)
    expect(readMachineSeed(file)).toMatchObject({ ok: false, reason: expect.stringContaining('EACCES') })
  })
})
