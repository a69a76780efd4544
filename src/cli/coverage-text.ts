// The coverage view for people: a few lines about each site, a row for each path, and what to look at first.
import type { BackendHealth, CertificateCoverage, Coverage, EntryCoverage, SiteCoverage } from '#envoy'

type Column = { readonly title: string; readonly of: (entry: EntryCoverage, site: SiteCoverage) => string }

const mib = 2 ** 20

const size = (bytes: number): string =>
  bytes % mib === 0 ? `${String(bytes / mib)} MB` : `${String(Math.round(bytes / 1024))} KB`

const counted = (n: number, noun: string): string => `${String(n)} ${noun}${n === 1 ? '' : 's'}`

const shorten = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

const inspections = { full: 'yes', head: 'no body', none: 'NO' } as const

function path({ role, match }: EntryCoverage): string {
  if (role === 'passthrough') return '(TLS)'
  return match === '' ? '(every other)' : shorten(match, 40)
}

/** What becomes of a body that is longer than the filter gets. */
const overflows = { auto: 'longer: by kind', reject: 'longer: 413', partial: 'longer: in part' } as const

function body({ bodyBytes, role }: EntryCoverage, site: SiteCoverage): string {
  if (role === 'passthrough') return '-'
  if (bodyBytes === undefined) return `unread, to ${size(site.body.mostBytes)}`
  return `${size(bodyBytes)}, ${overflows[site.body.overflow]}`
}

function failed(health: BackendHealth | undefined, known: boolean): string {
  if (!known) return '?'
  if (health === undefined) return '-'
  const sum = health.failures.reduce((total, { count }) => total + count, 0)
  return `${String(sum)} of ${String(health.requests)}`
}

const onOff = (active: boolean): string => (active ? 'on' : 'OFF')

const columnsOf = (known: boolean): readonly Column[] => [
  { title: 'PATH', of: path },
  { title: 'INSPECTED', of: ({ inspection }) => inspections[inspection] },
  { title: 'BODY', of: body },
  { title: 'ACL', of: ({ acl, role }) => (role === 'passthrough' ? '-' : onOff(acl.active)) },
  { title: 'LIMITS', of: ({ rateLimits }) => String(rateLimits.length) },
  { title: 'BACKEND', of: ({ backend }) => backend ?? '-' },
  { title: 'FAILED 1 H', of: ({ health }) => failed(health, known) },
  { title: 'WHY', of: ({ why }) => why.join('; ') },
]

function table(site: SiteCoverage, columns: readonly Column[]): readonly string[] {
  const rows = [
    columns.map(({ title }) => title),
    ...site.entries.map((entry) => columns.map(({ of }) => of(entry, site))),
  ]
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd())
}

const shownHosts = 4

function hosts({ hosts: all }: SiteCoverage): string {
  const first = all.slice(0, shownHosts).join(', ')
  return all.length > shownHosts ? `${first} and ${String(all.length - shownHosts)} more` : first
}

function certificate(one: CertificateCoverage): string {
  if (one.state === 'placeholder') return `${one.id} (signs itself)`
  return `${one.id} (until ${one.expires ?? '?'}, ${counted(one.days ?? 0, 'day')})`
}

function clientCertificates({ clientCertificates: { mode, ca, crl } }: SiteCoverage): string {
  if (mode === 'off') return 'off'
  return `${mode}, CA ${ca?.id ?? '?'}${crl ? ' with revocation lists' : ''}`
}

function siteLines(site: SiteCoverage): readonly string[] {
  const ports = site.listeners.map(({ protocol, port }) => `${protocol} ${String(port)}`)
  const facts = [
    ports.join(', '),
    ...(site.httpRedirect === 'off' ? [] : [`http to https: ${String(site.httpRedirect)}`]),
    `certificate ${site.certificate === undefined ? '-' : certificate(site.certificate)}`,
    `client certificates ${clientCertificates(site)}`,
    `no filter: ${site.failureMode === 'open' ? 'PASSES' : 'refused'}`,
    site.ipRate === 0 ? 'no limit per address' : `${String(site.ipRate)}/s per address`,
  ]
  const patches = site.patches.map(
    ({ name, target, only }) => `${name} (${target}${only === undefined ? '' : ` of ${only}`})`,
  )
  return [
    `${site.id}: ${hosts(site)}`,
    `  ${facts.join(' · ')}`,
    ...(patches.length === 0 ? [] : [`  patched: ${patches.join(', ')}`]),
  ]
}

function certificateWarnings(one: CertificateCoverage, where: string): readonly string[] {
  const days = one.days ?? 0
  const ends =
    one.state === 'expired'
      ? [`${where}: certificate ${one.id} expired on ${one.expires ?? '?'}`]
      : one.state === 'expires soon'
        ? [`${where}: certificate ${one.id} expires in ${counted(days, 'day')}`]
        : []
  const unfit =
    one.unfit.length === 0
      ? []
      : [`${where}: certificate ${one.id} is not made for ${one.unfit.slice(0, 4).join(', ')}`]
  return [...ends, ...unfit]
}

function siteWarnings(site: SiteCoverage): readonly string[] {
  const {
    certificate: own,
    clientCertificates: { ca },
  } = site
  const open =
    site.failureMode === 'open' ? [`${site.id}: requests pass unexamined while no filter answers`] : []
  const bare = site.entries.filter(({ inspection }) => inspection === 'none')
  const unseen = bare.map((entry) => `${site.id} ${path(entry)}: not examined, ${entry.why.join('; ')}`)
  return [
    ...unseen,
    ...open,
    ...(own === undefined ? [] : certificateWarnings(own, site.id)),
    ...(own?.state === 'placeholder'
      ? [`${site.id}: visitors over TLS are warned, its certificate is the placeholder`]
      : []),
    ...(ca === undefined ? [] : certificateWarnings(ca, `${site.id}, CA of clients`)),
  ]
}

function backendLines({ backends }: Coverage): readonly string[] {
  const failing = [...(backends ?? [])].filter(([, { failures }]) => failures.length > 0)
  return failing.map(([service, { failures, requests }]) => {
    const reasons = failures.slice(0, 4).map(({ reason, count }) => `${String(count)} ${reason}`)
    return `backend ${service}: ${reasons.join(', ')}, of ${counted(requests, 'request')} in the last hour`
  })
}

function summary({ sites }: Coverage): string {
  const entries = sites.flatMap((site) => site.entries)
  const count = (wanted: EntryCoverage['inspection']): number =>
    entries.filter(({ inspection }) => inspection === wanted).length
  return `${counted(entries.length, 'path')} of ${counted(sites.length, 'site')}: ${String(count('full'))} inspected, ${String(count('head'))} without bodies, ${String(count('none'))} not`
}

/** The whole view; every line ends with a line break. */
export function coverageText(coverage: Coverage, folder: string): string {
  const columns = columnsOf(coverage.backends !== undefined)
  const look = [...coverage.sites.flatMap(siteWarnings), ...backendLines(coverage)]
  const lines = [
    `${folder}, revision ${coverage.revision}`,
    ...coverage.sites.flatMap((site) => ['', ...siteLines(site), ...table(site, columns)]),
    '',
    summary(coverage),
    coverage.otherHosts === undefined
      ? 'Other hosts: refused with 421'
      : `Other hosts: those of site ${coverage.otherHosts}`,
    ...(coverage.backends === undefined ? ['Failures of backends: unknown, there is no journal'] : []),
    ...(look.length === 0 ? [] : ['', 'Look at:', ...look.map((one) => `  ${one}`)]),
  ]
  return `${lines.join('\n')}\n`
}
