// PKCS#12 files (RFC 7292), which Windows and appliances export. node:crypto can use but not open them; node-forge can.
import forge from 'node-forge'
import type { Finding } from '../problem.ts'
import { finding } from '../findings.ts'

export type Opened = { readonly chain: string; readonly key: string }

type Bag = forge.pkcs12.Bag

const pem = (label: string, asn1: forge.asn1.Asn1): string =>
  `-----BEGIN ${label}-----\n${forge.util.encode64(forge.asn1.toDer(asn1).getBytes(), 64).replaceAll('\r', '')}\n-----END ${label}-----\n`

const bagsOf = (file: forge.pkcs12.Pkcs12Pfx, type: string): readonly Bag[] =>
  file.getBags({ bagType: type })[type] ?? []

/** Bags that forge cannot interpret (elliptic curves) it hands over as they are. */
const certificateOf = ({ cert, asn1 }: Bag): string =>
  pem('CERTIFICATE', cert ? forge.pki.certificateToAsn1(cert) : asn1)

const keyOf = ({ key, asn1 }: Bag): string =>
  pem('PRIVATE KEY', key ? forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key)) : asn1)

const localKey = ({ attributes }: Bag): string =>
  JSON.stringify((attributes as { localKeyId?: unknown })?.localKeyId ?? '')

/** Opens a file; the certificate that belongs to the key comes first. */
export function openPfx(base64: string, password: string): Opened | Finding {
  try {
    const der = forge.util.decode64(base64.replace(/\s+/g, ''))
    const file = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der), password)
    const { certBag, pkcs8ShroudedKeyBag, keyBag } = forge.pki.oids
    const keys = [...bagsOf(file, pkcs8ShroudedKeyBag ?? ''), ...bagsOf(file, keyBag ?? '')]
    const [key] = keys
    const certificates = bagsOf(file, certBag ?? '')
    if (key === undefined || certificates.length === 0) {
      return finding(
        'the PFX file has no certificate with a key',
        'Export it again together with its private key.',
      )
    }
    const ordered = certificates.toSorted(
      (a, b) => Number(localKey(b) === localKey(key)) - Number(localKey(a) === localKey(key)),
    )
    return { chain: ordered.map(certificateOf).join(''), key: keyOf(key) }
  } catch (error) {
    const wrongPassword = /MAC could not be verified|Invalid password/i.test(String(error))
    return wrongPassword
      ? finding('pfx_password does not open the PFX file', 'Check the password with which it was exported.')
      : finding('the PFX file cannot be read', 'Give the whole file in base64.')
  }
}
