// What a configuration may say of revocation lists, and what becomes of it: in the filter, which looks every certificate up, and
// in Envoy, whose bundle loses the CAs that were revoked (spec control-plane 1.1, 2.4).
import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import {
  type LoadResult,
  type Policy,
  type Revocations,
  buildPolicy,
  distributionPoints,
  formatProblem,
  readBundle,
  revocationsOf,
} from '#config'
import { buildSnapshot, defaultXdsSettings } from '#envoy'
import { compileCertificateCheck } from '../src/pipeline/client-certificate.ts'
import { makeCa } from './support/crl.ts'
import { der, extension, sequence, text } from './support/der.ts'
import { type Pair, makePair } from './support/pki.ts'

const root = makeCa({ name: 'Root CA', kind: 'rsa' })
const branch = makeCa({ name: 'Branch CA', kind: 'rsa', issuer: root })
const namesake = makeCa({ name: 'Root CA', kind: 'rsa' })
const server = makePair({ commonName: 'www.example', names: ['www.example'], keyOf: root })
const chain = root.chain + branch.chain

const url = 'http://crl.example/root'

type Fields = Readonly<Record<string, unknown>>

const load = (group: Fields, ca: Fields = {}, others: readonly Fields[] = []): LoadResult =>
  buildPolicy({
    certificates: [
      { id: 'clients', side: 'clientCA', cert_body: chain, ...ca },
      { id: 'www', cert_body: server.chain, private_key: server.key },
    ],
    'load-balancers': [{ id: 'https', protocol: 'https', listener_port: 443 }],
    'backend-services': [{ id: 'app', http11: true, least_conn: false, back_hosts: [{ host: '192.0.2.1' }] }],
    'security-policies': [
      {
        id: '__default__',
        map: [{ id: '__default_entry__', name: 'd', match: '/', backend_service: 'app' }],
      },
    ],
    'server-groups': [
      { id: 'www', ssl_certificate: 'www', server_names: ['www.example'], ...group },
      ...others,
    ],
  })

const mtls = { client_certificate: 'clients', client_certificate_mode: 'on' }
const active = { ...mtls, client_certificate_crl_active: true }

function policyOf(...documents: Parameters<typeof load>): Policy {
  const built = load(...documents)
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  return built.policy
}

test('where a certificate says that the lists of its issuer are, can be read from it', () => {
  const name = (...urls: readonly string[]): Buffer =>
    sequence(
      der(
        0xa0,
        der(
          0xa0,
          urls.map((one) => text(0x86, one)),
        ),
      ),
    )
  const points = sequence(
    name(url, 'ldap://crl.example/root'),
    name(`${url}2`),
    sequence(der(0x81, Buffer.from([1]))),
  )
  const { chain: pem } = makeCa({ name: 'CA', extensions: [extension('551d1f', points)] })
  expect(distributionPoints(new X509Certificate(pem))).toEqual([url, 'ldap://crl.example/root', `${url}2`])
  expect(distributionPoints(new X509Certificate(root.chain))).toEqual([])
  const odd = makeCa({ name: 'CA', extensions: [extension('551d1f', Buffer.from([0x30, 0x7f]))] })
  expect(distributionPoints(new X509Certificate(odd.chain))).toEqual([])
})

