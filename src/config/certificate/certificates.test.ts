// Certificates as operators give them (spec control-plane 1.6): what is read from them, and what is refused.
import { describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildPolicy } from '../load.ts'
import type { Policy } from '../policy.ts'
import {
  chain,
  key,
  lockedKey,
  oldPfx,
  pfx,
  rsaChain,
  rsaKey,
  weakChain,
  weakKey,
} from './certificate.fixture.ts'

type Entry = Readonly<Record<string, unknown>>
type Documents = Readonly<Record<string, readonly Entry[]>>

const load = (documents: Documents, withKeys = true) => buildPolicy(documents, { withKeys })

function policyOf(documents: Documents): Policy {
  const built = load(documents)
  if (!built.ok) throw new Error(JSON.stringify(built.problems))
  return built.policy
}

const reasons = (documents: Documents): readonly string[] => {
  const built = load(documents)
  return built.ok ? [] : built.problems.map(({ entry, field, reason }) => `${entry} ${field}: ${reason}`)
}

const certificate = (fields: Entry): Documents => ({ certificates: [{ id: 'c', ...fields }] })
const site = (fields: Entry, more: Documents = {}): Documents => ({
  'backend-services': [{ id: 'app', http11: true, least_conn: false, back_hosts: [{ host: '192.0.2.1' }] }],
  'security-policies': [
    { id: '__default__', map: [{ id: '__default_entry__', name: 'd', match: '/', backend_service: 'app' }] },
  ],
  'server-groups': [{ id: 'www', server_names: ['www.example.com'], ...fields }],
  ...more,
})

