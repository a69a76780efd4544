// Which sites a connection can reach, and under which name Envoy knows the list. Connections without client certificates
// share one table; a site that asks for certificates is reached only over connections that were asked
// (spec control-plane 2.2).
import type { Policy, ServerGroup } from '#config'
import { type Profile, profilesOf } from './profiles.ts'
import type { ListenerSettings } from './settings.ts'

export type RouteTable = {
  /** Of the RouteConfiguration. */
  readonly name: string
  readonly groups: readonly ServerGroup[]
}

export const asksForCertificate = ({ clientCertificate }: ServerGroup): boolean =>
  clientCertificate.mode !== 'off'

/** Sites of every connection that did not ask for a certificate, on a TLS listener. */
export const openTable = (listener: ListenerSettings, { serverGroups }: Policy): RouteTable => ({
  name: `${listener.id}|off`,
  groups: serverGroups.filter((group) => !group.tcpPassthrough && !asksForCertificate(group)),
})

export const plainTable = (listener: ListenerSettings, { serverGroups }: Policy): RouteTable => ({
  name: `${listener.id}|plain`,
  groups: serverGroups,
})

/**
 * Sites of a profile's connections. A trusted peer (`t`) also reaches the sites that ask for nothing: the name that a CDN
 * sends in the handshake often differs from the host that it forwards.
 */
export function profileTable(
  listener: ListenerSettings,
  profile: Profile,
  chain: 't' | 'u',
  policy: Policy,
): RouteTable {
  const open = openTable(listener, policy)
  if (profile.clientCa === undefined) return open
  const name = `${listener.id}|${profile.name}`
  if (chain === 'u') return { name, groups: profile.groups }
  return { name: `${name}|t`, groups: [...profile.groups, ...open.groups] }
}

/** Every table of a listener, each once. */
export function routeTables(listener: ListenerSettings, policy: Policy): readonly RouteTable[] {
  if (listener.protocol === 'http') return [plainTable(listener, policy)]
  const asking = profilesOf(policy.serverGroups).filter(({ clientCa }) => clientCa !== undefined)
  return [
    openTable(listener, policy),
    ...asking.flatMap((profile) => {
      const own = profileTable(listener, profile, 'u', policy)
      return profile.connection.trustedSources.length === 0
        ? [own]
        : [own, profileTable(listener, profile, 't', policy)]
    }),
  ]
}
