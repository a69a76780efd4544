// What is protected and what is not, said of every site and path as they are in force: whether requests are examined or why
// not, how much of their bodies, what happens while no filter answers, which certificate is shown, and whether the backend
// failed lately. Made of the policy by the same functions that make routes, so that it cannot say something else.
import { type AdvancedPatch, type MapEntry, type Policy, type ServerGroup, serverNameKey } from '#config'
import { readsBody } from '#pipeline'
import { inMatchOrder, variantsOf } from '../xds/group-routes.ts'
import type { ListenerSettings } from '../xds/settings.ts'
import { type CertificateCoverage, certificateCoverage } from './certificate-coverage.ts'

/** What became of requests to a backend service. */
export type BackendHealth = {
  readonly requests: number
  /** Most frequent first. */
  readonly failures: readonly { readonly reason: string; readonly count: number }[]
}

/** `head`: everything but the body. */
export type Inspection = 'full' | 'head' | 'none'

export type EntryCoverage = {
  readonly id: string
  readonly name: string
  readonly role: MapEntry['role'] | 'passthrough'
  /** `/`, the expression, or empty for every other path. */
  readonly match: string
  readonly inspection: Inspection
  /** What is not examined, and why; one sentence each. */
  readonly why: readonly string[]
  /** Bytes of a body that are held for the filter; undefined: bodies pass unread. */
  readonly bodyBytes: number | undefined
  readonly contentFilter: { readonly profile: string; readonly active: boolean }
  readonly acl: { readonly profile: string; readonly active: boolean }
  /** Rules that count requests of this path: its own, the site's and the global ones. */
  readonly rateLimits: readonly string[]
  readonly backend: string | undefined
  /** Of the backend, all its paths together; undefined: no events are known. */
  readonly health: BackendHealth | undefined
}

/** A change of the generated resources (spec control-plane 2.13). */
export type PatchCoverage = Pick<AdvancedPatch, 'name' | 'target' | 'protocols'> & {
  /** Id of the listener, entry or service that it is limited to. */
  readonly only: string | undefined
}

export type SiteCoverage = {
  readonly id: string
  readonly name: string
  readonly hosts: readonly string[]
  readonly policy: string
  readonly template: string
  readonly listeners: readonly {
    readonly id: string
    readonly protocol: 'http' | 'https'
    readonly port: number
  }[]
  /** Plaintext requests are sent to https with this status. */
  readonly httpRedirect: ServerGroup['httpRedirect']
  /** What Envoy does while no filter answers. Sites that ask for certificates are always closed. */
  readonly failureMode: 'closed' | 'open'
  readonly body: {
    readonly overflow: ServerGroup['template']['bodyOverflow']
    readonly mostBytes: number
    readonly unsized: ServerGroup['template']['unsizedBody']
  }
  /** Requests a second and address; 0: not limited. */
  readonly ipRate: number
  readonly clientCertificates: {
    readonly mode: 'off' | 'on' | 'optional'
    readonly ca: CertificateCoverage | undefined
    /** Revocation lists are looked at. */
    readonly crl: boolean
  }
  /** Shown to clients; undefined: none, or nothing here speaks TLS for the site. */
  readonly certificate: CertificateCoverage | undefined
  /** Advanced configuration of the template, in the order in which it is applied. */
  readonly patches: readonly PatchCoverage[]
  /** In the order in which paths are looked for. */
  readonly entries: readonly EntryCoverage[]
}

export type Coverage = {
  readonly revision: string
  readonly branch: string
  /** The site of hosts that no other has; undefined: they are refused with 421. */
  readonly otherHosts: string | undefined
  /** Sorted by id. */
  readonly sites: readonly SiteCoverage[]
  readonly backends: ReadonlyMap<string, BackendHealth> | undefined
}

export type CoverageInputs = {
  readonly listeners: readonly ListenerSettings[]
  /** By id of the backend service; undefined: there are no events to look at. */
  readonly backends: ReadonlyMap<string, BackendHealth> | undefined
  /** Milliseconds since 1970, for the days that certificates still have. */
  readonly now: number
}

const matchOf = ({ role, match }: MapEntry): string =>
  role === 'root' ? '/' : role === 'default' ? '' : match

type Reading = { readonly inspection: Inspection; readonly why: readonly string[] }

/** What the content filter of an entry examines of a plain request. */
function readingOf({ contentFilterActive, contentFilter: profile }: MapEntry): Reading {
  if (!contentFilterActive) return { inspection: 'none', why: ['the content filter is off'] }
  if (profile.active.length === 0 && profile.report.length === 0)
    return { inspection: 'none', why: [`profile ${profile.id} activates no rules`] }
  const why = profile.active.length === 0 ? [`profile ${profile.id} only reports`] : []
  if (profile.ignoreBody) return { inspection: 'head', why: [...why, `profile ${profile.id} ignores bodies`] }
  return { inspection: 'full', why }
}

