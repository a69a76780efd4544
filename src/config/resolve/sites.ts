// Templates, security policies and server groups: everything that says where a request belongs.
import type { BackendServiceEntry } from '../documents/backend-services.ts'
import type { EdgeFunctionEntry } from '../documents/edge-functions.ts'
import type { GlobalFilterEntry } from '../documents/global-filters.ts'
import type { MobileApplicationGroupEntry } from '../documents/mobile-application-groups.ts'
import type { ProxyTemplateEntry } from '../documents/proxy-templates.ts'
import type { MapEntryEntry, SecurityPolicyEntry } from '../documents/security-policies.ts'
import type { ServerGroupEntry } from '../documents/server-groups.ts'
import { finding } from '../findings.ts'
import { isThisMachine, serverNameKey } from '../hosts.ts'
import type {
  AclProfile,
  BackendService,
  Certificate,
  ContentFilterProfile,
  MapEntry,
  ProxyTemplate,
  RateLimitRule,
  SecurityPolicy,
  ServerGroup,
} from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Document } from '../read/read-entries.ts'
import { fieldPath } from '../schema/json.ts'
import { siteCertificates } from './certificates.ts'
import { type Target, follow } from './references.ts'
import { resolveTrusted } from './trusted.ts'

/** @param planet who may state a client address where the template does not say */
export function resolveTemplate(
  { trusted, ...template }: ProxyTemplateEntry,
  filters: Target<GlobalFilterEntry>,
  planet: readonly string[],
  report: Report,
): ProxyTemplate {
  return {
    ...template,
    trustedSources: trusted === undefined ? planet : resolveTrusted(trusted, filters, report),
  }
}

/** Backends on this machine are a mistake on a proxy of its own, and the rule on a laptop (spec control-plane 1.3). */
export function checkBackends(
  services: Document<BackendServiceEntry>,
  allowLoopback: boolean | 'with a warning',
): void {
  if (allowLoopback === true) return
  const remedy = 'Name the origin’s own address, or set envoy.allow_loopback_backends.'
  for (const service of services.entries.values()) {
    const report = services.reportOn(service.id)
    service.hosts.forEach(({ host }, i) => {
      if (!isThisMachine(host)) return
      const field = `back_hosts[${String(i)}].host`
      const reason = `"${host}" refers to this machine`
      if (allowLoopback === false) report.problem(field, finding(reason, remedy))
      else {
        const refused = `${reason}: weir control and weir filter --config, whose Envoys are elsewhere, refuse it`
        report.warning(field, finding(refused, remedy))
      }
    })
  }
}

export type EntryTargets = {
  readonly acls: Target<AclProfile>
  readonly contentFilters: Target<ContentFilterProfile>
  readonly services: Target<BackendService>
  readonly limits: ReadonlyMap<string, RateLimitRule>
  /** Ids of all rules, inactive ones included. */
  readonly limitIds: Target<unknown>
  readonly edgeFunctions: Target<EdgeFunctionEntry>
}

/** They are looked up, so that names are right the day they run, and whoever counts on one now is told. */
function checkEdgeFunctions(
  ids: readonly string[],
  field: string,
  functions: Target<EdgeFunctionEntry>,
  report: Report,
): void {
  ids.forEach((id, i) => follow(functions, id, fieldPath(field, i), report))
  if (ids.length === 0) return
  report.warning(
    field,
    finding(
      'edge functions do not run yet: requests pass here as if there were none',
      'Do not count on them for protection; say the same with filters, limits and profiles.',
    ),
  )
}

function resolveEntry(
  entry: MapEntryEntry,
  at: string,
  targets: EntryTargets,
  report: Report,
): MapEntry | undefined {
  const { aclId, contentFilterId, backendId, rateLimitIds, edgeFunctionIds, ...own } = entry
  checkEdgeFunctions(edgeFunctionIds, `${at}.edge_functions`, targets.edgeFunctions, report)
  const acl = follow(targets.acls, aclId, `${at}.acl_profile`, report)
  const contentFilter = follow(
    targets.contentFilters,
    contentFilterId,
    `${at}.content_filter_profile`,
    report,
  )
  const backend =
    backendId === undefined ? undefined : follow(targets.services, backendId, `${at}.backend_service`, report)
  const rateLimitRules = rateLimitIds.flatMap((id, i) => {
    if (follow(targets.limitIds, id, `${at}.rate_limit_rules[${String(i)}]`, report) === undefined) return []
    return targets.limits.get(id) ?? []
  })
  if (entry.grpc && backend !== undefined && !backend.http2) {
    report.warning(
      `${at}.grpc`,
      finding(
        `backend service "${backend.id}" does not speak HTTP/2`,
        'Set http2 on the service: gRPC needs it.',
      ),
    )
  }
  if (acl === undefined || contentFilter === undefined) return undefined
  return { ...own, acl, contentFilter, backend, rateLimitRules }
}

export function resolvePolicy(
  policy: SecurityPolicyEntry,
  targets: EntryTargets,
  report: Report,
): SecurityPolicy {
  const entries = policy.entries.flatMap(
    (entry, i) => resolveEntry(entry, `map[${String(i)}]`, targets, report) ?? [],
  )
  return { ...policy, entries }
}

/** A host belongs to one group only (spec control-plane 1.1); expressions may overlap. */
function checkHosts(groups: Document<ServerGroupEntry>): void {
  const owners = new Map<string, string>()
  for (const group of groups.entries.values()) {
    group.serverNames.forEach((name, i) => {
      const key = serverNameKey(name)
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, group.id)
      else if (name.kind !== 'regex') {
        groups
          .reportOn(group.id)
          .problem(
            `server_names[${String(i)}]`,
            finding(
              owner === group.id
                ? `duplicate server name "${key}"`
                : `${key} is already served by group ${owner}`,
              'A host belongs to one server group: remove it from one of the two.',
            ),
          )
      }
    })
  }
}

export type GroupTargets = {
  readonly policies: Target<SecurityPolicy>
  readonly templates: Target<ProxyTemplate>
  readonly certificates: Target<Certificate>
  readonly mobileGroups: Target<MobileApplicationGroupEntry>
}

function checkMobileGroup(id: string, groups: Target<MobileApplicationGroupEntry>, report: Report): void {
  const group = follow(groups, id, 'mobile_application_group', report)
  if (group === undefined || group.empty) return
  report.warning(
    'mobile_application_group',
    finding(
      'signatures of apps are not checked yet: their requests are treated like all others',
      'Do not count on the group for protection.',
    ),
  )
}

export function resolveGroups(
  groups: Document<ServerGroupEntry>,
  targets: GroupTargets,
): readonly ServerGroup[] {
  checkHosts(groups)
  return [...groups.entries.values()].flatMap((entry): readonly ServerGroup[] => {
    const { policyId, templateId, certificateId: _, mobileGroupId, ownTls, ...group } = entry
    const report = groups.reportOn(group.id)
    checkMobileGroup(mobileGroupId, targets.mobileGroups, report)
    const policy = follow(targets.policies, policyId, 'security_policy', report)
    const template = follow(targets.templates, templateId, 'proxy_template', report)
    const certificates = siteCertificates(entry, targets.certificates, report)
    if (policy === undefined || template === undefined) return []
    return [{ ...group, ...certificates, policy, template, tls: { ...template.tls, ...ownTls } }]
  })
}
