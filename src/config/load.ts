// From documents to a Policy: read every entry, follow every reference, report everything that is wrong at once. Bad
// input is never thrown; either there is a whole Policy or there are problems.
import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical.ts'
import { aclProfiles } from './documents/acl-profiles.ts'
import { actions } from './documents/actions.ts'
import { backendServices } from './documents/backend-services.ts'
import { certificates } from './documents/certificates.ts'
import { contentFilterProfiles } from './documents/content-filter-profiles.ts'
import { contentFilterRules } from './documents/content-filter-rules.ts'
import type { DocumentKind } from './documents/document.ts'
import { edgeFunctions } from './documents/edge-functions.ts'
import { flowControlPolicies } from './documents/flow-control-policies.ts'
import { globalFilters } from './documents/global-filters.ts'
import { type LoadBalancerEntry, loadBalancers } from './documents/load-balancers.ts'
import { mobileApplicationGroups } from './documents/mobile-application-groups.ts'
import { proxyTemplates } from './documents/proxy-templates.ts'
import { rateLimitRules } from './documents/rate-limit-rules.ts'
import { securityPolicies } from './documents/security-policies.ts'
import { serverGroups } from './documents/server-groups.ts'
import { systemDb } from './documents/system-db.ts'
import { finding, notUsedYet } from './findings.ts'
import type { Documents } from './for-filters.ts'
import type { Certificate, Policy } from './policy.ts'
import { type Findings, type Problem, type Report, noFindings, reportAt } from './problem.ts'
import { notDocument, notList, useOf } from './read/namespaces.ts'
import { type Document, readEntries } from './read/read-entries.ts'
import { type Raw, readFolder } from './read/read-folder.ts'
import { withBuiltin } from './read/with-builtin.ts'
import {
  type Pair,
  placeholderId,
  placeholderOf,
  resolveCertificate,
  resolveLoadBalancers,
  resolveService,
} from './resolve/certificates.ts'
import { resolveAcl, resolveContentFilter, resolveFilters, tagsOfRules } from './resolve/filters.ts'
import { checkPatches } from './resolve/patches.ts'
import { resolveRateLimits } from './resolve/rate-limits.ts'
import type { Target } from './resolve/references.ts'
import { type SeedSource, withSeeds } from './resolve/seed.ts'
import { checkBackends, resolveGroups, resolvePolicy, resolveTemplate } from './resolve/sites.ts'
import { checkToggles, planetTrusts, systemValues } from './resolve/system.ts'
import { isList } from './schema/json.ts'

export type LoadOptions = {
  /** Backends on this machine are accepted (spec control-plane 1.3), perhaps with a warning each. Default: false. */
  readonly allowLoopbackBackends?: boolean | 'with a warning'
  /** Name of the configuration, shown in events. Default: `prod`. */
  readonly branch?: string
  /** Private keys are fetched and checked. Default: true; filters have no use for them, nor access. */
  readonly withKeys?: boolean
  /**
   * The certificate of sites that have none yet, asked for where a load balancer takes TLS. Undefined: such sites cannot
   * be reached over TLS.
   */
  readonly placeholder?: () => Pair | undefined
  /** Whence profiles get a seed that have none of their own. Default: they stay without, and a warning says so. */
  readonly maskingSeed?: SeedSource
}

export type LoadResult =
  | {
      readonly ok: true
      readonly policy: Policy
      /** What the policy was made from, as it was read. */
      readonly documents: Documents
      readonly warnings: readonly Problem[]
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] }

type Read = <Parsed extends { readonly id: string }>(kind: DocumentKind<Parsed>) => Document<Parsed>

const targetOf = <T>({ kind, entries, mayHave }: Document<T>): Target<T> => ({
  noun: kind.noun,
  namespace: kind.namespace,
  entries,
  mayHave,
})

/** Resolves each entry; those that cannot be are left out, with a problem. */
function resolveEach<Parsed extends { readonly id: string }, Resolved>(
  document: Document<Parsed>,
  resolve: (entry: Parsed, report: Report) => Resolved | undefined,
): Target<Resolved> {
  const entries = new Map<string, Resolved>()
  for (const entry of document.entries.values()) {
    const resolved = resolve(entry, document.reportOn(entry.id))
    if (resolved !== undefined) entries.set(entry.id, resolved)
  }
  return { ...targetOf(document), entries }
}

/** The operator may replace it by a certificate of that id. */
function withPlaceholder(
  target: Target<Certificate>,
  balancers: Iterable<LoadBalancerEntry>,
  make: LoadOptions['placeholder'],
): Target<Certificate> {
  const takesTls = [...balancers].some(({ listener }) => listener?.protocol === 'https')
  const made = takesTls && !target.mayHave(placeholderId) ? make?.() : undefined
  if (made === undefined) return target
  return { ...target, entries: new Map([...target.entries, [placeholderId, placeholderOf(made)]]) }
}

