// Revocation lists as they come (spec control-plane 1.1): which are read and believed, and in which words the others are
// refused. CAs with keys of every kind; beside our own lists, some that OpenSSL made.
import { describe, expect, test } from '@jest/globals'
import { type BundledCa, readBundle } from '#config'
import { type Accepted, type KeptList, acceptLists } from '../src/control/crl/accept.ts'
import {
  type KeyKind,
  type ListOptions,
  commonName,
  entryOf,
  listPem,
  makeCa,
  makeList,
} from './support/crl.ts'
import { der, extension, integer, oid, rawInteger, sequence, yes } from './support/der.ts'
import { ecdsaList, rsaList } from './support/foreign-lists.ts'

const ca = makeCa({ name: 'Clients CA' })
const other = makeCa({ name: 'Other CA' })
const url = 'http://crl.example/ca.crl'
const hour = 3_600_000

type Offered = {
  readonly cas?: readonly BundledCa[]
  readonly kept?: readonly KeptList[]
  readonly now?: number
}

const accept = (bytes: Buffer, { cas = readBundle(ca.chain), kept = [], now = Date.now() }: Offered = {}) =>
  acceptLists({ url, bytes, cas, kept, now })

const listOf = (more: Partial<ListOptions> = {}): Buffer =>
  makeList({ issuer: ca, revoked: ['0a1b2c'], ...more })

function only(accepted: Accepted): KeptList {
  if (!accepted.ok) throw new Error(accepted.reason)
  const [list] = accepted.lists
  if (list === undefined) throw new Error('no list')
  return list
}
const reasonOf = (accepted: Accepted): string => (accepted.ok ? 'accepted' : accepted.reason)

describe('a good list', () => {
  test.each(['rsa', 'p256', 'p384', 'ed25519'] satisfies KeyKind[])(
    'signed with a key of kind %s',
    (kind) => {
      const own = makeCa({ name: `CA ${kind}`, kind })
      const cas = readBundle(own.chain)
      const accepted = accept(makeList({ issuer: own, revoked: ['0a1b2c', 'ff'] }), { cas })
      expect(only(accepted)).toMatchObject({ ca: cas[0]?.id, serials: ['A1B2C', 'FF'], complete: true, url })
    },
  )

  test.each([
    ['SHA-384', { hash: 'sha384' }],
    ['SHA-512', { hash: 'sha512' }],
    ['RSASSA-PSS', { pss: true }],
  ] as const)('signed with RSA and %s', (_what, more) => {
    const own = makeCa({ name: 'CA', kind: 'rsa' })
    const accepted = accept(makeList({ issuer: own, revoked: ['1'], ...more }), {
      cas: readBundle(own.chain),
    })
    expect(only(accepted).serials).toEqual(['1'])
  })

  test.each([
    ['RSA', rsaList],
    ['ECDSA', ecdsaList],
  ])('that OpenSSL made, signed with %s', (_what, foreign) => {
    const now = Date.parse('2027-01-01T00:00:00Z')
    const accepted = accept(Buffer.from(foreign.list), { cas: readBundle(foreign.ca), now })
    expect(only(accepted)).toMatchObject({
      serials: ['7', 'A1B2C', 'F0E1D2C3B4A5968778695A4B3C2D1E0F11'],
      complete: true,
      thisUpdate: Date.parse('2026-11-21T11:04:42Z'),
      nextUpdate: Date.parse('2126-10-28T11:04:42Z'),
    })
  })

  test.each([
    ['in DER', listOf()],
    ['in PEM', Buffer.from(listPem(listOf()))],
    [
      'in PEM with text and CRLF around it',
      Buffer.from(`Clients CA\r\n${listPem(listOf())}\r\n`.replaceAll('\n', '\r\n')),
    ],
    [
      'in PEM beside the list of somebody else',
      Buffer.from(listPem(makeList({ issuer: other })) + listPem(listOf())),
    ],
  ])('%s', (_how, bytes) => {
    expect(only(accept(bytes)).serials).toEqual(['A1B2C'])
  })

  test.each([
    ['without entries', { revoked: [] }, []],
    ['without extensions', { extensions: [] }, ['A1B2C']],
    ['without nextUpdate', { nextUpdate: null }, ['A1B2C']],
    ['with times after 2049', { nextUpdate: new Date('2051-01-01T00:00:00Z') }, ['A1B2C']],
    ['past its nextUpdate', { thisUpdate: new Date('2020-01-01T00:00:00Z') }, ['A1B2C']],
    [
      'with entries that say why',
      { entries: [entryOf(integer('0b'), sequence(extension('551d15', der(0x0a, Buffer.from([6])))))] },
      ['B'],
    ],
    ['with serial numbers of 20 bytes', { revoked: ['7f'.repeat(20)] }, ['7F'.repeat(20)]],
    ['with a serial number of zero', { entries: [entryOf(rawInteger('00'))] }, ['0']],
    ['with a negative serial number', { entries: [entryOf(rawInteger('ff38'))] }, ['-C8']],
    ['with its name in another kind of string', { name: commonName('clients  ca', 0x13) }, ['A1B2C']],
  ] as const)('%s', (_what, more, serials) => {
    expect(only(accept(listOf(more as Partial<ListOptions>))).serials).toEqual(serials)
  })

  test('of several CAs in one file, each for itself', () => {
    const bytes = Buffer.from(listPem(listOf()) + listPem(makeList({ issuer: other, revoked: ['0f'] })))
    const accepted = accept(bytes, { cas: readBundle(ca.chain + other.chain) })
    expect(accepted.ok && accepted.lists.map(({ serials }) => serials)).toEqual([['A1B2C'], ['F']])
  })

  test('with as many entries as a large CA has, in little time', () => {
    const entries = Array.from({ length: 200_000 }, (_, i) =>
      entryOf(integer((0x10_0000_0000 + i).toString(16))),
    )
    const bytes = listOf({ entries })
    const begun = process.cpuUsage()
    expect(only(accept(bytes)).serials).toHaveLength(200_000)
    expect(process.cpuUsage(begun).user).toBeLessThan(20e6)
  })
})

