// Client certificates (spec control-plane 1.1): whether a request may come without a valid one, and what the origin is told
// of it. Envoy completes every handshake and says on the route what it found, so that a refusal has a status and a reason.
import { X509Certificate } from 'node:crypto'
import type { Revocations, ServerGroup } from '#config'
import type { Connection } from '#request'
import type { Refusal } from './refusal.ts'
import { type RevocationCheck, compileRevocationCheck } from './revocation.ts'

const refused = (status: number, tag: string, text: string): Refusal => ({
  stage: 1,
  status,
  tag: `general:client-certificate-${tag}`,
  reason: `General: ${text}`,
})

const unverified = refused(495, 'failed', 'Client certificate could not be verified.')
const missing = refused(496, 'required', 'Client certificate required.')
const revoked = refused(496, 'revoked', 'Client certificate revoked.')

/**
 * Undefined: the request may pass. A door that knows of no connection (`weir inspect`) is not asked for certificates.
 */
export type CertificateCheck = (connection: Connection | undefined, group: ServerGroup) => Refusal | undefined

/** @param revocations what is in force at this moment; asked with every request of a site that looks at lists */
export function compileCertificateCheck(
  groups: readonly ServerGroup[],
  revocations: () => Revocations,
): CertificateCheck {
  const checks = new Map<ServerGroup, RevocationCheck>()
  for (const group of groups) {
    const { clientCertificate: asked } = group
    if (asked.mode !== 'off' && asked.crl !== undefined) checks.set(group, compileRevocationCheck(asked.ca))
  }
  return (connection, group) => {
    const { mode } = group.clientCertificate
    if (mode === 'off' || connection === undefined) return undefined
    if (connection.clientCertificates === 'failed') return unverified
    if (connection.certificate === undefined || connection.clientCertificates === 'none')
      return mode === 'on' ? missing : undefined
    switch (checks.get(group)?.(connection.certificate, revocations())) {
      case 'revoked':
        return revoked
      case 'unknown':
        return unverified
      default:
        return undefined
    }
  }
}

type HeaderLine = readonly [name: string, value: string]

const names = [
  'ssl_client_cert',
  'ssl_client_s_dn',
  'ssl_client_i_dn',
  'ssl_client_serial',
  'ssl_client_fingerprint',
] as const

const absent: readonly HeaderLine[] = [
  ['ssl_client_verify', 'NONE'],
  ...names.map((name): HeaderLine => [name, '-']),
]

/** OpenSSL lists the least specific part first, a line each. Line breaks inside a part cannot end a header. */
const distinguished = (name: string): string =>
  name
    .split('\n')
    .toReversed()
    .join(', ')
    .replace(/[^\x20-\x7e\u0080-\uffff]/g, ' ')

function describe(encoded: string): readonly HeaderLine[] {
  try {
    const certificate = new X509Certificate(decodeURIComponent(encoded))
    const values = [
      encoded,
      distinguished(certificate.subject),
      distinguished(certificate.issuer),
      certificate.serialNumber,
      certificate.fingerprint,
    ]
    return [['ssl_client_verify', 'SUCCESS'], ...names.map((name, i): HeaderLine => [name, values[i] ?? '-'])]
  } catch {
    // Envoy validated it; that OpenSSL reads it differently must not look like a verified client.
    return [['ssl_client_verify', 'FAILED'], ...absent.slice(1)]
  }
}

/** A connection repeats its certificate with every request, and reading one takes longer than all the rest. */
const described = new Map<string, readonly HeaderLine[]>()
const mostDescribed = 1024

/** What is set on the way upstream; nothing where certificates are not asked for. */
export function certificateHeaders(
  connection: Connection | undefined,
  { clientCertificate: { mode } }: ServerGroup,
): readonly HeaderLine[] {
  if (mode === 'off') return []
  const encoded = connection?.certificate
  if (encoded === undefined) return absent
  const known = described.get(encoded)
  if (known !== undefined) return known
  if (described.size >= mostDescribed) described.clear()
  const made = describe(encoded)
  described.set(encoded, made)
  return made
}
