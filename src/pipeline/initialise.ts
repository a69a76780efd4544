// Initialisation (spec pipeline 4.2): the tags that every request has before the first stage looks at it.
import type { HumanLevel, Location, LocationFlag, RequestView } from '#request'
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
  return [
    ...(body.malformed === undefined ? [] : ['malformed-body']),
    ...(body.partial ? ['body-partial'] : []),
    ...(body.binary ? ['body-binary'] : []),
    ...(body.tooDeep === undefined ? [] : ['body-too-deep']),
    ...(body.tooLarge === undefined ? [] : ['request-too-large']),
  ]
}

const flagTag: Readonly<Record<LocationFlag, string>> = {
  anon: 'geo-anon',
  sat: 'geo-sat',
  vpn: 'geo-vpn',
  tor: 'geo-tor',
  relay: 'geo-relay',
  hosting: 'geo-hosting',
  mobile: 'geo-mobile',
}

/** An opaque body stands among the arguments, but is none (spec pipeline 1.7). */
function countArguments({ args, body }: RequestView): number {
  const opaque =
    body.raw !== undefined &&
    body.malformed === undefined &&
    args.get(body.raw.name)?.value === body.raw.value
  return args.size - (opaque ? 1 : 0)
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
  for (const flag of location.flags ?? []) tags.add(flagTag[flag], initial)
  if (location.privacyService !== undefined) {
    tags.add(qualifiedTag('geo-privacy-service', location.privacyService), initial)
  }
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
  tags.add(`args:${String(countArguments(request))}`, initial)
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
