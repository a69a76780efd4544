// ACL profiles (spec pipeline 4.8): six lists of tags, tested in a fixed order. Stands before the content filter because
// it is the cheaper answer and because its Bypass decides whether the content filter runs at all.
import type { AclProfile } from '#config'
import type { Actions } from '../actions.ts'
import type { AclTrigger, Verdict } from '../decision.ts'
import type { Stage } from '../stage.ts'
import { allOf } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

type ListName = AclTrigger['acl_action']

function trigger(profile: AclProfile, list: ListName, tags: readonly string[], action: string): AclTrigger {
  return { trigger_id: profile.id, trigger_name: profile.name, action, extra: '', acl_action: list, tags }
}

function reason(profile: AclProfile, list: ListName, tags: readonly string[]): string {
  return `ACL: ${profile.name}: ${list.replace('_', ' ')} [${tags.join(', ')}]`
}

/** Executes the profile's action; undefined when it is a challenge that the client has passed. */
function execute(
  t: Transaction,
  actions: Actions,
  profile: AclProfile,
  list: ListName,
  tags: readonly string[],
): Verdict | undefined {
  const { type, extra } = actions.effectOf(t, profile.action)
  t.triggers.acl.push({ ...trigger(profile, list, tags, type), extra })
  return actions.resolve(t, [{ action: profile.action, reason: reason(profile, list, tags) }])
}

function judge(t: Transaction, actions: Actions): Verdict | undefined {
  const profile = t.site.entry.acl
  const matching = (list: readonly string[]): readonly string[] =>
    list.length === 0 ? list : allOf(t.tags, list)

  const forced = matching(profile.forceDeny)
  if (forced.length > 0) {
    const verdict = execute(t, actions, profile, 'enforce_deny', forced)
    if (verdict !== undefined) return verdict
  }
  const bypassed = matching(profile.passthrough)
  if (bypassed.length > 0) {
    t.triggers.acl.push(trigger(profile, 'bypass', bypassed, 'skip'))
    return { kind: 'skip', by: 'bypass' }
  }
  const spared = matching(profile.allowBot)
  if (spared.length > 0) t.triggers.acl.push(trigger(profile, 'allow_bot', spared, 'monitor'))
  else {
    const suspected = matching(profile.denyBot)
    if (suspected.length > 0 && actions.effectOf(t, botChallenge).type === 'challenge') {
      t.triggers.acl.push(trigger(profile, 'deny_bot', suspected, 'challenge'))
      return actions.resolve(t, [{ action: botChallenge, reason: reason(profile, 'deny_bot', suspected) }])
    }
  }
  const allowed = matching(profile.allow)
  if (allowed.length > 0) {
    t.triggers.acl.push(trigger(profile, 'allow', allowed, 'monitor'))
    return undefined
  }
  const denied = matching(profile.deny)
  return denied.length === 0 ? undefined : execute(t, actions, profile, 'deny', denied)
}

/** What `deny_bot` issues: an active challenge of no document, hence without tags or headers of its own. */
const botChallenge: AclProfile['action'] = {
  id: '',
  name: 'challenge',
  tags: [],
  type: 'challenge',
  status: 247,
  apiStatus: undefined,
  headers: [],
}

export const acl: Stage = {
  name: 'acl',
  number: 6,
  milestone: 'acl',
  io: 'none',
  compile:
    ({ actions }) =>
    (t) => {
      if (!t.site.entry.aclActive) return undefined
      const verdict = judge(t, actions)
      const profile = t.site.entry.acl
      t.tags.addAll(profile.tags, {
        stage: 6,
        kind: 'acl-profile',
        id: profile.id,
        name: profile.name,
        locations: [],
      })
      return verdict
    },
}
