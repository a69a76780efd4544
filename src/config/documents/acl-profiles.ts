// Six lists of tags that let a request through, refuse it or ask for a proof (spec pipeline 4.8, 7.6).
import { type Static, Type } from 'typebox'
import { finding } from '../findings.ts'
import type { AclProfile } from '../policy.ts'
import type { Report } from '../problem.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, optionalReference, readTags, tagList } from './common.ts'

const schema = entrySchema({
  action: Type.Optional(
    optionalReference(
      'actions',
      'Action of Enforce Deny and Block; block, skip or interactive_challenge. Default: `action-acl-block`.',
    ),
  ),
  force_deny: Type.Optional(tagList('Enforce Deny: execute the action, whatever the other lists say.')),
  passthrough: Type.Optional(tagList('Bypass: pass without the content filter.')),
  allow_bot: Type.Optional(tagList('Bot Challenge, Skip: do not challenge.')),
  deny_bot: Type.Optional(tagList('Bot Challenge, Apply: challenge bots.')),
  allow: Type.Optional(tagList('Block, Skip: go to the content filter.')),
  deny: Type.Optional(tagList('Block, Apply: execute the action.')),
})

/** A profile whose action is still an id. */
export type AclProfileEntry = Omit<AclProfile, 'action'> & { readonly actionId: string }

function warnOfAll(field: 'force_deny' | 'passthrough', profile: readonly string[], report: Report): void {
  if (!profile.includes('all')) return
  const effect = field === 'force_deny' ? 'every request is refused' : 'no request is examined'
  report.warning(field, finding(`"all" in ${field}: ${effect}`, 'Remove "all" unless that is what you want.'))
}

function parse(entry: Static<typeof schema>, report: Report): AclProfileEntry {
  const tags = (field: 'tags' | 'force_deny' | 'passthrough' | 'allow_bot' | 'deny_bot' | 'allow' | 'deny') =>
    readTags(entry[field], field, report)
  const profile = {
    ...identityOf(entry),
    tags: tags('tags'),
    actionId: entry.action || 'action-acl-block',
    forceDeny: tags('force_deny'),
    passthrough: tags('passthrough'),
    allowBot: tags('allow_bot'),
    denyBot: tags('deny_bot'),
    allow: tags('allow'),
    deny: tags('deny'),
  }
  warnOfAll('force_deny', profile.forceDeny, report)
  warnOfAll('passthrough', profile.passthrough, report)
  return profile
}

export const aclProfiles = defineDocument({
  namespace: 'acl-profiles',
  noun: 'ACL profile',
  title: 'ACL profiles',
  description: 'Which tags pass, are refused or must prove to be human.',
  schema,
  examples: [
    {
      id: 'members',
      name: 'Members',
      description: null,
      tags: [],
      action: 'action-acl-block',
      force_deny: ['banned'],
      passthrough: ['health-check'],
      allow_bot: ['search-engine'],
      deny_bot: ['all'],
      allow: [],
      deny: ['geo-anon geo-tor'],
    },
  ],
  parse,
})
