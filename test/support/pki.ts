// Certificate authorities and certificates for tests, made on the spot, so that a test can have an expired or a foreign one.
import { generateKeyPairSync, sign } from 'node:crypto'
import forge from 'node-forge'

export type Pair = { readonly chain: string; readonly key: string }

export type CertificateOptions = {
  readonly commonName: string
  /** Alternative names; an address is told from a host name. */
  readonly names?: readonly string[]
  /** Signs it; left out: it signs itself. */
  readonly issuer?: Pair
  readonly isCa?: boolean
  /** Days from now until it ends; negative: it has ended. */
  readonly days?: number
  readonly serial?: string
  /** The key of another pair, for many certificates in little time. */
  readonly keyOf?: Pair
}

const newKey = (): string =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey

const day = 86_400_000
let serials = 0

const alternative = (name: string): object =>
  /^[\d.]+$/.test(name) || name.includes(':') ? { type: 7, ip: name } : { type: 2, value: name }

/** forge's own arithmetic takes seconds under a test runner. */
function opensslSigner(certificate: forge.pki.Certificate, key: string): forge.pki.rsa.PrivateKey {
  const toBeSigned = (): Buffer => {
    const [body] = forge.pki.certificateToAsn1(certificate).value
    if (body === undefined || typeof body === 'string') throw new Error('no certificate')
    return Buffer.from(forge.asn1.toDer(body).getBytes(), 'latin1')
  }
  return {
    ...forge.pki.privateKeyFromPem(key),
    sign: () => sign('sha256', toBeSigned(), key).toString('latin1'),
  }
}

export function makePair(options: CertificateOptions): Pair {
  const { commonName, names = [], issuer, isCa = false, days = 30 } = options
  const key = options.keyOf?.key ?? newKey()
  const rsa = forge.pki.privateKeyFromPem(key)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(rsa.n, rsa.e)
  certificate.serialNumber = options.serial ?? (0x1000 + ++serials).toString(16)
  certificate.validity.notBefore = new Date(Date.now() - 60 * day)
  certificate.validity.notAfter = new Date(Date.now() + days * day)
  const subject = [
    { shortName: 'O', value: 'Weir tests' },
    { shortName: 'CN', value: commonName },
  ]
  certificate.setSubject(subject)
  const signer = issuer === undefined ? undefined : forge.pki.certificateFromPem(issuer.chain)
  certificate.setIssuer(signer?.subject.attributes ?? subject)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: isCa, critical: true },
    ...(names.length > 0 ? [{ name: 'subjectAltName', altNames: names.map(alternative) }] : []),
  ])
  certificate.sign(opensslSigner(certificate, issuer?.key ?? key), forge.md.sha256.create())
  return { chain: forge.pki.certificateToPem(certificate).replaceAll('\r', ''), key }
}
