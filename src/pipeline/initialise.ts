// Initialisation (spec pipeline 4.2): the tags that every request has before the first stage looks at it.
import type { HumanLevel, Location, RequestView } from '#request'
import { systemSource } from './actions.ts'
import { type TagSet, type TagSource, qualifiedTag } from './tags.ts'
import type { Site } from './transaction.ts'

type Known = { readonly request: RequestView; readonly location: Location; readonly human: HumanLevel }

const initial: TagSource = systemSource(1)
const at = (section: string, name: string, value: string): TagSource => ({
  ...initial,
  locations: [{ section, name, value }],
})

function bodyTags({ body }: RequestView): readonly string[] {
  if (!body.present) return []
  return [
    ...(body.malformed === undefined ? [] : ['malformed-body']),
    ...(body.partial ? ['body-partial'] : []),
    ...(body.binary ? ['body-binary'] : []),
    ...(body.tooDeep === undefined ? [] : ['body-too-deep']),
    ...(body.tooLarge === undefined ? [] : ['request-too-large']),
  ]
}

function attachLocation(tags: TagSet, location: Location): void {
  tags.add(qualifiedTag('geo-continent-name', location.continentName), initial)
  tags.add(qualifiedTag('geo-continent-code', location.continentCode), initial)
  tags.add(qualifiedTag('geo-country', location.country), initial)
  tags.add(qualifiedTag('geo-region', location.region), initial)
  tags.add(qualifiedTag('geo-subregion', location.subregion), initial)
  tags.add(qualifiedTag('geo-city', location.city), initial)
  tags.add(qualifiedTag('geo-asn', location.asn), initial)
  tags.add(qualifiedTag('geo-org', location.organization), initial)
  tags.add(qualifiedTag('network', location.network), initial)
}

/** Tags of the request itself; those of the site come with `attachSiteTags`. */
export function attachRequestTags(tags: TagSet, { request, location, human }: Known): void {
  tags.add('all', initial)
  tags.add(human === 'none' ? 'bot' : 'human', initial)
  if (human !== 'none') tags.add(`human:${human}`, initial)
  if (human === 'interactive') tags.add('human:active', initial)
  tags.add(qualifiedTag('ip', request.ip), at('attributes', 'ip', request.ip))
  attachLocation(tags, location)
  tags.add(qualifiedTag('host', request.authority), at('attributes', 'authority', request.authority))
  tags.add(`headers:${String(request.headers.size)}`, initial)
  tags.add(`cookies:${String(request.cookies.size)}`, initial)
  tags.add(`args:${String(request.args.size)}`, initial)
  tags.add(`protocol:${request.scheme}`, initial)
  if (request.ipInvalid) tags.add('invalid-client-ip', initial)
  for (const tag of bodyTags(request)) tags.add(tag, initial)
}

/** Tags of the policy, the entry and its profiles; the profiles' also when they are inactive. */
export function attachSiteTags(tags: TagSet, { policy, entry }: Site): void {
  const source: TagSource = {
    stage: 1,
    kind: 'security-policy',
    id: policy.id,
    name: policy.name,
    locations: [],
  }
  tags.add(qualifiedTag('securitypolicy', policy.name), source)
  tags.add(qualifiedTag('securitypolicy-entry', entry.name), source)
  tags.addAll(policy.tags, source)
  tags.add(qualifiedTag('aclid', entry.acl.id), source)
  tags.add(qualifiedTag('aclname', entry.acl.name), source)
  tags.add(qualifiedTag('contentfilterid', entry.contentFilter.id), source)
  tags.add(qualifiedTag('contentfiltername', entry.contentFilter.name), source)
}
