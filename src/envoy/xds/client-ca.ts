// The CAs that clients of sites are checked against, as Envoy gets them. A site that looks at revocation lists has a bundle
// of its own, without the CAs that a list revokes (spec control-plane 1.1); one that does not must not feel those lists.
import {
  type Certificate,
  type Policy,
  type Revocations,
  type ServerGroup,
  readBundle,
  trustedCas,
} from '#config'

export type ClientCa = {
  readonly ca: Certificate
  /** Revocation lists are looked at. */
  readonly listed: boolean
}

/** Undefined: clients of the site are not asked for certificates. */
export const clientCaOf = ({ clientCertificate: asked }: ServerGroup): ClientCa | undefined =>
  asked.mode === 'off' ? undefined : { ca: asked.ca, listed: asked.crl !== undefined }

/** Each once, however many sites use it. */
export function clientCasOf({ serverGroups }: Policy): readonly ClientCa[] {
  const found = new Map<string, ClientCa>()
  for (const group of serverGroups) {
    const one = clientCaOf(group)
    if (one !== undefined) found.set(`${one.ca.id} ${String(one.listed)}`, one)
  }
  return [...found.values()]
}

/**
 * PEM. Envoy needs one CA at least: where every one is revoked it keeps them, and the filter, which finds no issuer that is
 * trusted, refuses what they signed.
 */
export function bundleFor({ ca, listed }: ClientCa, revocations: Revocations | undefined): string {
  if (!listed || revocations === undefined || revocations.cas.size === 0) return ca.chain
  const bundle = readBundle(ca.chain)
  const trusted = trustedCas(bundle, revocations)
  return trusted.length === 0 || trusted.length === bundle.length
    ? ca.chain
    : trusted.map(({ pem }) => pem).join('')
}
