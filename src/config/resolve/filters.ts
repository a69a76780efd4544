// Global filters and content filter documents: references, and what only several documents together can tell.
import type { AclProfileEntry } from '../documents/acl-profiles.ts'
import type { ContentFilterProfileEntry } from '../documents/content-filter-profiles.ts'
import type { GlobalFilterEntry } from '../documents/global-filters.ts'
import { filterOrder } from '../filter-order.ts'
import { finding } from '../findings.ts'
import type { AclProfile, Action, ContentFilterProfile, ContentFilterRule, GlobalFilter } from '../policy.ts'
import type { Report } from '../problem.ts'
import type { Document } from '../read/read-entries.ts'
import { normaliseTag } from '../tag.ts'
import { type Target, follow } from './references.ts'

function warnOfCircles(filters: Document<GlobalFilterEntry>, active: readonly GlobalFilterEntry[]): void {
  for (const { id } of filterOrder(active).circular) {
    filters
      .reportOn(id)
      .warning(
        'rule',
        finding(
          'its tags and those it looks at form a circle',
          'Evaluated in document order; remove one of the tag conditions.',
        ),
      )
  }
}

/** Active filters in document order. */
export function resolveFilters(
  filters: Document<GlobalFilterEntry>,
  actions: Target<Action>,
): readonly GlobalFilter[] {
  const entries = [...filters.entries.values()]
  const resolved = entries.flatMap((entry): readonly GlobalFilter[] => {
    const { active, actionId, id, name, tags, rule } = entry
    const action =
      actionId === undefined ? undefined : follow(actions, actionId, 'action', filters.reportOn(id))
    return active ? [{ id, name, tags, rule, action }] : []
  })
  warnOfCircles(
    filters,
    entries.filter(({ active }) => active),
  )
  return resolved
}

export function resolveAcl(
  { actionId, ...profile }: AclProfileEntry,
  actions: Target<Action>,
  report: Report,
): AclProfile | undefined {
  const action = follow(actions, actionId, 'action', report)
  if (action === undefined) return undefined
  if (action.type === 'monitor' || action.type === 'challenge') {
    report.problem(
      'action',
      finding(
        `action type "${action.type}" is not available in ACL profiles`,
        'Name an action of type block, skip or interactive_challenge.',
      ),
    )
  }
  return { ...profile, action }
}

/** All tags that some content filter rule attaches. */
export function tagsOfRules(rules: Iterable<ContentFilterRule>): ReadonlySet<string> {
  const tags = new Set<string>([
    'cf-all',
    'cf-rule-category:libinjection',
    'cf-rule-risk:libinjection',
    ...['sqli', 'xss'].flatMap((kind) => [
      `cf-rule-id:libinjection-${kind}`,
      `cf-rule-subcategory:libinjection-${kind}`,
    ]),
  ])
  for (const rule of rules) {
    tags.add(normaliseTag(`cf-rule-id:${rule.id}`))
    tags.add(normaliseTag(`cf-rule-name:${rule.name}`))
    tags.add(normaliseTag(`cf-rule-category:${rule.category}`))
    tags.add(normaliseTag(`cf-rule-subcategory:${rule.subcategory}`))
    tags.add(`cf-rule-risk:${String(rule.risk)}`)
    for (const tag of rule.tags) tags.add(tag)
  }
  return tags
}

function checkExemptions(
  profile: ContentFilterProfileEntry,
  produced: ReadonlySet<string>,
  report: Report,
): void {
  for (const [name, section] of Object.entries(profile.sections)) {
    for (const list of ['names', 'regex'] as const) {
      section[list].forEach((entry, i) => {
        entry.ignoreRuleTags.forEach((tag, j) => {
          if (produced.has(tag)) return
          report.problem(
            `${name}.${list}[${String(i)}].ignore_cf_rule_tags[${String(j)}]`,
            finding(
              `tag "${tag}" is not produced by any content filter rule`,
              'Name a tag of a rule, or "cf-all".',
            ),
          )
        })
      })
    }
  }
}

export function resolveContentFilter(
  profile: ContentFilterProfileEntry,
  actions: Target<Action>,
  /** Undefined while the rules are not known. */
  produced: ReadonlySet<string> | undefined,
  report: Report,
): ContentFilterProfile | undefined {
  if (produced !== undefined) checkExemptions(profile, produced, report)
  const { actionId, ...own } = profile
  const action = follow(actions, actionId, 'action', report)
  return action === undefined ? undefined : { ...own, action }
}
