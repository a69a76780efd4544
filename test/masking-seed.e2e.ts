// The seed that a machine makes for itself (spec pipeline 7.7): what runs uses it and keeps it, what only looks writes nothing.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { send } from './support/http.ts'
import { copyConfig, freePorts, runWeir, startWeir } from './support/weir.ts'

const sha224 = (text: string): string => createHash('sha224').update(text).digest('hex')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-seed-'))
  copyConfig(join(folder, 'config'), 1)
})
afterEach(() => rmSync(folder, { recursive: true }))

test('sessions of a running site hash with the seed in var/masking-seed', async () => {
  const weir = await startWeir({})
  const { headers } = await send({ port: weir.port, host: 'localhost' })
  const event = await weir.event(String(headers['x-request-id']))
  const file = join(dirname(weir.config), 'var/masking-seed')
  const seed = readFileSync(file, 'utf8').trim()
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(await weir.stop()).toBe(0)
  expect(seed).toMatch(/^[0-9a-f]{64}$/)
  expect(event.session).toBe(sha224(seed + event.ip))
})

test('several machines with the same setting agree, and make no file', async () => {
  const weir = await startWeir({ env: { WEIR_MASKING_SEED: 'the same on all machines' } })
  const { headers } = await send({ port: weir.port, host: 'localhost' })
  const event = await weir.event(String(headers['x-request-id']))
  expect(existsSync(join(dirname(weir.config), 'var/masking-seed'))).toBe(false)
  expect(await weir.stop()).toBe(0)
  expect(event.session).toBe(sha224(`the same on all machines${event.ip}`))
})

describe('commands that only look', () => {
  test('validate warns and writes nothing', async () => {
    const { code, stdout } = await runWeir(['validate', '--config', 'config'], { cwd: folder })
    expect({ code, warned: stdout.includes('masking_seed is CHANGEME') }).toEqual({ code: 0, warned: true })
    expect(existsSync(join(folder, 'var'))).toBe(false)
  })
  test('inspect writes nothing, and hashes the same everywhere', async () => {
    const input = '{"ip":"203.0.113.9","method":"GET","authority":"localhost","path":"/"}\n'
    const args = ['inspect', '--config', 'config', '--requests', '-']
    const { code, stdout } = await runWeir(args, { cwd: folder, input })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ event: { session: sha224('CHANGEME203.0.113.9') } })
    expect(existsSync(join(folder, 'var'))).toBe(false)
  })
})

describe('a seed that cannot be used keeps Weir from starting, and says what to do', () => {
  const rows: readonly (readonly [says: string, env: Record<string, string>, words: readonly string[]])[] = [
    ['the file is a folder', {}, ['masking-seed, cannot be used', 'masking.seed_file']],
    [
      'the setting is short',
      { WEIR_MASKING_SEED: 'short' },
      ['masking.seed has only 5 characters', '16 or more'],
    ],
  ]
  for (const command of ['serve', 'filter'])
    test.each(rows)(`${command}: %s`, async (_, env, words) => {
      mkdirSync(join(folder, 'var/masking-seed'), { recursive: true })
      const { filter, filterMetrics, xds, controlMetrics } = await freePorts()
      writeFileSync(
        join(folder, 'weir.yaml'),
        `filter: {listen: "127.0.0.1:${String(filter)}", metrics: "127.0.0.1:${String(filterMetrics)}"}\n` +
          `xds: {listen: "127.0.0.1:${String(xds)}"}\ncontrol: {metrics: "127.0.0.1:${String(controlMetrics)}"}\n` +
          'envoy: {allow_loopback_backends: true}\n',
      )
      const { code, stderr } = await runWeir([command, '--config', 'config'], { cwd: folder, env })
      expect(code).toBe(2)
      for (const word of ['content-filter-profiles.json', '__defaultcontentfilter__', ...words])
        expect(stderr).toContain(word)
    })
})
