// The control plane over TLS with client certificates, for a real Envoy and a filter; and who is not let in, or does not
// let itself in. No token is set: certificates are enough.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Apart, type Part, startApart } from './support/apart.ts'
import { send } from './support/http.ts'
import { type Pair, makePair } from './support/pki.ts'
import { runWeir, waitFor } from './support/weir.ts'

let folder: string
let weir: Apart
let control: Part

const file = (name: string): string => join(folder, `${name}.pem`)

function write(name: string, { chain, key }: Pair): void {
  writeFileSync(file(name), chain)
  writeFileSync(file(`${name}-key`), key)
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-xds-tls-'))
  const ca = makePair({ commonName: 'Weir', isCa: true })
  write('ca', ca)
  write('other-ca', makePair({ commonName: 'Other', isCa: true }))
  write('control', makePair({ commonName: 'control', names: ['127.0.0.1'], issuer: ca }))
  write('node', makePair({ commonName: 'node', names: ['node.example'], issuer: ca }))
  weir = await startApart({
    WEIR_XDS_TLS_CERT: file('control'),
    WEIR_XDS_TLS_KEY: file('control-key'),
    WEIR_XDS_TLS_CLIENT_CA: file('ca'),
  })
  control = await weir.startControl()
})
afterAll(async () => {
  await weir.stop()
  rmSync(folder, { recursive: true })
})

const ofNode = (): Record<string, string> => ({
  WEIR_XDS_TLS_CERT: file('node'),
  WEIR_XDS_TLS_KEY: file('node-key'),
})

const shown = () => ({ CONTROL_CERT: file('node'), CONTROL_KEY: file('node-key') })

/** Of an Envoy that will not get ready, and says why. */
const inVain = { timeoutMs: 3000, args: ['--component-log-level', 'connection:debug'] }

describe('over TLS with client certificates', () => {
  test.each([
    ['whose CA is another', () => ({ ...ofNode(), WEIR_XDS_TLS_CA: file('other-ca') }), /certificate/],
    ['without a certificate', () => ({ WEIR_XDS_TLS_CA: file('ca') }), /./],
    ['in plain text', () => ({}), /./],
  ])('a filter %s gets nothing', async (_says, env, reason) => {
    const filter = await weir.startFilter(1, env())
    const line = await filter.logged('the control plane cannot be reached; trying again')
    expect(line['reason']).toMatch(reason)
    expect(filter.log().map(({ msg }) => msg)).not.toContain('policy in force')
    await filter.end()
  })

  test('an Envoy whose CA is another does not believe it', async () => {
    const started = weir.startEnvoy({ ...shown(), CONTROL_CA: file('other-ca') }, inVain)
    await expect(started).rejects.toThrow('CERTIFICATE_VERIFY_FAILED')
  })

  test('a filter and an Envoy of this CA get everything, and requests are answered', async () => {
    const filter = await weir.startFilter(0, { ...ofNode(), WEIR_XDS_TLS_CA: file('ca') })
    await filter.logged('policy in force')
    const envoy = await weir.startEnvoy({ ...shown(), CONTROL_CA: file('ca') })
    const port = await envoy.listenerPort('http')
    await waitFor('an answer', async () => {
      const { status } = await send({ port, host: 'localhost', path: '/' })
      return status === 200 ? true : undefined
    })
    expect(await filter.metric('weir_decision_seconds_count')).toBeGreaterThan(0)
  })
})

test('a control plane whose certificate names another host is believed by nobody', async () => {
  await control.end()
  control = await weir.startControl(ofNode())
  const filter = await weir.startFilter(1, { ...ofNode(), WEIR_XDS_TLS_CA: file('ca') })
  const line = await filter.logged('the control plane cannot be reached; trying again')
  expect(line['reason']).toMatch(/does not match certificate's altnames/)
  const started = weir.startEnvoy({ ...shown(), CONTROL_CA: file('ca') }, inVain)
  await expect(started).rejects.toThrow('CERTIFICATE_VERIFY_FAILED')
})

describe('for other machines', () => {
  test.each(['control', 'serve'])('weir %s does not start without TLS', async (command) => {
    const { code, stderr } = await runWeir([command, '--xds-listen', '0.0.0.0:0'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/xds\.listen: .* give xds\.tls\.cert and xds\.tls\.key/)
  })

  test('a filter does not dial in plain text', async () => {
    const { code, stderr } = await runWeir(['filter', '--control', '192.0.2.5:18000'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/xds\.control: .* xds\.tls\.ca/)
  })
})
