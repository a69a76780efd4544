// The system database in effect: its entries put together, and what they forbid in other documents.
import type { CertificateEntry } from '../documents/certificates.ts'
import type { GlobalFilterEntry } from '../documents/global-filters.ts'
import type { FeatureToggles, SystemDbEntry, SystemValues } from '../documents/system-db.ts'
import { inValue } from '../documents/system/system-entry.ts'
import { finding } from '../findings.ts'
import type { Certificate } from '../policy.ts'
import type { Document } from '../read/read-entries.ts'
import type { Target } from './references.ts'
import { resolveTrusted } from './trusted.ts'

export function systemValues({ entries }: Document<SystemDbEntry>): SystemValues {
  const parts: SystemValues[] = [...entries.values()].map(({ values }) => values)
  return Object.assign({}, ...parts) as SystemValues
}

/** Who may state a client address at sites whose template does not say. */
export const planetTrusts = (
  system: Document<SystemDbEntry>,
  filters: Target<GlobalFilterEntry>,
): readonly string[] =>
  resolveTrusted(systemValues(system).planetTrusts ?? [], filters, inValue(system.reportOn('planet')))

/** The toggle of each side that has one. */
const toggleOf: Readonly<Partial<Record<Certificate['side'], keyof FeatureToggles>>> = {
  clientCA: 'ssl-client-to-v5-client-ca-certificate',
  serverToBackendMTLS: 'ssl-server-to-backend-mtls-certificate',
  backendCA: 'ssl-server-to-backend-ca-certificate',
}

/**
 * Certificates of a side that is switched off (spec control-plane 1.6). Only a toggle that says false forbids: who writes
 * a folder without toggles and a certificate into it has decided.
 */
export function checkToggles(certificates: Document<CertificateEntry>, { toggles = {} }: SystemValues): void {
  for (const { id, side } of certificates.entries.values()) {
    const toggle = toggleOf[side]
    if (toggle === undefined || toggles[toggle] !== false) continue
    certificates
      .reportOn(id)
      .problem(
        'side',
        finding(
          `certificates of side ${side} are switched off by the toggle ${toggle}`,
          `Set ${toggle} to true in the entry feature-toggle of system-db.`,
        ),
      )
  }
}
