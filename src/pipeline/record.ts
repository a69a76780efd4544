// The decision record (spec pipeline 6): what is written down about a request. It leaves through Envoy's dynamic metadata,
// so it is masked and bounded here, and its field names are those of the traffic event.
import type { SectionName } from '#config'
import { type Parameters, type RequestView, decodedVariants } from '#request'
import { isAlphanumeric } from './content-filter/restrictions.ts'
import type { Answer, DecisionRecord, Located, Verdict } from './decision.ts'
import { cut, excerptOf } from './excerpt.ts'
import type { Masker } from './masking.ts'
import { fitRecord } from './record-limit.ts'
import type { Transaction } from './transaction.ts'

/** Maps are cut here, whatever the record's size (spec traffic 1.7). */
const mostEntries = 1000

/** What of a malformed body is kept (spec traffic 1.8). */
const excerptLength = 500

type Outcome = { readonly verdict: Verdict | undefined; readonly masker: Masker }

export type RecordSettings = {
  readonly revision: string
  readonly branch: string
  /** Bytes of JSON that a record may have (spec traffic 1.7). */
  readonly maxBytes: number
  readonly counts: (t: Transaction) => { readonly cf: number; readonly gf: number; readonly rl: number }
}

/**
 * An ordinary object of so many names is written as JSON in half the time of one without a prototype. V8 gives every new
 * order of names a shape of its own, so that it is used for few.
 */
const fewNames = 100

/** Parameters are named by clients, and `__proto__` is a name like any other. */
function put(shown: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__')
    Object.defineProperty(shown, name, { value, enumerable: true, configurable: true, writable: true })
  else shown[name] = value
}

function show(
  parameters: Parameters,
  section: SectionName,
  t: Transaction,
  masker: Masker,
): Readonly<Record<string, string>> {
  const shown = parameters.size > fewNames ? (Object.create(null) as Record<string, string>) : {}
  const decoding =
    section === 'path' || section === 'plugins' ? undefined : t.site.entry.contentFilter.decoding
  let room = mostEntries
  for (const { name, value } of parameters.values()) {
    if (room-- === 0) break
    put(shown, name, cut(masker.value(section, name, value)))
    if (decoding === undefined) continue
    const decoded = decodedVariants(value, decoding).at(-1)
    if (decoded === undefined) continue
    put(shown, `${name}:decoded`, cut(masker.value(section, name, decoded)))
    room--
  }
  return shown
}

function excerpt({ body }: RequestView, masker: Masker): string | null {
  if (body.malformed === undefined || body.raw === undefined || masker.hidesBody) return null
  const text = body.raw.value
  const shown = excerptOf(text, excerptLength)
  return text.length > excerptLength
    ? `Malformed body, first ${String(excerptLength)} of ${String(text.length)} characters:\n${shown}`
    : `Malformed body:\n${shown}`
}

function maskTriggers<T extends Located>(triggers: readonly T[], masker: Masker): readonly T[] {
  if (!masker.active) return triggers.map((trigger) => ({ ...trigger, value: cut(trigger.value) }))
  const sections: Readonly<Record<string, SectionName>> = {
    headers: 'headers',
    cookies: 'cookies',
    path: 'path',
    plugins: 'plugins',
  }
  return triggers.map((trigger) => ({
    ...trigger,
    value: cut(masker.value(sections[trigger.section] ?? 'args', trigger.name, trigger.value)),
  }))
}

const header = (request: RequestView, name: string): string | undefined => request.headers.get(name)?.value

/** What a proxy in front says, else the port that Host names, else the one the connection arrived at. */
function portOf({ input, authority, scheme, headers }: RequestView): string {
  const forwarded = /^\d{1,5}$/.exec(headers.get('x-forwarded-port')?.value ?? '')?.[0]
  const sent = /:(\d+)$/.exec(authority)?.[1]
  const arrived = input.connection?.port
  return forwarded ?? sent ?? (arrived ? String(arrived) : scheme === 'https' ? '443' : '80')
}

const challenged = (verdict: Verdict | undefined): 'active' | 'interactive' | null =>
  verdict?.kind === 'challenge' ? 'active' : verdict?.kind === 'interactive_challenge' ? 'interactive' : null

