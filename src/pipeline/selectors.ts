// Selectors name one value of a request (spec pipeline 3.4): what rate limits count by, flows are keyed by and
// sessions are made of. `undefined` means that the request has no such value, and then its user skips the request.
import type { Attribute, Selector } from '#config'
import type { Location, RequestView } from '#request'
import type { TagSet } from './tags.ts'
import type { Session, Site } from './transaction.ts'

/** What selectors read from; a transaction is one. While the session itself is being made it has none. */
export type SelectorSource = {
  readonly request: RequestView
  readonly location: Location
  readonly site: Site
  readonly tags: TagSet
  readonly session: Session | undefined
}

const attributes: Readonly<Record<Attribute, true>> = {
  ip: true,
  network: true,
  asn: true,
  organization: true,
  country: true,
  region: true,
  subregion: true,
  method: true,
  authority: true,
  path: true,
  query: true,
  uri: true,
  tags: true,
  session: true,
  securitypolicyid: true,
  securitypolicyentryid: true,
}

export const isAttribute = (name: string): name is Attribute => Object.hasOwn(attributes, name)

/** The attribute's value as text. `session` is the request's own session key, never its hash. */
export function readAttribute(t: SelectorSource, attribute: Attribute): string | undefined {
  const { request, location, site } = t
  switch (attribute) {
    case 'ip':
      return request.ip
    case 'network':
      return location.network
    case 'asn':
      return location.asn === undefined ? undefined : String(location.asn)
    case 'organization':
      return location.organization
    case 'country':
      return location.countryCode
    case 'region':
      return location.region
    case 'subregion':
      return location.subregion
    case 'method':
      return request.method
    case 'authority':
      return request.authority
    case 'path':
      return request.uri.path
    case 'query':
      return request.uri.query
    case 'uri':
      return request.uri.uri
    case 'tags':
      return [...t.tags.names()].toSorted().join('*')
    case 'session':
      return t.session?.key
    case 'securitypolicyid':
      return site.policy.id
    case 'securitypolicyentryid':
      return site.entry.id
    default:
      return attribute satisfies never
  }
}

export function readSelector(t: SelectorSource, selector: Selector): string | undefined {
  switch (selector.in) {
    case 'attrs':
      return readAttribute(t, selector.attribute)
    case 'headers':
      return t.request.headers.get(selector.name)?.value
    case 'cookies':
      // The identity cookie counts only once it is proven genuine, which nothing does yet (spec bots-and-users 1.10).
      return selector.name === 'waap_id' ? undefined : t.request.cookies.get(selector.name)?.value
    case 'args':
      return t.request.args.get(selector.name)?.value
    case 'plugins':
      return t.request.plugins.get(selector.name)?.value
    default:
      return selector satisfies never
  }
}

/** Joins the selected values into one key, lengths first so that no two combinations collide; undefined if one is missing. */
export function readKey(t: SelectorSource, selectors: readonly Selector[]): string | undefined {
  let key = ''
  for (const selector of selectors) {
    const value = readSelector(t, selector)
    if (value === undefined) return undefined
    key += `${String(value.length)}:${value}`
  }
  return key
}
