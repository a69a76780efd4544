// The golden folders, to Envoy: their whole resources are what it accepts. Checked as a static configuration, so that
// nothing has to listen.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { staticConfigOf } from '#envoy'
import { envoyBinary } from './support/envoy.ts'
import { goldenFolders, goldenSnapshot } from './support/golden.ts'
describe('Envoy accepts', () => {
  let scratch = ''
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'weir-'))
  })
  afterAll(() => rmSync(scratch, { recursive: true }))

  test.each(goldenFolders())('the resources of %s', async (name) => {
    const file = join(scratch, `${name}.json`)
    writeFileSync(file, JSON.stringify(staticConfigOf(goldenSnapshot(name))))
    const { stdout, stderr } = await promisify(execFile)(envoyBinary(), ['--mode', 'validate', '-c', file])
    expect(`${stdout}${stderr}`).toMatch(/configuration '.*' OK/)
    // Envoy wants another kind of cluster for names some day; the oldest supported one does not know that kind.
    const warnings = stderr.split('\n').filter((line) => /deprecated|unknown field/i.test(line))
    expect(warnings.filter((line) => !line.includes('Cluster.respect_dns_ttl'))).toEqual([])
  })
})
