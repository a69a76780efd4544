// Reception, mapping and initialisation (spec pipeline 1, 3, 4.2): from what a door received to a transaction that
// stages can work on. Also the refusals that need no stage: each still yields a transaction, so that it is recorded.
import type { MapEntry, Policy, ProxyTemplate, Revocations, ServerGroup } from '#config'
import { addressSet, ownAddresses } from '#platform'
import {
  type Head,
  type HumanLevel,
  type Location,
  type Locator,
  type Parameters,
  type ReadSettings,
  type RequestInput,
  type RequestView,
  noBody,
  noLocation,
  readRequest,
} from '#request'
import { refusal, systemSource } from './actions.ts'
import { compileCertificateCheck } from './client-certificate.ts'
import type { Verdict } from './decision.ts'
import { attachRequestTags, attachSiteTags } from './initialise.ts'
import { type Mapping, compileMapping } from './mapping.ts'
import { nowhere } from './nowhere.ts'
import { readsBody } from './reads-body.ts'
import type { Refusal } from './refusal.ts'
import { readSession } from './session.ts'
import { createTagSet } from './tags.ts'
import { type Site, type Transaction, emptyTriggers } from './transaction.ts'

export type Received = { readonly transaction: Transaction; readonly verdict: Verdict | undefined }

export type Reception = {
  /** `refused`: found by the reader before the site is known (spec pipeline 1.2). */
  receive(head: Head, refused?: Refusal): Received
}

type Trust = ReadSettings['trusts']

/**
 * Who may state a client address. Envoy writes an address of its own machine into X-Forwarded-For in place of a loopback
 * peer, so a template that trusts loopback trusts this machine's addresses as well.
 */
function compileTrust(): (template: ProxyTemplate) => Trust {
  let own: ReadonlySet<string> | undefined
  const known = new Map<ProxyTemplate, Trust>()
  const withOwn = (listed: Trust): Trust => {
    const addresses = (own ??= new Set(ownAddresses()))
    return (address) => listed(address) || addresses.has(address)
  }
  return (template) => {
    const before = known.get(template)
    if (before !== undefined) return before
    const listed = addressSet(template.trustedSources)
    const trusts = listed('127.0.0.1') || listed('::1') ? withOwn(listed) : listed
    known.set(template, trusts)
    return trusts
  }
}

function readSettings(
  template: ProxyTemplate,
  trusts: ReadSettings['trusts'],
  entry: MapEntry,
  readBody: boolean,
): ReadSettings {
  return {
    clientAddressHeaders: template.clientAddressHeaders,
    trusts,
    readBody,
    bodyLimit: template.clientBodyBufferBytes,
    maxBodyDepth: entry.contentFilter.maxBodyDepth,
    graphqlPath: entry.contentFilter.graphqlPath,
    refererAsUri: entry.contentFilter.refererAsUri,
  }
}

const atMapping = (status: number, tag: string, text: string): Refusal => ({
  stage: 1,
  status,
  tag,
  reason: `General: ${text}`,
})

/** What Envoy's route matched must be what the filter matched (spec pipeline 3.2); the path may be spelled differently. */
function compareHints(head: Head, site: Site, mapping: Mapping, policy: Policy): Refusal | undefined {
  const { group, entry } = head.input.hints
  if (group === undefined) return undefined
  if (group !== site.group.id) return atMapping(421, 'general:misdirected', 'misdirected request')
  // A route that only refuses names no entry.
  if (entry === undefined || entry === '' || entry === site.entry.id) return undefined
  const hinted = mapping.entryOf(site, entry)
  const bodyAtHand =
    (hinted !== undefined && readsBody(policy, site.group, hinted)) ||
    !readsBody(policy, site.group, site.entry)
  if (hinted?.backend === site.entry.backend && bodyAtHand) return undefined
  return atMapping(400, 'ambiguous-path', 'ambiguous path')
}

/**
 * Sizes that the template refuses before a body is examined (spec control-plane 2.6). Envoy takes Transfer-Encoding away
 * and HTTP/2 has none, so that a length is missing shows only where the body itself was delivered.
 */
function checkLength({ headers, input }: Head, template: ProxyTemplate): Refusal | undefined {
  const declared = headers.get('content-length')?.value
  if (declared !== undefined) {
    return Number(declared) > template.clientMaxBodyBytes
      ? atMapping(413, 'general:body-too-large', 'request body too large')
      : undefined
  }
  if (template.unsizedBody !== 'length_required') return undefined
  const unsized = input.body !== undefined || headers.has('transfer-encoding')
  return unsized ? atMapping(411, 'general:length-required', 'length required') : undefined
}