describe('a certificate', () => {
  test('has the names and the end of its leaf, whatever stands around the PEM', () => {
    const messy = `\ufeffBag Attributes\n${chain.replaceAll('\n', '\r\n')}\r\n  ${rsaChain}\n`
    const { certificates } = policyOf(certificate({ cert_body: messy, private_key: key }))
    const read = certificates.get('c')
    expect(read?.names).toEqual(['www.example.com', '*.example.com', '192.0.2.1'])
    expect(read?.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(new Date(read?.expires ?? 0).getUTCFullYear()).toBe(2126)
  })

  test.each([
    ['as it is', { private_key: key }],
    ['with its passphrase', { private_key: lockedKey, private_key_password: 'secret' }],
    ['in a PFX file', { cert_body: undefined, pfx, pfx_password: 'pfxpass' }],
    ['in an old PFX file, chosen by its key', { cert_body: undefined, pfx: oldPfx, pfx_password: 'pfxpass' }],
  ])('its key comes %s', (_how, fields) => {
    const entry = JSON.parse(JSON.stringify({ cert_body: chain, ...fields })) as Entry
    expect(policyOf(certificate(entry)).certificates.get('c')?.key).toMatch(/^-----BEGIN PRIVATE KEY/)
  })

  test('its key stands in a file or in the environment', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weir-key-'))
    const file = join(folder, 'key.pem')
    writeFileSync(file, key)
    process.env['WEIR_TEST_KEY'] = key
    try {
      for (const source of [`file:${file}`, 'env:WEIR_TEST_KEY'])
        expect(reasons(certificate({ cert_body: chain, private_key: source }))).toEqual([])
    } finally {
      delete process.env['WEIR_TEST_KEY']
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    ['of another pair', { cert_body: chain, private_key: rsaKey }, 'does not belong to the certificate'],
    ['too short', { cert_body: weakChain, private_key: weakKey }, 'RSA key of 1024 bits'],
    ['locked', { cert_body: chain, private_key: lockedKey }, 'the key is protected by a passphrase'],
    ['no key', { cert_body: chain, private_key: chain }, 'no private key in PEM found'],
    [
      'not there',
      { cert_body: chain, private_key: 'env:WEIR_TEST_NONE' },
      'the environment variable WEIR_TEST_NONE is not set',
    ],
  ])('its key is refused when it is %s', (_why, fields, reason) => {
    expect(reasons(certificate(fields))).toEqual([`c private_key: ${reason}`])
  })

  test('a process without use for keys does not look for them', () => {
    const built = load(certificate({ cert_body: chain, private_key: 'file:/nowhere' }), false)
    expect(built.ok && built.policy.certificates.get('c')?.key).toBeUndefined()
    expect(built.ok).toBe(true)
  })
})

describe('what refers to a certificate', () => {
  const ca = { id: 'ca', side: 'clientCA', cert_body: chain, crl: ['http://crl.example.com/a'] }
  const server = { id: 'srv', cert_body: chain, private_key: key }
  const certificates = [ca, server]

  test('a site gets its certificate, its client CA and its TLS settings', () => {
    const { serverGroups } = policyOf(
      site(
        {
          ssl_certificate: 'srv',
          client_certificate: 'ca',
          client_certificate_mode: 'optional',
          ssl_protocols: ['TLSv1.3'],
        },
        { certificates },
      ),
    )
    expect(serverGroups[0]).toMatchObject({
      certificate: { id: 'srv' },
      clientCertificate: { mode: 'optional', ca: { id: 'ca', crl: ['http://crl.example.com/a'] } },
      tls: { least: 'TLSv1.3', most: 'TLSv1.3', ciphers: [] },
    })
  })

  test('the placeholder need not exist, and gives way to one of the operator', () => {
    expect(policyOf(site({})).serverGroups[0]?.certificate).toBeUndefined()
    const own = { ...server, id: 'placeholder' }
    expect(policyOf(site({}, { certificates: [own] })).serverGroups[0]?.certificate?.names[0]).toBe(
      'www.example.com',
    )
  })

  test.each([
    ['an unknown one', site({ ssl_certificate: 'nope' }), 'www ssl_certificate: unknown certificate "nope"'],
    [
      'one of the wrong side',
      site({ ssl_certificate: 'ca' }, { certificates }),
      'www ssl_certificate: certificate "ca" has side clientCA',
    ],
    [
      'a port twice',
      site(
        {},
        {
          'load-balancers': [
            { id: 'a', listener_port: 80 },
            { id: 'b', listener_port: 80 },
          ],
        },
      ),
      'b listener_port: 0.0.0.0:80 is taken by load balancer a',
    ],
  ])('%s is refused', (_what, documents, expected) => {
    expect(reasons(documents)).toEqual([expected])
  })

  const two = (first: object, second: object) => ({
    'load-balancers': [
      { id: 'a', listener_port: 80, ...first },
      { id: 'b', listener_port: 80, ...second },
    ],
  })
  test.each([
    ['every address of the machine', { address: '0.0.0.0' }, { address: '10.0.0.1' }, true],
    ['every address of IPv6 takes IPv4 as well', { address: '10.0.0.1' }, { address: '::' }, true],
    ['two addresses', { address: '10.0.0.1' }, { address: '10.0.0.2' }, false],
    ['two ports', {}, { listener_port: 81 }, false],
    ['Envoys that differ in a label', { nodes: { zone: 'a' } }, { nodes: { zone: 'b' } }, false],
    ['Envoys that may have both labels', { nodes: { zone: 'a' } }, { nodes: { tier: 'b' } }, true],
    ['one that Weir does not make', {}, { provider: 'aws' }, false],
  ])('two at one port: %s', (_says, first, second, collide) => {
    expect(reasons(site({}, two(first, second)))).toHaveLength(collide ? 1 : 0)
  })

  test('certificates of load balancers that are only recorded are looked up as well', () => {
    const alb = { id: 'alb', provider: 'aws', default_certificate: 'ca', certificates: ['nope'] }
    expect(reasons(site({}, { certificates, 'load-balancers': [alb] }))).toEqual([
      'alb default_certificate: certificate "ca" has side clientCA',
      'alb certificates[0]: unknown certificate "nope"',
    ])
  })

  test('load balancers of others are no listeners', () => {
    const balancers = [
      { id: 'tls', protocol: 'https', listener_port: 8443, public_port: 443, default_certificate: 'srv' },
      { id: 'alb', provider: 'aws' },
    ]
    const { loadBalancers } = policyOf(site({}, { certificates, 'load-balancers': balancers }))
    expect(loadBalancers).toMatchObject([
      { id: 'tls', protocol: 'https', port: 8443, publicPort: 443, defaultCertificate: { id: 'srv' } },
    ])
    expect(loadBalancers).toHaveLength(1)
  })
})
