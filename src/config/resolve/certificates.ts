// Certificates: their keys are fetched, and everything that refers to one gets it, of the right side.
import { readPrivateKey } from '../certificate/private-key.ts'
import type { BackendServiceEntry } from '../documents/backend-services.ts'
import type { CertificateEntry } from '../documents/certificates.ts'
import type { LoadBalancerEntry } from '../documents/load-balancers.ts'
import type { ServerGroupEntry } from '../documents/server-groups.ts'
import { finding } from '../findings.ts'
import type { BackendService, Certificate, LoadBalancer, ServerGroup } from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Document } from '../read/read-entries.ts'
import { fieldPath } from '../schema/json.ts'
import { type Target, follow } from './references.ts'

/** Stands in where a site has no certificate yet (spec control-plane 1.0). */
export const placeholderId = 'placeholder'

/** Certificate and key in PEM. */
export type Pair = { readonly chain: string; readonly key: string }

export const placeholderOf = ({ chain, key }: Pair): Certificate => ({
  id: placeholderId,
  name: placeholderId,
  side: 'server',
  chain,
  key,
  names: [],
  expires: Number.MAX_SAFE_INTEGER,
  crl: [],
})

/** @param withKeys false: where keys are neither needed nor readable. */
export function resolveCertificate(
  entry: CertificateEntry,
  withKeys: boolean,
  report: Report,
): Certificate | undefined {
  const { leaf, keySource, keyPassword, ...certificate } = entry
  if (keySource === undefined || !withKeys) return { ...certificate, key: undefined }
  const read = readPrivateKey(keySource, keyPassword, leaf)
  if ('key' in read) return { ...certificate, key: read.key }
  report.problem('private_key', read)
  return undefined
}

type Side = Certificate['side']

/** The certificate of this side; undefined: none is named, or what is named is wrong and reported. */
function certificateOf(
  target: Target<Certificate>,
  id: string,
  side: Side,
  field: string,
  report: Report,
): Certificate | undefined {
  if (id === '') return undefined
  // Made at the first start of the control plane; elsewhere nobody needs it.
  if (id === placeholderId && !target.entries.has(id) && !target.mayHave(id)) return undefined
  const found = follow(target, id, field, report)
  if (found === undefined || found.side === side) return found
  report.problem(
    field,
    finding(`certificate "${id}" has side ${found.side}`, `Name a certificate with side ${side}.`),
  )
  return undefined
}

export function resolveService(
  { clientCertificateId, trustedCaId, ...service }: BackendServiceEntry,
  certificates: Target<Certificate>,
  report: Report,
): BackendService {
  return {
    ...service,
    clientCertificate: certificateOf(
      certificates,
      clientCertificateId,
      'serverToBackendMTLS',
      'mtls_certificate',
      report,
    ),
    trustedCa: certificateOf(certificates, trustedCaId, 'backendCA', 'mtls_trusted_certificate', report),
  }
}

type Placed = Pick<LoadBalancer, 'id' | 'address' | 'port' | 'nodes'>

const wildcards = ['0.0.0.0', '::']

/** No Envoy has both: some label differs. */
const apart = (a: Placed, b: Placed): boolean =>
  Object.entries(a.nodes).some(([label, value]) => label in b.nodes && b.nodes[label] !== value)

/** Whether one Envoy would listen twice at one place; the kernel would hand it requests of either at random. */
const collide = (a: Placed, b: Placed): boolean =>
  a.port === b.port &&
  (a.address === b.address || [a, b].some(({ address }) => wildcards.includes(address))) &&
  !apart(a, b)

function checkPlaces(document: Document<LoadBalancerEntry>): void {
  const before: Placed[] = []
  for (const { listener } of document.entries.values()) {
    if (listener === undefined) continue
    const other = before.find((one) => collide(one, listener))
    if (other !== undefined)
      document
        .reportOn(listener.id)
        .problem(
          'listener_port',
          finding(
            `${listener.address}:${String(listener.port)} is taken by load balancer ${other.id}`,
            'Choose another port or address, or nodes that differ in a label.',
          ),
        )
    before.push(listener)
  }
}

/** Those that Weir makes listeners of; the certificates of all are looked up. Undefined: there is no document. */
export function resolveLoadBalancers(
  document: Document<LoadBalancerEntry>,
  certificates: Target<Certificate>,
): readonly LoadBalancer[] | undefined {
  if (document.entries.size === 0) return undefined
  checkPlaces(document)
  return [...document.entries.values()].flatMap((entry): readonly LoadBalancer[] => {
    const report = document.reportOn(entry.id)
    const certificate = (id: string, field: string): Certificate | undefined =>
      certificateOf(certificates, id, 'server', field, report)
    const tls = {
      defaultCertificate: certificate(entry.defaultCertificateId, 'default_certificate'),
      certificates: entry.certificateIds.flatMap(
        (id, i) => certificate(id, fieldPath('certificates', i)) ?? [],
      ),
    }
    if (entry.listener === undefined) return []
    const { protocol, ...own } = entry.listener
    return [protocol === 'http' ? { ...own, protocol } : { ...own, protocol, ...tls }]
  })
}

/** The certificates of a site. */
export function siteCertificates(
  { certificateId, clientCertificate: { mode, caId, crl } }: ServerGroupEntry,
  certificates: Target<Certificate>,
  report: Report,
): Pick<ServerGroup, 'certificate' | 'clientCertificate'> {
  const certificate = certificateOf(certificates, certificateId, 'server', 'ssl_certificate', report)
  const ca = certificateOf(certificates, caId, 'clientCA', 'client_certificate', report)
  if (mode === 'off' || ca === undefined) return { certificate, clientCertificate: { mode: 'off' } }
  if (crl === undefined) return { certificate, clientCertificate: { mode, ca, crl } }
  const urls = [...new Set([...crl, ...ca.crl])]
  if (urls.length === 0)
    report.problem(
      'client_certificate_crl',
      finding(
        'client_certificate_crl_active is true, and there is no URL of a list',
        `Add the URL of the CA's revocation list here or as "crl" of certificate "${ca.id}", or set client_certificate_crl_active to false.`,
      ),
    )
  return { certificate, clientCertificate: { mode, ca, crl: urls } }
}
