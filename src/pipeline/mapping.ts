// Which site a request belongs to (spec pipeline 3): host → server group, path → entry of its security policy.
// Hosts are found by hash, patterns by one set each, so the cost does not grow with the sites that do not match.
import type { MapEntry, Policy, SecurityPolicy, ServerGroup } from '#config'
import { type PatternSet, compilePatternSet } from '#platform'
import type { Head } from '#request'
import type { Site } from './transaction.ts'

type HostMap = { find(authority: string, host: string): ServerGroup | undefined }

const withoutTrailingDot = (host: string): string => (host.endsWith('.') ? host.slice(0, -1) : host)

function compileHosts(groups: readonly ServerGroup[]): HostMap {
  const literals = new Map<string, ServerGroup>()
  const suffixes = new Map<string, ServerGroup>()
  const patterns: { readonly source: string; readonly withPort: boolean; readonly group: ServerGroup }[] = []
  let everything: ServerGroup | undefined
  for (const group of groups) {
    for (const name of group.serverNames) {
      if (name.kind === 'literal') literals.set(name.host, group)
      else if (name.kind === 'wildcard') suffixes.set(name.suffix, group)
      else if (name.kind === 'regex')
        patterns.push({ source: name.pattern, withPort: name.pattern.includes(':'), group })
      else everything ??= group
    }
  }
  const byLength = patterns.toSorted((a, b) => b.source.length - a.source.length)
  const compile = (withPort: boolean): { set: PatternSet; order: readonly number[] } => {
    const order = byLength.flatMap((pattern, i) => (pattern.withPort === withPort ? [i] : []))
    const sources = order.map((i) => `^(?:${byLength[i]?.source ?? ''})$`)
    return { set: compilePatternSet(sources, { ignoreCase: true }), order }
  }
  const plain = compile(false)
  const ported = compile(true)

  const bySuffix = (name: string): ServerGroup | undefined => {
    for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      const group = suffixes.get(name.slice(dot))
      if (group !== undefined) return group
    }
    return undefined
  }
  const byPattern = (authority: string, host: string): ServerGroup | undefined => {
    if (byLength.length === 0) return undefined
    const found = [
      ...plain.set.match(host).map((i) => plain.order[i] ?? Infinity),
      ...ported.set.match(authority).map((i) => ported.order[i] ?? Infinity),
    ]
    return found.length === 0 ? undefined : byLength[Math.min(...found)]?.group
  }
  return {
    find: (authority, host) =>
      literals.get(authority) ??
      literals.get(host) ??
      bySuffix(authority) ??
      bySuffix(host) ??
      byPattern(authority, host) ??
      everything,
  }
}

/** Finds the entry of one security policy; siteLevel is the entry that is added to whichever is found. */
type PathMap = { readonly siteLevel: MapEntry | undefined; find(path: string): MapEntry }

function compilePaths(policy: SecurityPolicy): PathMap {
  const byRole = (role: MapEntry['role']): MapEntry | undefined =>
    policy.entries.find((entry) => entry.role === role)
  const fallback = byRole('default')
  if (fallback === undefined) throw new Error(`security policy "${policy.id}" has no default entry`)
  const root = byRole('root')
  const entries = policy.entries
    .filter((entry) => entry.role === 'path')
    .toSorted((a, b) => b.match.length - a.match.length)
  const set = compilePatternSet(entries.map((entry) => entry.match))
  return {
    siteLevel: byRole('site-level'),
    find(path) {
      if (path === '/' && root !== undefined) return root
      if (set.size === 0) return fallback
      let first = Infinity
      for (const index of set.match(path)) if (index < first) first = index
      return entries[first] ?? fallback
    },
  }
}

export type Mapping = {
  /** Undefined: no server group answers for this host. */
  site(head: Head): Site | undefined
  siteLevel(policy: SecurityPolicy): MapEntry | undefined
  entryOf(site: Site, entryId: string): MapEntry | undefined
}

export function compileMapping(policy: Policy): Mapping {
  const hosts = compileHosts(policy.serverGroups)
  const paths = new Map<SecurityPolicy, PathMap>()
  for (const group of policy.serverGroups) {
    if (!paths.has(group.policy)) paths.set(group.policy, compilePaths(group.policy))
  }
  return {
    site(head) {
      const group = hosts.find(withoutTrailingDot(head.authority), withoutTrailingDot(head.host))
      if (group === undefined) return undefined
      const entry = paths.get(group.policy)?.find(head.uri.path)
      return entry === undefined ? undefined : { group, policy: group.policy, entry }
    },
    siteLevel: (securityPolicy) => paths.get(securityPolicy)?.siteLevel,
    entryOf: (site, entryId) => site.policy.entries.find((entry) => entry.id === entryId),
  }
}