function assemble(read: Read, options: LoadOptions): Omit<Policy, 'revision'> | undefined {
  const actionDocument = withBuiltin(read(actions))
  const filterDocument = read(globalFilters)
  const system = read(systemDb)
  const flows = read(flowControlPolicies)
  const limitDocument = read(rateLimitRules)
  const aclDocument = withBuiltin(read(aclProfiles))
  const rules = read(contentFilterRules)
  const ownProfiles = read(contentFilterProfiles)
  const profileDocument = withSeeds(ownProfiles, withBuiltin(ownProfiles), options.maskingSeed)
  const balancers = read(loadBalancers)
  const certificateDocument = read(certificates)
  checkToggles(certificateDocument, systemValues(system))
  const services = read(backendServices)
  const functions = read(edgeFunctions)
  const mobileGroups = withBuiltin(read(mobileApplicationGroups))
  const templateDocument = withBuiltin(read(proxyTemplates))
  const policyDocument = read(securityPolicies)
  const groups = read(serverGroups)

  const actionTarget = targetOf(actionDocument)
  const produced = rules.complete ? tagsOfRules(rules.entries.values()) : undefined
  const limits = resolveRateLimits(limitDocument, policyDocument.entries, actionTarget)
  const acls = resolveEach(aclDocument, (entry, report) => resolveAcl(entry, actionTarget, report))
  const contentFilters = resolveEach(profileDocument, (entry, report) =>
    resolveContentFilter(entry, actionTarget, produced, report),
  )
  const certificateTarget = withPlaceholder(
    resolveEach(certificateDocument, (entry, report) =>
      resolveCertificate(entry, options.withKeys ?? true, report),
    ),
    balancers.entries.values(),
    options.placeholder,
  )
  const serviceTarget = resolveEach(services, (entry, report) =>
    resolveService(entry, certificateTarget, report),
  )
  const planet = planetTrusts(system, targetOf(filterDocument))
  const templates = resolveEach(templateDocument, (entry, report) =>
    resolveTemplate(entry, targetOf(filterDocument), planet, report),
  )
  const policies = resolveEach(policyDocument, (entry, report) =>
    resolvePolicy(
      entry,
      {
        acls,
        contentFilters,
        services: serviceTarget,
        limits,
        limitIds: targetOf(limitDocument),
        edgeFunctions: targetOf(functions),
      },
      report,
    ),
  )
  checkBackends(services, options.allowLoopbackBackends ?? false)
  const defaultTemplate = templates.entries.get('__default__')
  if (defaultTemplate === undefined) return undefined
  const sites = resolveGroups(groups, {
    policies,
    templates,
    certificates: certificateTarget,
    mobileGroups: targetOf(mobileGroups),
  })
  const listening = resolveLoadBalancers(balancers, certificateTarget)
  checkPatches(templateDocument, sites, listening)
  return {
    branch: options.branch ?? 'prod',
    actions: actionDocument.entries,
    globalFilters: resolveFilters(filterDocument, actionTarget),
    flowPolicies: [...flows.entries.values()].filter(({ active }) => active),
    rateLimitRules: [...limits.values()],
    contentFilterRules: [...rules.entries.values()],
    serverGroups: sites,
    certificates: certificateTarget.entries,
    loadBalancers: listening,
    defaultTemplate,
  }
}

function revisionOf(documents: ReadonlyMap<string, Raw>): string {
  const hash = createHash('sha256')
  for (const [namespace, { entries }] of [...documents].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (entries.length > 0) hash.update(`${namespace}\n`)
    for (const entry of entries) hash.update(`${canonicalJson(entry)}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}

function load(documents: ReadonlyMap<string, Raw>, findings: Findings, options: LoadOptions): LoadResult {
  const read: Read = (kind) => readEntries(kind, documents.get(kind.namespace), findings)
  const policy = assemble(read, options)
  const { problems, warnings } = findings
  if (problems.length > 0 || policy === undefined) return { ok: false, problems, warnings }
  return {
    ok: true,
    policy: { revision: revisionOf(documents), ...policy },
    documents: new Map([...documents].map(([namespace, { entries }]) => [namespace, entries])),
    warnings,
  }
}

/** A Policy from documents in memory, by namespace: lists of entries. Namespaces that are missing are empty. */
export function buildPolicy(
  documents: Readonly<Record<string, unknown>>,
  options: LoadOptions = {},
): LoadResult {
  const findings = noFindings()
  const raw = new Map<string, Raw>()
  for (const [namespace, entries] of Object.entries(documents)) {
    const file = `${namespace}.json`
    const report = reportAt(findings, { file, document: namespace, entry: '' })
    const use = useOf(namespace)
    if (use === 'unknown') report.problem('', notDocument(namespace, ''))
    else if (use === 'unused') report.warning('', notUsedYet(namespace))
    else if (isList(entries)) raw.set(namespace, { file, entries, complete: true })
    else {
      report.problem('', notList)
      raw.set(namespace, { file, entries: [], complete: false })
    }
  }
  return load(raw, findings, options)
}

const noSite = finding(
  'there is no site, so that every host is answered 421',
  'Add an entry for each site, or __default__ for all hosts.',
)

/** A Policy from a folder of JSON and YAML files. */
export function loadFolder(folder: string, options: LoadOptions = {}): LoadResult {
  const findings = noFindings()
  const documents = readFolder(folder, findings)
  if (documents.size === 0 && findings.problems.length === 0) {
    reportAt(findings, { file: folder, document: '', entry: '' }).problem('', {
      reason: 'the folder has no documents',
      remedy: 'Name the folder that holds server-groups.json and its neighbours.',
    })
  }
  const result = load(documents, findings, options)
  if (!result.ok || result.policy.serverGroups.length > 0) return result
  const file = documents.get('server-groups')?.file ?? 'server-groups.json'
  const warning = { file, document: 'server-groups', entry: '', field: '', ...noSite }
  return { ...result, warnings: [...result.warnings, warning] }
}
