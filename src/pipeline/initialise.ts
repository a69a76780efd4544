// Initialisation (spec pipeline 4.2): the tags that every request has before the first stage looks at it.
import type { MapEntry } from '#config'
import type { Connection, HumanLevel, Location, LocationFlag, RequestView } from '#request'
import { systemSource } from './actions.ts'
import { type TagSet, type TagSource, qualifiedTag } from './tags.ts'
import type { Site } from './transaction.ts'

type Known = { readonly request: RequestView; readonly location: Location; readonly human: HumanLevel }

const initial: TagSource = systemSource(1)
const at = (section: string, name: string, value: string): TagSource => ({
  ...initial,
  locations: [{ section, name, value }],
})

function attachBody(tags: TagSet, { body }: RequestView): void {
  if (body.malformed !== undefined) tags.add('malformed-body', initial)
  if (body.partial) tags.add('body-partial', initial)
  if (body.binary) tags.add('body-binary', initial)
  if (body.tooDeep !== undefined) tags.add('body-too-deep', initial)
  if (body.tooLarge !== undefined) tags.add('request-too-large', initial)
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

function describeLocation(location: Location): readonly string[] {
  const service = location.privacyService
  return [
    qualifiedTag('geo-continent-name', location.continentName),
    qualifiedTag('geo-continent-code', location.continentCode),
    qualifiedTag('geo-country', location.country),
    qualifiedTag('geo-region', location.region),
    qualifiedTag('geo-subregion', location.subregion),
    qualifiedTag('geo-city', location.city),
    qualifiedTag('geo-asn', location.asn),
    qualifiedTag('geo-org', location.organization),
    qualifiedTag('network', location.network),
    ...(location.flags ?? []).map((flag) => flagTag[flag]),
    ...(service === undefined ? [] : [qualifiedTag('geo-privacy-service', service)]),
  ]
}

/** Locations are remembered by address, and their tags with them. */
const locationTags = new WeakMap<Location, readonly string[]>()

function attachLocation(tags: TagSet, location: Location): void {
  let known = locationTags.get(location)
  if (known === undefined) locationTags.set(location, (known = describeLocation(location)))
  tags.addAll(known, initial)
}

function attachFingerprints(tags: TagSet, connection: Connection | undefined): void {
  if (connection?.ja3 !== undefined) tags.add(qualifiedTag('ja3', connection.ja3), initial)
  if (connection?.ja4 !== undefined) tags.add(qualifiedTag('ja4', connection.ja4), initial)
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
  attachFingerprints(tags, request.input.connection)
  attachBody(tags, request)
}

type SiteTags = { readonly tags: readonly string[]; readonly source: TagSource }

function describeSite({ policy, entry }: Site): SiteTags {
  return {
    source: { stage: 1, kind: 'security-policy', id: policy.id, name: policy.name, locations: [] },
    tags: [
      qualifiedTag('securitypolicy', policy.name),
      qualifiedTag('securitypolicy-entry', entry.name),
      ...policy.tags,
      qualifiedTag('aclid', entry.acl.id),
      qualifiedTag('aclname', entry.acl.name),
      qualifiedTag('contentfilterid', entry.contentFilter.id),
      qualifiedTag('contentfiltername', entry.contentFilter.name),
    ],
  }
}

/** By entry: entries belong to one policy each. */
const siteTags = new WeakMap<MapEntry, SiteTags>()

/** Tags of the policy, the entry and its profiles; the profiles' also when they are inactive. */
export function attachSiteTags(tags: TagSet, site: Site): void {
  let known = siteTags.get(site.entry)
  if (known === undefined) siteTags.set(site.entry, (known = describeSite(site)))
  tags.addAll(known.tags, known.source)
}