function entryCoverage(
  entry: MapEntry,
  group: ServerGroup,
  policy: Policy,
  { backends }: CoverageInputs,
): EntryCoverage {
  const holds = readsBody(policy, group, entry)
  const variants = variantsOf(entry, group, holds)
  const { inspection, why } = readingOf(entry)
  const siteLevel = group.policy.entries.find(({ role }) => role === 'site-level')
  const limits = [
    ...entry.rateLimitRules,
    ...(siteLevel?.rateLimitRules ?? []),
    ...policy.rateLimitRules.filter((rule) => rule.global),
  ]
  const examined = inspection !== 'none'
  return {
    id: entry.id,
    name: entry.name,
    role: entry.role,
    match: matchOf(entry),
    inspection,
    why: [
      ...why,
      ...(examined && variants.includes('grpc') ? ['messages of gRPC calls are not read'] : []),
      ...(examined && variants.includes('websocket') ? ['frames of WebSockets are not read'] : []),
    ],
    bodyBytes: holds ? group.template.clientBodyBufferBytes : undefined,
    contentFilter: { profile: entry.contentFilter.id, active: entry.contentFilterActive },
    acl: { profile: entry.acl.id, active: entry.aclActive },
    rateLimits: [...new Set(limits.map(({ id }) => id))],
    backend: entry.backend?.id,
    health: entry.backend === undefined ? undefined : backends?.get(entry.backend.id),
  }
}

/** Its TLS goes to the origin as it is. */
function passedThrough(group: ServerGroup, { backends }: CoverageInputs): EntryCoverage {
  const entry = group.policy.entries.find(({ role }) => role === 'default')
  const backend = entry?.backend?.id
  return {
    id: '',
    name: 'TLS',
    role: 'passthrough',
    match: '',
    inspection: 'none',
    why: ['TLS is passed through unopened'],
    bodyBytes: undefined,
    contentFilter: { profile: '', active: false },
    acl: { profile: '', active: false },
    rateLimits: [],
    backend,
    health: backend === undefined ? undefined : backends?.get(backend),
  }
}

const patchCoverage = ({ name, target, protocols, ...patch }: AdvancedPatch): PatchCoverage => ({
  name,
  target,
  protocols,
  only: patch.listener ?? patch.entry ?? patch.service,
})

function siteCoverage(group: ServerGroup, policy: Policy, inputs: CoverageInputs): SiteCoverage {
  const { template, clientCertificate: asked } = group
  const takesTls = inputs.listeners.some(({ protocol }) => protocol === 'https')
  const passes = takesTls && group.tcpPassthrough
  const entries = inMatchOrder(group.policy.entries).map((entry) =>
    entryCoverage(entry, group, policy, inputs),
  )
  const certificateOf = (certificate: ServerGroup['certificate'], hosts: readonly string[]) =>
    certificate && certificateCoverage(certificate, hosts, inputs.now)
  const hosts = group.serverNames.map(serverNameKey)
  return {
    id: group.id,
    name: group.name,
    hosts,
    policy: group.policy.id,
    template: template.id,
    listeners: inputs.listeners.map(({ id, protocol, publicPort }) => ({ id, protocol, port: publicPort })),
    httpRedirect: group.httpRedirect,
    failureMode: asked.mode === 'off' ? template.failureMode : 'closed',
    body: {
      overflow: template.bodyOverflow,
      mostBytes: template.clientMaxBodyBytes,
      unsized: template.unsizedBody,
    },
    ipRate: template.ipRatePerSecond,
    clientCertificates: {
      mode: asked.mode,
      ca: asked.mode === 'off' ? undefined : certificateOf(asked.ca, []),
      crl: asked.mode !== 'off' && asked.crl !== undefined,
    },
    certificate: takesTls && !passes ? certificateOf(group.certificate, hosts) : undefined,
    patches: template.advanced.map(patchCoverage),
    entries: passes ? [passedThrough(group, inputs), ...entries] : entries,
  }
}

/** Pure: the same inputs give the same view. */
export function coverageOf(policy: Policy, inputs: CoverageInputs): Coverage {
  const others = policy.serverGroups.find(({ serverNames }) =>
    serverNames.some(({ kind }) => kind === 'everything'),
  )
  return {
    revision: policy.revision,
    branch: policy.branch,
    otherHosts: others?.id,
    sites: policy.serverGroups
      .map((group) => siteCoverage(group, policy, inputs))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    backends: inputs.backends,
  }
}
