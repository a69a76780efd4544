// How long a certificate still holds, and for which hosts of a site.
import type { Certificate } from '#config'

export type CertificateCoverage = {
  readonly id: string
  /** Date of the last day, `2027-01-31`; undefined: the placeholder, which signs itself. */
  readonly expires: string | undefined
  /** Whole days that are left; negative once it has expired. */
  readonly days: number | undefined
  readonly state: 'valid' | 'expires soon' | 'expired' | 'placeholder'
  /** Hosts of the site that its names do not fit; visitors of those are warned. */
  readonly unfit: readonly string[]
}

/** From here on somebody should have renewed it. */
const soonDays = 14
const dayMs = 24 * 60 * 60 * 1000

/** The placeholder is made anew where it is missing, so it never ends. */
const isPlaceholder = ({ expires }: Certificate): boolean => expires === Number.MAX_SAFE_INTEGER

/** A `*` of a certificate stands for one label. */
function fits(host: string, name: string): boolean {
  if (host === name) return true
  const dot = host.indexOf('.')
  return name.startsWith('*.') && !host.startsWith('*') && dot > 0 && host.slice(dot) === name.slice(1)
}

const plainHost = (host: string): string => host.replace(/:\d+$/, '')

/** Which of the hosts the certificate is not made for; expressions are left out, because they name none. */
function unfitHosts({ names }: Certificate, hosts: readonly string[]): readonly string[] {
  const named = hosts.filter((host) => !host.startsWith('~') && host !== '__default__').map(plainHost)
  return named.filter((host) => !names.some((name) => fits(host, name)))
}

function stateOf(days: number): CertificateCoverage['state'] {
  if (days < 0) return 'expired'
  return days < soonDays ? 'expires soon' : 'valid'
}

/** @param hosts of the site as they are written; none for a CA. */
export function certificateCoverage(
  certificate: Certificate,
  hosts: readonly string[],
  now: number,
): CertificateCoverage {
  if (isPlaceholder(certificate))
    return { id: certificate.id, expires: undefined, days: undefined, state: 'placeholder', unfit: [] }
  const days = Math.floor((certificate.expires - now) / dayMs)
  return {
    id: certificate.id,
    expires: new Date(certificate.expires).toISOString().slice(0, 10),
    days,
    state: stateOf(days),
    unfit: unfitHosts(certificate, hosts),
  }
}
