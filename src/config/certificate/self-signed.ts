// The placeholder: a certificate that signs itself, for TLS listeners whose sites have none yet (spec control-plane 1.0).
// Browsers warn about it, which is the point: somebody has to put a real one in its place.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import forge from 'node-forge'

const years = 10

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
  // A leading zero keeps the number positive.
  certificate.serialNumber = `00${randomBytes(16).toString('hex')}`
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
