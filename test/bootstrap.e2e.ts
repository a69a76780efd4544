// The bootstrap that the documentation shows, on a real Envoy.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { renderBootstrap } from '#envoy'
import { policy } from '../src/envoy/xds/sites.fixture.ts'
import { envoyBinary, startEnvoy } from './support/envoy.ts'
import { freePort, send } from './support/http.ts'
import { startControl } from './support/control.ts'

describe('the bootstrap', () => {
  test('is valid with nothing but its defaults', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-'))
    const file = join(folder, 'bootstrap.yaml')
    writeFileSync(file, renderBootstrap({}))
    const { stdout, stderr } = await promisify(execFile)(envoyBinary(), ['--mode', 'validate', '-c', file])
    rmSync(folder, { recursive: true })
    expect(`${stdout}${stderr}`).toMatch(/configuration '.*' OK/)
    expect(stderr).not.toMatch(/deprecated/i)
  })

  test('serves readiness and metrics beside the admin interface, and nothing else', async () => {
    const control = await startControl()
    await control.publish(policy())
    const [ADMIN_PORT, STATS_PORT] = [await freePort(), await freePort()]
    const envoy = await startEnvoy({
      bootstrap: renderBootstrap({ ADMIN_PORT, STATS_PORT, CONTROL_PORT: control.port }),
      listeners: ['weir_stats'],
    }).finally(() => control.stop())
    const answers = await Promise.all(
      [
        ['GET', '/ready'],
        ['GET', '/stats/prometheus'],
        ['GET', '/stats/../config_dump'],
        ['GET', '/config_dump'],
        ['POST', '/quitquitquit'],
        ['POST', '/ready'],
      ].map(([method = '', path = '']) => send({ port: STATS_PORT, method, path })),
    )
    await envoy.stop()
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 404, 404, 404])
    expect(answers[1]?.body).toContain('envoy_server_live')
  })
})
