// The placeholder: a certificate that signs itself, for TLS listeners whose sites have none yet (spec control-plane 1.0).
// Browsers warn about it, which is the point: somebody has to put a real one in its place.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import forge from 'node-forge'

const years = 10

/**
 * A serial number of 16 bytes. It begins with 4 to 7: a higher digit would make it negative, and of zeros before it the library
 * takes away only one, so that one certificate in 512 was none to Envoy.
 */
export function newSerial(random: Buffer = randomBytes(16)): string {
  return Buffer.from(random.map((byte, at) => (at === 0 ? (byte & 0x3f) | 0x40 : byte))).toString('hex')
}

/** A new pair in PEM: RSA with 2048 bits, for no host at all. */
export function selfSigned(commonName: string): { readonly chain: string; readonly key: string } {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const key = forge.pki.privateKeyFromPem(privateKey)
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.setRsaPublicKey(key.n, key.e)
  certificate.serialNumber = newSerial()
  const now = new Date()
  certificate.validity.notBefore = now
  certificate.validity.notAfter = new Date(now)
  certificate.validity.notAfter.setFullYear(now.getFullYear() + years)
  const name = [{ shortName: 'CN', value: commonName }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
  ])
  certificate.sign(key, forge.md.sha256.create())
  return { chain: forge.pki.certificateToPem(certificate).replaceAll('\r', ''), key: privateKey }
}