function beginTransaction(
  request: RequestView,
  site: Site,
  stage: 0 | 1,
  location: Location,
  seed: string,
): Transaction {
  const human: HumanLevel = request.input.human ?? 'none'
  const tags = createTagSet()
  const session = readSession({ request, location, site, tags, session: undefined }, site.policy, seed)
  attachRequestTags(tags, { request, location, human })
  return {
    request,
    location,
    site,
    human,
    session,
    tags,
    triggers: emptyTriggers(),
    monitorReasons: [],
    messages: [],
    logs: [],
    requestHeaders: new Map(),
    milestones: [],
    stage,
    monitored: false,
    contentFilterRan: false,
  }
}

export function compileReception(
  policy: Policy,
  locator: Locator,
  revocations: () => Revocations,
): Reception {
  const mapping = compileMapping(policy)
  const checkCertificate = compileCertificateCheck(policy.serverGroups, revocations)
  const unknown = nowhere(policy.defaultTemplate)
  const trustOf = compileTrust()
  const unknownSettings = readSettings(
    policy.defaultTemplate,
    trustOf(policy.defaultTemplate),
    unknown.entry,
    false,
  )
  const seeds = new Map(policy.serverGroups.map((group) => [group, seedOf(group)]))
  const settings = new Map<ServerGroup, ReadonlyMap<MapEntry, ReadSettings>>()
  for (const group of policy.serverGroups) {
    const trusts = trustOf(group.template)
    const entries = group.policy.entries.map(
      (entry) =>
        [entry, readSettings(group.template, trusts, entry, readsBody(policy, group, entry))] as const,
    )
    settings.set(group, new Map(entries))
  }

  const begin = (request: RequestView, site: Site, stage: 0 | 1): Transaction =>
    beginTransaction(request, site, stage, locator.locate(request.ip), seeds.get(site.group) ?? '')

  const refuse = (head: Head, site: Site, refused: Refusal): Received => {
    const transaction = begin(readRequest(head, unknownSettings), site, refused.stage)
    transaction.tags.add(refused.tag, systemSource(refused.stage))
    if (site !== unknown && refused.stage === 1) attachSiteTags(transaction.tags, site)
    return { transaction, verdict: refusal(transaction, refused.status, refused.reason) }
  }

  return {
    receive(head, refused) {
      if (head.hostInvalid && refused === undefined) {
        return refuse(head, unknown, atMapping(400, 'invalid-host-header', 'invalid host header'))
      }
      const site = mapping.site(head)
      if (refused !== undefined) return refuse(head, site ?? unknown, refused)
      if (site === undefined)
        return refuse(head, unknown, atMapping(421, 'unrecognized-host-header', 'unrecognized host header'))
      const mismatch =
        compareHints(head, site, mapping, policy) ??
        checkCertificate(head.input.connection, site.group) ??
        checkLength(head, site.group.template)
      if (mismatch !== undefined) return refuse(head, site, mismatch)
      const request = readRequest(head, settings.get(site.group)?.get(site.entry) ?? unknownSettings)
      const transaction = begin(request, site, 1)
      attachSiteTags(transaction.tags, site)
      return { transaction, verdict: undefined }
    },
  }
}

/** One policy has one salt: that of the profile on its default entry (spec pipeline 3.3). */
function seedOf(group: ServerGroup): string {
  return group.policy.entries.find(({ role }) => role === 'default')?.contentFilter.maskingSeed ?? ''
}

/** The answer when Weir itself failed (spec pipeline 1.2): looks at nothing that may be the cause. */
export function failedReception(input: RequestInput, template: ProxyTemplate): Received {
  const site = nowhere(template)
  const none: Parameters = new Map()
  const rawPath = input.target.split('?', 1)[0] ?? ''
  const request: RequestView = {
    input,
    method: input.method,
    authority: input.authority,
    host: input.authority,
    hostInvalid: false,
    uri: { rawPath, query: undefined, path: rawPath, uri: rawPath, rawUri: input.target, parts: none },
    headers: none,
    cookies: none,
    scheme: input.scheme,
    ip: input.client ?? input.peer,
    peer: input.peer,
    ipInvalid: false,
    requestId: input.requestId,
    timestamp: input.timestamp,
    args: none,
    plugins: none,
    body: noBody,
  }
  const transaction = beginTransaction(request, site, 0, noLocation, '')
  transaction.tags.add('general:processing-error', systemSource(0))
  return { transaction, verdict: refusal(transaction, 500, 'General: processing error') }
}
