// The CAs that clients of a site are checked against, one by one: who signed whom, and which of them are still to be
// trusted when revocation lists are looked at (spec control-plane 1.1). Envoy gets the bundle without those that were
// revoked; the filter looks for the issuer of a client's certificate among the others.
import { X509Certificate, createHash } from 'node:crypto'
import { normaliseSerial } from '#platform'
import type { Revocations } from '../revocations.ts'

export type BundledCa = {
  readonly pem: string
  readonly certificate: X509Certificate
  /** SHA-256 of the public key: what signs certificates and lists, whatever it is called. */
  readonly id: string
  readonly serial: string
  /** Those of the bundle that signed it. */
  readonly issuers: readonly string[]
}

/** Whether `issuer` signed `certificate` and is named by it. */
export const isIssuer = (certificate: X509Certificate, issuer: X509Certificate): boolean =>
  certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)

const idOf = ({ publicKey }: X509Certificate): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')

/** @param chain PEM as `Certificate.chain` has it */
export function readBundle(chain: string): readonly BundledCa[] {
  const pems = chain.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []
  const read = pems.map((pem) => {
    const certificate = new X509Certificate(pem)
    return { pem, certificate, id: idOf(certificate), serial: normaliseSerial(certificate.serialNumber) }
  })
  return read.map((ca) => {
    const issuers = read.filter((other) => isIssuer(ca.certificate, other.certificate)).map(({ id }) => id)
    return { ...ca, issuers: [...new Set(issuers)] }
  })
}

/** Those of a bundle that no list revokes, neither themselves nor all who signed them. */
export function trustedCas(bundle: readonly BundledCa[], { cas }: Revocations): readonly BundledCa[] {
  const isListed = ({ issuers, serial }: BundledCa): boolean =>
    issuers.some((issuer) => cas.get(issuer)?.serials.has(serial) === true)
  const trusted = new Set(bundle.filter((ca) => !isListed(ca)))
  for (let before = -1; before !== trusted.size;) {
    before = trusted.size
    const ids = new Set([...trusted].map(({ id }) => id))
    for (const ca of trusted)
      if (ca.issuers.length > 0 && !ca.issuers.some((issuer) => ids.has(issuer))) trusted.delete(ca)
  }
  return [...trusted]
}