describe('documents', () => {
  const remedy = (text: string): string => `Replace "${text}" by a URL such as http://crl.example.com/ca.crl.`
  const textsOf = (built: LoadResult): readonly string[] =>
    [...(built.ok ? [] : built.problems), ...built.warnings].map(
      ({ entry, field, reason, remedy: what }) => `${entry} ${field}: ${reason}. ${what}`,
    )

  test.each([
    ['a list of the site', active, { client_certificate_crl: [url] }, {}],
    ['a list of the CA', active, {}, { crl: [url] }],
    ['a list that nobody asks for', mtls, { client_certificate_crl: [url] }, { crl: [url] }],
    ['no list and nobody who asks', mtls, {}, {}],
  ])('%s is fine', (_what, group, more, ca) => {
    expect(textsOf(load({ ...group, ...more }, ca))).toEqual([])
  })

  test.each([
    [
      'lists are asked for, and there is none',
      load(active),
      'www client_certificate_crl: client_certificate_crl_active is true, and there is no URL of a list. Add the URL of the CA\'s revocation list here or as "crl" of certificate "clients", or set client_certificate_crl_active to false.',
    ],
    [
      'lists are asked for, and certificates are not',
      load({ ...active, client_certificate_mode: 'off', client_certificate_crl: [url] }),
      'www client_certificate_crl_active: has no effect while client_certificate_mode is off. Set the mode to on or optional, or this to false.',
    ],
    [
      'no URL',
      load({ ...active, client_certificate_crl: [url, 'crl.example/root'] }),
      `www client_certificate_crl[1]: is no URL. ${remedy('crl.example/root')}`,
    ],
    [
      'a URL that nobody here can fetch',
      load({ ...active, client_certificate_crl: ['ldap://crl.example/root'] }),
      `www client_certificate_crl[0]: is neither http nor https. ${remedy('ldap://crl.example/root')}`,
    ],
    [
      'a URL with a password',
      load({ ...active, client_certificate_crl: ['https://me:pw@crl.example/'] }),
      `www client_certificate_crl[0]: contains a user name. ${remedy('https://me:pw@crl.example/')}`,
    ],
    [
      'no URL of a CA',
      load(mtls, { crl: ['file:///crl'] }),
      `clients crl[0]: is neither http nor https. ${remedy('file:///crl')}`,
    ],
  ])('%s', (_what, built, expected) => {
    expect(textsOf(built)).toEqual([expected])
  })

  test('the lists of the site and of the CA are taken together, each once', () => {
    const { serverGroups } = policyOf({ ...active, client_certificate_crl: [url] }, { crl: [url, `${url}2`] })
    expect(serverGroups[0]?.clientCertificate).toMatchObject({ crl: [url, `${url}2`] })
  })
})

const idOf = ({ chain: pem }: Pair): string => readBundle(pem)[0]?.id ?? ''
const listOf = (ca: Pair, ...serials: readonly string[]) => ({ ca: idOf(ca), complete: true, serials })

