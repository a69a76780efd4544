// Signatures of revocation lists, checked by OpenSSL: here is only which of its algorithms an object identifier means. SHA-1
// and MD5 are missing on purpose: whoever can choose a serial number could have a list signed that says something else.
import { type KeyObject, constants, verify } from 'node:crypto'
import { type Element, cursorIn, derTag, hexOf } from '#platform'

type Scheme =
  | { readonly kind: 'rsa' | 'rsa-pss' | 'ecdsa'; readonly hash: string }
  | { readonly kind: 'eddsa'; readonly hash: undefined }

const hashes: Readonly<Record<string, string>> = {
  '608648016503040204': 'sha224',
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
}

/** By the content of the object identifier, in hexadecimal. */
const schemes: Readonly<Record<string, Scheme>> = {
  '2a864886f70d01010e': { kind: 'rsa', hash: 'sha224' },
  '2a864886f70d01010b': { kind: 'rsa', hash: 'sha256' },
  '2a864886f70d01010c': { kind: 'rsa', hash: 'sha384' },
  '2a864886f70d01010d': { kind: 'rsa', hash: 'sha512' },
  '2a8648ce3d040301': { kind: 'ecdsa', hash: 'sha224' },
  '2a8648ce3d040302': { kind: 'ecdsa', hash: 'sha256' },
  '2a8648ce3d040303': { kind: 'ecdsa', hash: 'sha384' },
  '2a8648ce3d040304': { kind: 'ecdsa', hash: 'sha512' },
  '2b6570': { kind: 'eddsa', hash: undefined },
  '2b6571': { kind: 'eddsa', hash: undefined },
}
const pss = '2a864886f70d01010a'

/** RSASSA-PSS states its hash as a parameter; left out it is SHA-1. */
function pssScheme(bytes: Buffer, parameters: Element | undefined): Scheme | undefined {
  const stated = parameters && cursorIn(bytes, parameters).maybe(0xa0)
  if (stated === undefined) return undefined
  const algorithm = cursorIn(bytes, stated).take(derTag.sequence)
  const hash = hashes[hexOf(bytes, cursorIn(bytes, algorithm).take(derTag.oid))]
  return hash === undefined ? undefined : { kind: 'rsa-pss', hash }
}

/** The scheme of an AlgorithmIdentifier; undefined: none that proves anything. Throws DerError. */
export function schemeOf(bytes: Buffer, algorithm: Element): Scheme | undefined {
  const inside = cursorIn(bytes, algorithm)
  const oid = hexOf(bytes, inside.take(derTag.oid))
  return oid === pss ? pssScheme(bytes, inside.maybe(derTag.sequence)) : schemes[oid]
}

const keyTypes: Readonly<Record<Scheme['kind'], readonly string[]>> = {
  rsa: ['rsa'],
  'rsa-pss': ['rsa', 'rsa-pss'],
  ecdsa: ['ec'],
  eddsa: ['ed25519', 'ed448'],
}

/** Whether the owner of `key` signed `signed`. False also for a key of another kind. */
export function isSigned(scheme: Scheme, signed: Buffer, signature: Buffer, key: KeyObject): boolean {
  if (!keyTypes[scheme.kind].includes(key.asymmetricKeyType ?? '')) return false
  try {
    return scheme.kind === 'rsa-pss'
      ? verify(scheme.hash, signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING }, signature)
      : verify(scheme.hash, signed, key, signature)
  } catch {
    // OpenSSL throws for keys that its policy refuses; such a signature proves nothing either.
    return false
  }
}
