// Which settings of TLS are refused, and that the refusal says what to do.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Settings, loadSettings, parsePlace } from '#platform'
import { makePair } from './support/pki.ts'
import { UsageError } from '../src/cli/command.ts'
import { controlCredentials, nodeCredentials } from '../src/cli/xds-tls.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-xds-tls-'))
  const ca = makePair({ commonName: 'CA', isCa: true })
  const control = makePair({ commonName: 'control', names: ['127.0.0.1'], issuer: ca })
  for (const [name, text] of Object.entries({
    'ca.pem': ca.chain,
    'ca-key.pem': ca.key,
    'control.pem': control.chain,
    'control-key.pem': control.key,
    'nothing.pem': 'nothing',
  }))
    writeFileSync(join(folder, name), text)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Values that end in .pem are files of the folder. */
function settings(environment: Readonly<Record<string, string>>): Settings {
  const entries = Object.entries(environment).map(([name, value]) => [
    `WEIR_XDS_${name}`,
    value.endsWith('.pem') ? join(folder, value) : value,
  ])
  const loaded = loadSettings({
    file: undefined,
    flags: [],
    environment: Object.fromEntries(entries) as Record<string, string>,
  })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  return loaded.settings
}

const pair = { TLS_CERT: 'control.pem', TLS_KEY: 'control-key.pem' }
const everywhere = { LISTEN: '0.0.0.0:18000' }

/** `tls`, `plain`, or why not. */
function outcome(credentials: () => object | undefined): string {
  try {
    return credentials() === undefined ? 'plain' : 'tls'
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
}

describe('a control plane', () => {
  test.each([
    ['on this machine needs no TLS', {}, /^plain$/],
    ['nor on the loopback of IPv6', { LISTEN: '[::1]:18000' }, /^plain$/],
    ['nor by name', { LISTEN: 'localhost:18000' }, /^plain$/],
    [
      'for other machines does',
      everywhere,
      /^xds\.listen: .* plain text on 0\.0\.0\.0:18000; give xds\.tls\.cert and xds\.tls\.key, .* or set xds\.insecure to true/,
    ],
    ['also on one address', { LISTEN: '10.0.0.5:18000' }, /^xds\.listen: .* 10\.0\.0\.5:18000;/],
    ['a name may be anywhere', { LISTEN: 'control.example:18000' }, /^xds\.listen: /],
    ['unless a mesh encrypts', { ...everywhere, INSECURE: 'true' }, /^plain$/],
    ['has it with a certificate', { ...everywhere, ...pair }, /^tls$/],
    ['and asks for those of clients', { ...everywhere, ...pair, TLS_CLIENT_CA: 'ca.pem' }, /^tls$/],
    ['which is nothing without TLS', { TLS_CLIENT_CA: 'ca.pem' }, /^xds\.tls\.client_ca: .* need TLS; give/],
    ['a certificate without its key', { TLS_CERT: 'control.pem' }, /give both or neither/],
    ['with that of another', { ...pair, TLS_KEY: 'ca-key.pem' }, /^xds\.tls\.key: is not the key of/],
    [
      'a file that is no certificate',
      { ...pair, TLS_CERT: 'nothing.pem' },
      /^xds\.tls\.cert: .*nothing\.pem/,
    ],
    [
      'a file that is none',
      { ...pair, TLS_KEY: 'absent.pem' },
      /^xds\.tls\.key: .*absent\.pem .* does not exist/,
    ],
  ])('%s', (_says, environment, expected) => {
    expect(outcome(() => controlCredentials(settings(environment)))).toMatch(expected)
  })
})

describe('a filter', () => {
  test.each([
    ['of this machine needs no TLS', '127.0.0.1:18000', {}, /^plain$/],
    [
      'elsewhere does',
      '10.0.0.5:18000',
      {},
      /^xds\.control: .* to 10\.0\.0\.5:18000; .* xds\.tls\.ca, or set/,
    ],
    ['unless a mesh encrypts', '10.0.0.5:18000', { INSECURE: 'true' }, /^plain$/],
    ['has it with a CA', '10.0.0.5:18000', { TLS_CA: 'ca.pem' }, /^tls$/],
    ['and shows a certificate', '10.0.0.5:18000', { ...pair, TLS_CA: 'ca.pem' }, /^tls$/],
    ['which is nothing without TLS', '127.0.0.1:18000', pair, /^xds\.tls\.ca: missing beside xds\.tls\.cert/],
    ['a CA that is none', '127.0.0.1:18000', { TLS_CA: 'nothing.pem' }, /^xds\.tls\.ca: .*nothing\.pem/],
  ])('%s', (_says, control, environment, expected) => {
    const place = parsePlace(control)
    if (place === undefined) throw new Error('this is a place')
    expect(outcome(() => nodeCredentials(settings(environment), place))).toMatch(expected)
  })
})