describe('the filter', () => {
  const alice = makePair({ commonName: 'Alice', issuer: root, serial: '0a11ce', keyOf: root })
  const carol = makePair({ commonName: 'Carol', issuer: branch, serial: '0ca401', keyOf: root })
  const other = makePair({ commonName: 'Alice', issuer: namesake, serial: '0a11ce', keyOf: root })

  /** The status that a certificate of the site is answered with; 0: it passes. */
  function statusOf(
    pair: Pair | undefined,
    revocations: Revocations,
    group: Fields = {},
    says = 'on',
  ): number {
    const policy = policyOf({ ...active, client_certificate_crl: [url], ...group })
    const [site] = policy.serverGroups
    const check = compileCertificateCheck(policy.serverGroups, () => revocations)
    if (site === undefined) throw new Error('no site')
    const certificate = pair && encodeURIComponent(pair.chain)
    const connection = { ...noConnection, certificate, clientCertificates: says }
    return check(connection, site)?.status ?? 0
  }
  const noConnection = {
    port: 443,
    protocol: 'HTTP/1.1',
    sni: 'www.example',
    listener: 'https',
    ja3: undefined,
    ja4: undefined,
    taken: [],
  }
  const both = revocationsOf([listOf(root), listOf(branch)])

  test.each([
    ['a certificate that no list has', alice, both, 0],
    ['one of another CA of the bundle', carol, both, 0],
    ['one that the list of its CA has', alice, revocationsOf([listOf(root, 'A11CE')]), 496],
    [
      'one whose number the list of another CA has',
      carol,
      revocationsOf([listOf(branch), listOf(root, 'CA401')]),
      0,
    ],
    ['one of a CA without list', carol, revocationsOf([listOf(root)]), 495],
    ['any, while there is no list at all', alice, revocationsOf([]), 495],
    [
      'one that a list of some reasons has',
      alice,
      revocationsOf([{ ...listOf(root, 'A11CE'), complete: false }]),
      496,
    ],
    [
      'one that a list of some reasons has not',
      alice,
      revocationsOf([{ ...listOf(root), complete: false }]),
      495,
    ],
    ['one whose CA was revoked', carol, revocationsOf([listOf(root, branch.serial), listOf(branch)]), 495],
    ['one whose CA revoked itself', alice, revocationsOf([listOf(root, root.serial), listOf(branch)]), 495],
    [
      'one whose CA was signed by one that revoked itself',
      carol,
      revocationsOf([listOf(root, root.serial), listOf(branch)]),
      495,
    ],
    ['one of a CA that only has the same name', other, both, 495],
    ['none', undefined, both, 496],
  ])('%s', (_what, pair, revocations, status) => {
    expect(statusOf(pair, revocations)).toBe(status)
  })

  test.each([
    ['mode optional, none', { client_certificate_mode: 'optional' }, undefined, 'optional', 0],
    ['mode optional, revoked', { client_certificate_mode: 'optional' }, alice, 'optional', 496],
    ['lists not looked at, revoked', { client_certificate_crl_active: false }, alice, 'on', 0],
    ['not validated by Envoy', {}, alice, 'failed', 495],
  ] as const)('%s', (_what, group, pair, says, status) => {
    expect(statusOf(pair, revocationsOf([listOf(root, 'A11CE')]), group, says)).toBe(status)
  })

  test('what cannot be read is nobody', () => {
    const policy = policyOf({ ...active, client_certificate_crl: [url] })
    const [site] = policy.serverGroups
    const check = compileCertificateCheck(policy.serverGroups, () => both)
    for (const certificate of [
      '',
      '%',
      'x',
      encodeURIComponent('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'),
    ])
      expect(site && check({ ...noConnection, certificate, clientCertificates: 'on' }, site)?.status).toBe(
        495,
      )
  })

  test('another list acts on the next request, and the same certificate is read once', () => {
    const policy = policyOf({ ...active, client_certificate_crl: [url] })
    const [site] = policy.serverGroups
    let revocations = both
    const check = compileCertificateCheck(policy.serverGroups, () => revocations)
    const connection = {
      ...noConnection,
      certificate: encodeURIComponent(alice.chain),
      clientCertificates: 'on',
    }
    const ask = (): number => (site && check(connection, site)?.status) ?? 0
    expect(ask()).toBe(0)
    revocations = revocationsOf([listOf(root, 'A11CE')])
    expect(ask()).toBe(496)
    revocations = both
    const begun = process.cpuUsage()
    for (let i = 0; i < 50_000; i++) ask()
    expect(ask()).toBe(0)
    // Reading it each time would take some seconds.
    expect(process.cpuUsage(begun).user).toBeLessThan(3e6)
  })
})

describe('Envoy', () => {
  const names = (policy: Policy, revocations?: Revocations): Readonly<Record<string, number>> => {
    const snapshot = buildSnapshot(policy, {
      ...defaultXdsSettings,
      listeners: policy.loadBalancers ?? [],
      ...(revocations === undefined ? {} : { revocations }),
    })
    const secrets = [...snapshot.resources].flatMap(([type, list]) => (type.endsWith('.Secret') ? list : []))
    return Object.fromEntries(
      secrets
        .filter(({ name }) => name.startsWith('clientca|'))
        .map(({ name, json }) => [name, JSON.stringify(json).split('BEGIN CERTIFICATE').length - 1]),
    )
  }
  const checked = { ...active, client_certificate_crl: [url] }
  const unchecked = { id: 'open', server_names: ['open.example'], ssl_certificate: 'www', ...mtls }

  test('gets the bundle of a site that looks at no lists as it is', () => {
    expect(names(policyOf(mtls), revocationsOf([listOf(root, branch.serial)]))).toEqual({
      'clientca|clients': 2,
    })
  })

  test.each([
    ['that is not known', undefined, 2],
    ['that revokes no CA', revocationsOf([listOf(root, '01'), listOf(branch)]), 2],
    ['that revokes one', revocationsOf([listOf(root, branch.serial)]), 1],
    ['that revokes all, for one there must be', revocationsOf([listOf(root, root.serial)]), 2],
  ])('gets the bundle of a site after a list %s', (_what, revocations, size) => {
    expect(names(policyOf(checked), revocations)).toEqual({ 'clientca|clients|listed': size })
  })

  test('keeps sites apart of which only one looks at lists', () => {
    const policy = policyOf(checked, {}, [unchecked])
    expect(names(policy, revocationsOf([listOf(root, branch.serial)]))).toEqual({
      'clientca|clients': 2,
      'clientca|clients|listed': 1,
    })
  })
})
