// The policy that a filter keeps: what is on disk is what was acknowledged last, or nothing.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPolicyKeeper, readKeptPolicy } from './kept-policy.ts'

let folder: string
const warnings: string[] = []
const log = { debug: () => undefined, warn: (_: object, message: string) => void warnings.push(message) }

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-kept-policy-'))
  warnings.length = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const place = (more: object = {}) => ({
  file: join(folder, 'sub', 'policy.kept'),
  maxBytes: 1_000_000,
  bucket: 'prod',
  log,
  ...more,
})
const policy = (version: string, bytes = Buffer.from(`policy ${version}`)) => ({
  name: 'prod',
  version,
  bytes,
})

async function keep(...versions: readonly string[]): Promise<void> {
  const keeper = createPolicyKeeper(place())
  for (const version of versions) keeper.keep(policy(version))
  await keeper.stop()
}

describe('a kept policy', () => {
  test('is the last one, whole, for its owner alone, with nothing left beside it', async () => {
    await keep('one', 'two', 'three')
    expect(readKeptPolicy(place())).toEqual(policy('three'))
    expect(statSync(place().file).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'sub'))).toEqual(['policy.kept'])
    expect(warnings).toEqual([])
  })
  test('may not be there yet', () => {
    expect(readKeptPolicy(place())).toBeUndefined()
    expect(warnings).toEqual([])
  })
  test('of another bucket is left out with a warning', async () => {
    await keep('one')
    expect(readKeptPolicy(place({ bucket: 'test' }))).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })
  test.each([
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 1)],
    [
      'changed',
      (bytes: Buffer) => Buffer.from(bytes.toString('latin1').replace('policy', 'polizy'), 'latin1'),
    ],
    ['empty', () => Buffer.alloc(0)],
  ])('that is %s is left out with a warning', async (_what, spoil) => {
    await keep('one')
    writeFileSync(place().file, spoil(readFileSync(place().file)))
    expect(readKeptPolicy(place())).toBeUndefined()
    expect(warnings).toHaveLength(1)
  })
  test('that is too large is not written, and the one before stays', async () => {
    await keep('one')
    const keeper = createPolicyKeeper(place({ maxBytes: 100 }))
    keeper.keep(policy('two', Buffer.alloc(101)))
    await keeper.stop()
    expect(readKeptPolicy(place())?.version).toBe('one')
    expect(warnings).toEqual(['the policy is too large to be kept; raise xds.kept.max_bytes'])
  })
  test('that cannot be written is told, and nothing is thrown', async () => {
    const file = join(folder, 'here', 'policy.kept')
    writeFileSync(join(folder, 'here'), '')
    const keeper = createPolicyKeeper(place({ file }))
    keeper.keep(policy('one'))
    await keeper.stop()
    expect(warnings).toEqual(['the acknowledged policy could not be kept'])
  })
})