describe('a part of what a site must know', () => {
  const point = (...says: readonly Buffer[]): Partial<ListOptions> => ({
    extensions: [extension('551d1c', sequence(says), true)],
  })
  const flag = (tag: number): Buffer => der(tag, Buffer.from([0xff]))

  test.each([
    ['certificates of users', point(flag(0x81)), true],
    ['certificates of CAs', point(flag(0x82)), false],
    ['some reasons', point(der(0x83, Buffer.from([0x01, 0x40]))), false],
    ['what an address says', point(der(0xa0, der(0xa0, der(0x86, Buffer.from(url))))), true],
  ])('%s: its entries count, and its silence does not where it is partial', (_what, more, complete) => {
    expect(only(accept(listOf(more)))).toMatchObject({ complete, serials: ['A1B2C'] })
  })

  test.each([
    ['of several CAs', point(flag(0x84)), 'it speaks for several CAs (indirect), which is not supported'],
    ['of attribute certificates', point(flag(0x85)), 'it speaks of attribute certificates only'],
    [
      'of changes',
      { extensions: [extension('551d1b', integer('01'), true)] },
      'it holds changes only (delta); name the URL of the whole list',
    ],
    [
      'of something critical that nobody knows',
      { extensions: [extension('2a0304', yes, true)] },
      'it has a critical extension that is unknown',
    ],
  ])('%s: refused', (_what, more, reason) => {
    expect(reasonOf(accept(listOf(more)))).toBe(reason)
  })
})

describe('a list is refused', () => {
  const namesake = makeCa({ name: 'Clients CA' })
  const rsa = makeCa({ name: 'RSA CA', kind: 'rsa' })
  const flipped = listOf()
  flipped[flipped.length - 3] = (flipped.at(-3) ?? 0) ^ 1
  const added = listOf()
  added[added.indexOf('0a1b2c', 0, 'hex') + 2] = 0x2d
  const noSignature = 'its signature is not that of the CA that it names'
  const weak = 'its signature algorithm is unknown or too weak (RSA, ECDSA, EdDSA from SHA-224 on)'

  test.each([
    [
      'of a CA that nobody is checked against',
      makeList({ issuer: other }),
      'it is signed by none of the CAs that clients are checked against',
    ],
    ['of a CA that only has the same name', makeList({ issuer: namesake }), noSignature],
    ['signed by another CA', listOf({ signedBy: other }), noSignature],
    ['signed with a key of another kind', listOf({ signedBy: rsa }), noSignature],
    ['with another signature', flipped, noSignature],
    ['with another entry', added, noSignature],
    [
      'that names two algorithms',
      listOf({ outer: sequence(oid('2a8648ce3d040303')) }),
      'its encoding names two algorithms',
    ],
    ['signed with ECDSA and SHA-1', listOf({ hash: 'sha1' }), weak],
    ['of the future', listOf({ thisUpdate: new Date(Date.now() + 2 * hour) }), /^it is of the future/],
    ['that is a page', Buffer.from('<html>Sign in</html>'), 'it is no revocation list in DER or PEM'],
    ['that is empty', Buffer.alloc(0), 'it is no revocation list in DER or PEM'],
    ['that is a certificate', Buffer.from(ca.chain), 'it is no revocation list in DER or PEM'],
    ['that is cut off', listOf().subarray(0, 60), /^its encoding has an element that is longer/],
    [
      'with an entry that is none',
      listOf({ entries: [integer('01')] }),
      'its encoding has an entry that is none',
    ],
    [
      'with an odd time',
      listOf({
        entries: [entryOf(integer('01'))],
        extensions: [],
        nextUpdate: new Date('2051-01-01'),
        name: Buffer.from('3000', 'hex'),
      }),
      /signed by none/,
    ],
    ['with a name that is none', listOf({ name: Buffer.from('30020500', 'hex') }), /signed by none/],
  ])('%s', (_what, bytes, reason) => {
    expect(reasonOf(accept(bytes))).toMatch(reason)
  })

  test('with SHA-1 and RSA', () => {
    expect(reasonOf(accept(makeList({ issuer: rsa, hash: 'sha1' }), { cas: readBundle(rsa.chain) }))).toBe(
      weak,
    )
  })

  test('that is older than the one in force; the same again is none the worse', () => {
    const now = Date.now()
    const kept = [only(accept(listOf({ thisUpdate: new Date(now - hour) })))]
    expect(reasonOf(accept(listOf({ thisUpdate: new Date(now - 2 * hour) }), { kept }))).toMatch(
      /older than the one in force/,
    )
    expect(reasonOf(accept(listOf({ thisUpdate: new Date(now - hour) }), { kept }))).toBe('accepted')
  })

  test('whatever bytes are wrong, and nothing is thrown', () => {
    const good = listOf()
    let accepted = 0
    for (let at = 0; at < good.length; at++)
      for (const value of [0x00, 0x7f, 0x80, 0x84, 0xff]) {
        const bytes = Buffer.from(good)
        if (bytes[at] === value) continue
        bytes[at] = value
        if (accept(bytes).ok) accepted++
      }
    expect(accepted).toBe(0)
  })
})