function attachStatus(t: Transaction, answer: Answer): void {
  const source = { stage: t.stage, kind: 'system', id: '', name: '', locations: [] } as const
  t.tags.add(`status:${String(answer.status)}`, source)
  t.tags.add(`status-class:${String(Math.trunc(answer.status / 100))}xx`, source)
}

/** Builds the record; attaches the status tags of Weir's own answer first. `us`: microseconds since the request came in. */
export function buildRecord(
  t: Transaction,
  { verdict, masker }: Outcome,
  settings: RecordSettings,
  us: number,
): DecisionRecord {
  const { request, location, site, triggers } = t
  if (verdict !== undefined && 'answer' in verdict) attachStatus(t, verdict.answer)
  const challengeType = challenged(verdict)
  const reason = verdict !== undefined && 'reason' in verdict ? cut(masker.text(verdict.reason)) : null
  const path = cut(masker.path(request.uri.rawPath))
  const counts = settings.counts(t)
  const decided = verdict?.kind
  const record: DecisionRecord = {
    // What an event reads or changes comes first, and no map that clients name fields of: the control plane parses the
    // record up to `server_group`, and copies the rest (src/traffic/record.ts).
    request_id: request.requestId,
    timestamp: request.timestamp,
    ip: request.ip,
    method: request.method,
    host: request.host,
    path,
    query: request.uri.query === undefined ? null : cut(masker.query(request.uri.query)),
    organization: location.organization ?? null,
    blocked: decided === 'block',
    challenge: decided === 'challenge',
    ichallenge: decided === 'interactive_challenge',
    reason,
    monitor_reasons: t.monitorReasons.map((text) => cut(masker.text(text))),
    messages: [
      ...(request.body.malformed === undefined ? [] : [request.body.malformed]),
      ...t.messages.map(masker.text),
    ],
    tags: [...t.tags.names()].toSorted(),
    server_group: site.group.name,
    server_group_id: site.group.id,
    branch: settings.branch,
    authority: request.authority,
    protocol: request.scheme,
    port: portOf(request),
    path_parts: show(request.uri.parts, 'path', t, masker),
    arguments: show(request.args, 'args', t, masker),
    headers: show(request.headers, 'headers', t, masker),
    cookies: show(request.cookies, 'cookies', t, masker),
    body: excerpt(request, masker),
    user_agent: optional(header(request, 'user-agent'), masker.text),
    referer: optional(header(request, 'referer'), masker.referer),
    asn: location.asn === undefined ? null : `AS${String(location.asn)}`,
    country: location.country ?? null,
    country_code: location.countryCode ?? null,
    geo_region: location.region ?? null,
    city: location.city ?? null,
    session: t.session.hash,
    session_ids: t.session.ids,
    waap_id: null,
    human: t.human !== 'none',
    bot: t.human === 'none',
    monitor: t.monitored,
    challenge_type: challengeType,
    logs: t.logs,
    processing_stage: t.stage,
    acl_triggers: triggers.acl,
    gf_triggers: maskTriggers(triggers.gf, masker),
    dr_triggers: triggers.dr,
    rl_triggers: maskTriggers(triggers.rl, masker),
    cf_triggers: maskTriggers(triggers.cf, masker),
    cf_restrict_triggers: maskTriggers(triggers.cfRestrict, masker).map((trigger) => ({
      ...trigger,
      actual: cut(masker.text(trigger.actual)),
    })),
    trigger_counters: {
      acl: triggers.acl.length,
      cf: triggers.cf.length,
      cf_restrict: triggers.cfRestrict.length,
      dr: triggers.dr.length,
      gf: triggers.gf.length,
      rl: triggers.rl.length,
    },
    security_config: {
      acl_active: site.entry.aclActive,
      cf_active: site.entry.contentFilterActive,
      cf_rules: counts.cf,
      gf_rules: counts.gf,
      rl_rules: counts.rl,
      revision: settings.revision,
      secpolid: site.policy.id,
      secpolentryid: site.entry.id,
    },
    profiling: t.milestones,
    rbz_latency: us,
    truncated: false,
    omitted: [],
  }
  const { ignoreAlphanum } = site.entry.contentFilter
  return fitRecord(
    record,
    settings.maxBytes,
    (value) => t.contentFilterRan && !(ignoreAlphanum && isAlphanumeric(value)),
  )
}

const optional = (value: string | undefined, mask: (value: string) => string): string | null =>
  value === undefined ? null : cut(mask(value))
