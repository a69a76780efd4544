// Certificates and keys, of sites, of client CAs, and towards origins (spec control-plane 1.6).
import { type Static, Type } from 'typebox'
import type { X509Certificate } from 'node:crypto'
import { type Chain, readChain } from '../certificate/chain.ts'
import { openPfx } from '../certificate/pfx.ts'
import { finding, required } from '../findings.ts'
import type { Certificate } from '../policy.ts'
import type { Report } from '../problem.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf } from './common.ts'
import { checkListUrls } from './list-urls.ts'

/** Certificates are the operator's own in this version. */
const waitsFor = "certificates of Let's Encrypt"

const text = (description: string) => Type.Optional(Type.String({ description }))

const sides = ['server', 'clientCA', 'serverToBackendMTLS', 'backendCA'] as const

const schema = entrySchema(
  {
    id: Type.String({
      pattern: '^[a-z](?:[-a-z0-9]{0,61}[a-z0-9])?$',
      description:
        'Unique in its document, lower-case like a label of a host name; how others refer to the entry.',
      expected: 'an id of 1 to 63 lower-case letters, digits or "-", beginning with a letter',
    }),
    side: Type.Optional(
      Type.Enum([...sides], {
        description:
          'server: shown to clients; clientCA: clients are checked against it; serverToBackendMTLS: shown to origins; backendCA: origins are checked against it. Default: server.',
      }),
    ),
    cert_body: text('PEM chain, leaf first. Text around it is ignored.'),
    private_key: text(
      'PEM, or `file:/path`, `env:NAME`, `enc:v1:…`. RSA from 2048 bits or ECDSA. Not needed for CAs.',
    ),
    private_key_password: text('Opens a key that is protected by a passphrase.'),
    pfx: text('PKCS#12 in base64, instead of cert_body and private_key.'),
    pfx_password: text('Opens the PFX file.'),
    crl: Type.Optional(
      Type.Array(Type.String(), { description: 'URLs of revocation lists of a CA (http or https).' }),
    ),
    le_auto_renew: Type.Optional(
      Type.Boolean({
        description: "Renewed at Let's Encrypt when it was issued there. Default: true.",
        waitsFor,
      }),
    ),
    le_auto_replace: Type.Optional(
      Type.Boolean({
        description: "Replaced by one of Let's Encrypt before it expires. Default: true.",
        waitsFor,
      }),
    ),
    le_hash: Type.Optional(
      Type.String({ description: "Set by Weir on certificates that Let's Encrypt issued.", waitsFor }),
    ),
  },
  {
    // Derived from the certificate; what is sent for them has no meaning.
    ignored: ['subject', 'issuer', 'san', 'expires', 'uploaded', 'revoked', 'cdp', 'links', 'provider_links'],
  },
)
type Entry = Static<typeof schema>

/** A certificate whose key has not been fetched yet. */
export type CertificateEntry = Omit<Certificate, 'key'> & {
  readonly leaf: X509Certificate
  /** As the document says it; undefined for CAs. */
  readonly keySource: string | undefined
  readonly keyPassword: string | undefined
}

type Material = { readonly chain: Chain; readonly key: string | undefined }

function readMaterial(entry: Entry, report: Report): Material | undefined {
  const pfx = entry.pfx ?? ''
  if (pfx !== '') {
    if ((entry.cert_body ?? '') !== '' || (entry.private_key ?? '') !== '') {
      report.problem('pfx', finding('given beside cert_body or private_key', 'Give one of the two forms.'))
      return undefined
    }
    const opened = openPfx(pfx, entry.pfx_password ?? '')
    if ('reason' in opened) {
      report.problem(opened.reason.startsWith('pfx_password') ? 'pfx_password' : 'pfx', opened)
      return undefined
    }
    const chain = readChain(opened.chain)
    if (!('reason' in chain)) return { chain, key: opened.key }
    report.problem('pfx', chain)
    return undefined
  }
  if ((entry.cert_body ?? '').trim() === '') {
    report.problem('cert_body', required('cert_body', 'the chain in PEM, or pfx'))
    return undefined
  }
  const chain = readChain(entry.cert_body ?? '')
  if (!('reason' in chain)) return { chain, key: entry.private_key || undefined }
  report.problem('cert_body', chain)
  return undefined
}

const isCa = (side: Certificate['side']): boolean => side === 'clientCA' || side === 'backendCA'

function parse(entry: Entry, report: Report): CertificateEntry | undefined {
  const side = entry.side ?? 'server'
  const material = readMaterial(entry, report)
  if (material === undefined) return undefined
  const { chain, key } = material
  checkListUrls('crl', entry.crl ?? [], report)
  if (key === undefined && !isCa(side)) {
    report.problem('private_key', required('private_key', 'the key of the certificate'))
    return undefined
  }
  if (chain.expires < Date.now()) {
    report.warning(
      'cert_body',
      finding(`expired on ${new Date(chain.expires).toISOString().slice(0, 10)}`, 'Replace the certificate.'),
    )
  }
  return {
    ...identityOf(entry),
    side,
    chain: chain.pem,
    leaf: chain.leaf,
    names: chain.names,
    expires: chain.expires,
    crl: entry.crl ?? [],
    keySource: isCa(side) ? undefined : key,
    keyPassword: entry.private_key_password || undefined,
  }
}

export const certificates = defineDocument({
  namespace: 'certificates',
  noun: 'certificate',
  title: 'Certificates',
  description: 'Certificates of sites, CAs of clients and origins, and what Weir shows to origins.',
  schema,
  examples: [
    {
      id: 'partners',
      name: 'Partners',
      side: 'clientCA',
      cert_body: [
        '-----BEGIN CERTIFICATE-----',
        'MIIBkzCCATmgAwIBAgIUC+SbhwGdo8IcwyfxEqOtqcjMUEQwCgYIKoZIzj0EAwIw',
        'HjEcMBoGA1UEAwwTRXhhbXBsZSBwYXJ0bmVycyBDQTAgFw0yNjExMjEwOTQ3MzVa',
        'GA8yMTI2MTAyODA5NDczNVowHjEcMBoGA1UEAwwTRXhhbXBsZSBwYXJ0bmVycyBD',
        'QTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB2aML2RCNE2s2kWQYygBiJKb1G4',
        'Pds+HqXlwrn97oTTvLYBHSF1xiiuCm9omQ7IxiSWrMxruLcabX75EtyMlM2jUzBR',
        'MB0GA1UdDgQWBBT59w09o0N1ZaOfSkAgsiKPkjGzrDAfBgNVHSMEGDAWgBT59w09',
        'o0N1ZaOfSkAgsiKPkjGzrDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA',
        'MEUCIQD55tsTMWJgRTOjSkFTozWFkMYk+hZFVK0AnQMOi35B3wIgN1WaAHzpNj3G',
        'mzXl+sp2i0Rt93iUZrloOg8fCe8jk6Q=',
        '-----END CERTIFICATE-----',
      ].join('\n'),
      crl: ['http://crl.example.com/partners.crl'],
    },
  ],
  parse,
})
