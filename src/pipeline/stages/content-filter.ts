// The content filter (spec pipeline 4.9): restrictions and signatures over everything that the client chose. The most
// expensive stage, hence the last.
import type { ContentFilterProfile, Policy } from '#config'
import { type Actions, type Candidate, refusal } from '../actions.ts'
import { compileEntries } from '../content-filter/entries.ts'
import { type Examination, type Match, examine } from '../content-filter/examine.ts'
import { createInjectionDetector } from '../content-filter/libinjection.ts'
import { createRecentTexts } from '../content-filter/recent-texts.ts'
import {
  type Restriction,
  restrictBody,
  restrictParameters,
  restrictionReason,
} from '../content-filter/restrictions.ts'
import { compileSignatures } from '../content-filter/signatures.ts'
import type { ContentTrigger, Verdict } from '../decision.ts'
import type { Stage } from '../stage.ts'
import { type TagSource, qualifiedTag } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

type Compiled = Examination & {
  readonly active: ReadonlySet<string>
  readonly report: ReadonlySet<string>
  readonly ignore: readonly string[]
}

function compileProfile(profile: ContentFilterProfile, policy: Policy): Compiled {
  const signatures = compileSignatures(profile, policy.contentFilterRules)
  return {
    profile,
    signatures,
    entries: compileEntries(profile),
    detector: createInjectionDetector([...signatures.injections.keys()]),
    innocent: createRecentTexts(),
    active: new Set(profile.active),
    report: new Set(profile.report),
    // `malformed-body` only waives the restriction of that name: nothing is exempt from examination.
    ignore: profile.ignore.filter((tag) => tag !== 'malformed-body'),
  }
}

function restrict(
  t: Transaction,
  actions: Actions,
  profile: ContentFilterProfile,
  restriction: Restriction,
): Verdict | undefined {
  const { status, ...shown } = restriction
  const reason = restrictionReason(profile, restriction)
  const effect = actions.effectOf(t, profile.action)
  t.tags.add(qualifiedTag('cf-restrict', restriction.type), profileSource(profile))
  t.triggers.cfRestrict.push({
    trigger_id: profile.id,
    trigger_name: profile.name,
    action: status === undefined ? effect.type : 'block',
    extra: effect.extra,
    ...shown,
  })
  return status === undefined
    ? actions.resolve(t, [{ action: profile.action, reason }])
    : refusal(t, status, reason)
}

const profileSource = (profile: ContentFilterProfile): TagSource => ({
  stage: 7,
  kind: 'content-filter-profile',
  id: profile.id,
  name: profile.name,
  locations: [],
})

/** RAW_BODY is the request's body, not a parameter that a client could name. */
const shownName = ({ parameter }: Match): string =>
  parameter.place === 'body' && parameter.name === 'RAW_BODY' ? '' : parameter.name

function matchReason(profile: ContentFilterProfile, match: Match): string {
  const { signature, parameter } = match
  const what = signature.id.startsWith('libinjection-')
    ? signature.id
    : `rule ${signature.name} (risk ${String(signature.risk)})`
  const name = shownName(match)
  return `Content filter: ${profile.name}: ${what} in ${parameter.place}${name === '' ? '' : ` "${name}"`}`
}

function attachTags(t: Transaction, { signature, parameter }: Match): void {
  t.tags.addAll(signature.tags, {
    stage: 7,
    kind: 'content-filter-rule',
    id: signature.id,
    name: signature.name,
    locations: [{ section: parameter.place, name: parameter.name, value: parameter.value }],
  })
  if (signature.message !== '') t.logs.push(`${signature.id}: ${signature.message}`)
}

/** Specific tags first, then the higher risk, then the earlier parameter (the order in which matches come). */
const byWeight = (a: Match, b: Match): number =>
  Number(b.signature.bySpecific) - Number(a.signature.bySpecific) || b.signature.risk - a.signature.risk

