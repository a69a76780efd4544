// Profiles: the sites that can share TLS connections, because everything that is settled before a request is read is the
// same for them. One pair of filter chains per profile keeps thousands of hosts to a few chains (spec control-plane 2.1).
import { createHash } from 'node:crypto'
import type { AdvancedPatch, ProxyTemplate, ServerGroup, TlsSettings } from '#config'
import { type ClientCa, clientCaOf } from './client-ca.ts'
import { type Connection, mergeTemplates } from './connection.ts'

export type Profile = {
  /** `p-` and eight hexadecimal digits that say what is shared. */
  readonly name: string
  readonly groups: readonly ServerGroup[]
  readonly connection: Connection
  readonly tls: TlsSettings
  /** Clients are asked for a certificate of this CA; undefined: they are not asked. */
  readonly clientCa: ClientCa | undefined
  /** One of those that are shared: its patches are those of all. */
  readonly template: ProxyTemplate
}

const connectionTargets: ReadonlySet<string> = new Set([
  'http_connection_manager',
  'filter_chain',
  'downstream_tls',
])

/** Patches of what a connection is made of, without the words for messages. */
const connectionPatches = ({ advanced }: ProxyTemplate): readonly Partial<AdvancedPatch>[] =>
  advanced
    .filter(({ target, protocols }) => connectionTargets.has(target) && protocols.includes('https'))
    .map(({ target, listener, change }) => ({
      target,
      ...(listener === undefined ? {} : { listener }),
      change,
    }))

function nameOf(group: ServerGroup): string {
  const asked = clientCaOf(group)
  const shared: unknown[] = [mergeTemplates([group.template]), group.tls, asked?.ca.id, asked?.ca.chain]
  // Sites whose lists are looked at have a bundle of their own.
  if (asked?.listed === true) shared.push('listed')
  const patches = connectionPatches(group.template)
  if (patches.length > 0) shared.push(patches)
  return `p-${createHash('sha256').update(JSON.stringify(shared)).digest('hex').slice(0, 8)}`
}

/** The profiles of the sites whose TLS ends at Envoy, sorted by name. */
export function profilesOf(groups: readonly ServerGroup[]): readonly Profile[] {
  const terminated = groups.filter(({ tcpPassthrough }) => !tcpPassthrough)
  return [...Map.groupBy(terminated, nameOf)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, members]) => {
      const [first] = members
      if (first === undefined) return []
      const connection = mergeTemplates([first.template])
      return [
        {
          name,
          groups: members,
          connection,
          tls: first.tls,
          clientCa: clientCaOf(first),
          template: first.template,
        },
      ]
    })
}
