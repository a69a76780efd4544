// A certificate chain as people paste it: PEM with whatever stands around it. Read by node:crypto, which is OpenSSL.
import { X509Certificate } from 'node:crypto'
import { type Finding } from '../problem.ts'
import { finding } from '../findings.ts'

export type Chain = {
  /** Normalised PEM, leaf first. */
  readonly pem: string
  readonly leaf: X509Certificate
  /** Host names and addresses of the leaf, lower-case: its alternative names, else its common name. */
  readonly names: readonly string[]
  /** End of the leaf's validity, milliseconds since 1970. */
  readonly expires: number
}

const block =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]+-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/** The names that a certificate is for (RFC 6125: the common name counts only without alternative names). */
export function namesOf(leaf: X509Certificate): readonly string[] {
  const alternative = (leaf.subjectAltName ?? '')
    .split(/, ?(?=DNS:|IP Address:|URI:|email:|othername:|DirName:)/)
    .flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1]?.replaceAll('"', '') ?? [])
  if (alternative.length > 0) return alternative.map((name) => name.toLowerCase())
  const common = /(?:^|\n)CN=(.+)/.exec(leaf.subject)?.[1]
  return common === undefined ? [] : [common.toLowerCase()]
}

/** Reads the certificates of a text; a finding when there is none or one cannot be read. */
export function readChain(text: string): Chain | Finding {
  const blocks = text.match(block) ?? []
  const certificates: X509Certificate[] = []
  for (const [index, pem] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(pem))
    } catch {
      return finding(
        `certificate ${String(index + 1)} of ${String(blocks.length)} cannot be read`,
        'Paste it again from its file, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----.',
      )
    }
  }
  const [leaf] = certificates
  if (leaf === undefined)
    return finding('no certificate in PEM found', 'Paste the PEM file: -----BEGIN CERTIFICATE----- …')
  return {
    pem: certificates.map((one) => one.toString()).join(''),
    leaf,
    names: namesOf(leaf),
    expires: Date.parse(leaf.validTo),
  }
}