function judgeMatches(
  t: Transaction,
  actions: Actions,
  profile: ContentFilterProfile,
  matches: readonly Match[],
): readonly Match[] {
  const demanding: Match[] = []
  const effect = actions.effectOf(t, profile.action)
  for (const match of matches) {
    const { outcome } = match.signature
    attachTags(t, match)
    t.triggers.cf.push({
      trigger_id: profile.id,
      trigger_name: profile.name,
      action: outcome === 'report' ? 'monitor' : effect.type,
      extra: match.fingerprint === '' ? (outcome === 'report' ? '' : effect.extra) : match.fingerprint,
      section: match.parameter.place,
      name: shownName(match),
      value: match.parameter.value,
      ruleid: match.signature.id,
      risk_level: match.signature.risk,
    })
    if (outcome !== 'action') report(t, matchReason(profile, match))
    if (outcome !== 'report') demanding.push(match)
  }
  return demanding.toSorted(byWeight)
}

function report(t: Transaction, reason: string): void {
  t.monitored = true
  t.monitorReasons.push(reason)
}

/** Step 5's last part: tags that no rule attached count as general tags. */
function judgeTags(
  t: Transaction,
  { profile, active, report: reported }: Compiled,
  effect: string,
): string | undefined {
  let first: string | undefined
  const trigger = (tag: string, action: string): ContentTrigger => ({
    trigger_id: profile.id,
    trigger_name: profile.name,
    action,
    extra: '',
    section: '',
    name: tag,
    value: '',
    ruleid: '',
    risk_level: 0,
  })
  for (const tag of t.tags.names()) {
    const acts = active.has(tag)
    if (!acts && !reported.has(tag)) continue
    if (t.tags.sourcesOf(tag).some(({ kind }) => kind === 'content-filter-rule')) continue
    if (reported.has(tag)) report(t, `Content filter: ${profile.name}: tag ${tag}`)
    t.triggers.cf.push(trigger(tag, acts ? effect : 'monitor'))
    if (acts) first ??= tag
  }
  return first
}

function filter(t: Transaction, actions: Actions, compiled: Compiled): Verdict | undefined {
  const { profile, entries, ignore } = compiled
  const { template } = t.site.group
  const body = restrictBody(t.request, profile, template.bodyOverflow, template.clientBodyBufferBytes)
  if (body !== undefined) return restrict(t, actions, profile, body)
  if (ignore.some((tag) => t.tags.has(tag))) return undefined
  const restriction = restrictParameters(t.request, profile, entries)
  if (restriction !== undefined) return restrict(t, actions, profile, restriction)
  t.contentFilterRan = true
  const [main] = judgeMatches(t, actions, profile, examine(t.request, compiled))
  const tag = judgeTags(t, compiled, actions.effectOf(t, profile.action).type)
  const candidates: Candidate[] = []
  if (main !== undefined) candidates.push({ action: profile.action, reason: matchReason(profile, main) })
  else if (tag !== undefined)
    candidates.push({ action: profile.action, reason: `Content filter: ${profile.name}: tag ${tag}` })
  return actions.resolve(t, candidates)
}

export const contentFilter: Stage = {
  name: 'content-filter',
  number: 7,
  milestone: 'content_filter',
  io: 'none',
  compile({ policy, actions }) {
    const compiled = new Map<ContentFilterProfile, Compiled>()
    for (const { policy: securityPolicy } of policy.serverGroups) {
      for (const { contentFilter: profile } of securityPolicy.entries) {
        if (!compiled.has(profile)) compiled.set(profile, compileProfile(profile, policy))
      }
    }
    return (t) => {
      const { entry } = t.site
      const profile = compiled.get(entry.contentFilter)
      if (!entry.contentFilterActive || profile === undefined) return undefined
      const verdict = filter(t, actions, profile)
      t.tags.addAll(profile.profile.tags, profileSource(profile.profile))
      return verdict
    }
  },
}
