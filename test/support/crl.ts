// Certificate authorities with keys of every kind, and the revocation lists that they sign: good, forged and odd ones.
import {
  type KeyObject,
  X509Certificate,
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
} from 'node:crypto'
import { subjectOf } from '../../src/control/crl/verify-list.ts'
import {
  bits,
  der,
  extension,
  generalizedTime,
  integer,
  oid,
  pem,
  rawInteger,
  sequence,
  set,
  text,
  utcTime,
  yes,
} from './der.ts'
import type { Pair } from './pki.ts'

export type KeyKind = 'rsa' | 'rsa-pss' | 'p256' | 'p384' | 'ed25519'
export type Hash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

const makeKey: Readonly<Record<KeyKind, () => KeyObject>> = {
  rsa: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'rsa-pss': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  p256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  p384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
}

const none = Buffer.from([0x05, 0x00])
const hashOid: Readonly<Record<Hash, string>> = {
  sha1: '2b0e03021a',
  sha256: '608648016503040201',
  sha384: '608648016503040202',
  sha512: '608648016503040203',
}
const rsaOid: Readonly<Record<Hash, string>> = {
  sha1: '2a864886f70d010105',
  sha256: '2a864886f70d01010b',
  sha384: '2a864886f70d01010c',
  sha512: '2a864886f70d01010d',
}
const ecOid: Readonly<Record<Hash, string>> = {
  sha1: '2a8648ce3d0401',
  sha256: '2a8648ce3d040302',
  sha384: '2a8648ce3d040303',
  sha512: '2a8648ce3d040304',
}

type Signer = { readonly algorithm: Buffer; readonly sign: (bytes: Buffer) => Buffer }

function signerWith(key: KeyObject, hash: Hash, pss: boolean): Signer {
  if (key.asymmetricKeyType === 'ed25519')
    return { algorithm: sequence(oid('2b6570')), sign: (bytes) => sign(null, bytes, key) }
  if (key.asymmetricKeyType === 'ec')
    return { algorithm: sequence(oid(ecOid[hash])), sign: (bytes) => sign(hash, bytes, key) }
  if (!pss) return { algorithm: sequence(oid(rsaOid[hash]), none), sign: (bytes) => sign(hash, bytes, key) }
  const hashed = sequence(oid(hashOid[hash]), none)
  const parameters = sequence(
    der(0xa0, hashed),
    der(0xa1, sequence(oid('2a864886f70d010108'), hashed)),
    der(0xa2, integer('20')),
  )
  return {
    algorithm: sequence(oid('2a864886f70d01010a'), parameters),
    sign: (bytes) => sign(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
  }
}

export const commonName = (name: string, tag = 0x0c, encoding: BufferEncoding = 'utf8'): Buffer =>
  sequence(set(sequence(oid('550403'), text(tag, name, encoding))))

const day = 86_400_000
let serials = 0x2000

export type CaOptions = {
  readonly name: string
  readonly kind?: KeyKind
  /** Left out: it signs itself. */
  readonly issuer?: Pair
  readonly serial?: string
  /** Instead of a new one: the key of another CA. */
  readonly key?: string
  readonly extensions?: readonly Buffer[]
}

/** A CA whose certificate and lists are signed with SHA-256. */
export function makeCa({
  extensions = [],
  name,
  kind = 'p256',
  issuer,
  serial,
  key,
}: CaOptions): Pair & { readonly serial: string } {
  const own = key === undefined ? makeKey[kind]() : createPrivateKey(key)
  const subject = commonName(name)
  const signer = signerWith(issuer === undefined ? own : createPrivateKey(issuer.key), 'sha256', false)
  const number = serial ?? (++serials).toString(16)
  const spki = createPublicKey(own)
  const now = Date.now()
  const body = sequence(
    Buffer.from('a003020102', 'hex'),
    integer(number),
    signer.algorithm,
    issuer === undefined ? subject : subjectOf(new X509Certificate(issuer.chain).raw),
    sequence(utcTime(new Date(now - 60 * day)), utcTime(new Date(now + 30 * day))),
    subject,
    spki.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension('551d13', sequence(yes), true), extensions)),
  )
  const certificate = sequence(body, signer.algorithm, bits(signer.sign(body)))
  return {
    chain: pem('CERTIFICATE', certificate),
    key: own.export({ type: 'pkcs8', format: 'pem' }).toString(),
    serial: number.toUpperCase(),
  }
}

export type ListOptions = {
  /** Whose list it is; its name and its key. */
  readonly issuer: Pair
  /** Serial numbers in hexadecimal. */
  readonly revoked?: readonly string[]
  readonly thisUpdate?: Date
  /** Null: it does not say. */
  readonly nextUpdate?: Date | null
  readonly hash?: Hash
  readonly pss?: boolean
  /** Instead of the issuer's name. */
  readonly name?: Buffer
  /** Instead of the issuer's key. */
  readonly signedBy?: Pair
  readonly extensions?: readonly Buffer[]
  /** Written in place of `revoked`. */
  readonly entries?: readonly Buffer[]
  /** What the outer algorithm is instead of the inner one. */
  readonly outer?: Buffer
}

const timeOf = (date: Date): Buffer => (date.getUTCFullYear() < 2050 ? utcTime(date) : generalizedTime(date))

export const entryOf = (serial: Buffer, ...more: readonly Buffer[]): Buffer =>
  sequence(serial, utcTime(new Date(Date.now() - day)), ...more)

/** A revocation list in DER. */
export function makeList(options: ListOptions): Buffer {
  const { issuer, revoked = [], thisUpdate = new Date(), nextUpdate, hash = 'sha256', pss = false } = options
  const signer = signerWith(createPrivateKey((options.signedBy ?? issuer).key), hash, pss)
  const next = nextUpdate === undefined ? new Date(thisUpdate.getTime() + 7 * day) : nextUpdate
  const entries = options.entries ?? revoked.map((serial) => entryOf(integer(serial)))
  const { extensions = [extension('551d14', integer('01'))] } = options
  const body = sequence(
    rawInteger('01'),
    signer.algorithm,
    options.name ?? subjectOf(new X509Certificate(issuer.chain).raw),
    timeOf(thisUpdate),
    next === null ? [] : timeOf(next),
    entries.length === 0 ? [] : sequence(entries),
    extensions.length === 0 ? [] : der(0xa0, sequence(extensions)),
  )
  return sequence(body, options.outer ?? signer.algorithm, bits(signer.sign(body)))
}

export const listPem = (list: Buffer): string => pem('X509 CRL', list)
