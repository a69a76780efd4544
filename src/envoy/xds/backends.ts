// Which clusters exist: one for each way in which some route reaches a service. Routes ask here for the name of
// their cluster, and clusters and endpoints are made from the same list, so that no route can name a cluster
// that is not there.
import type { BackendService, Policy, ProxyTemplate, ServerGroup } from '#config'
import { patchesFor } from './patches/apply.ts'
import type { ListenerSettings } from './settings.ts'

/** `tcp`: bytes pass as they are, TLS included. */
export type Transport = 'http' | 'https' | 'tcp'

export type Backend = {
  readonly cluster: string
  readonly service: BackendService
  readonly transport: Transport
  /** Set for a port bridge: the port that the client used. */
  readonly bridgePort: number | undefined
  readonly connectTimeoutS: number
  /** The origin is addressed by its own name instead of the client's Host. */
  readonly ownHost: boolean
  /** Whose patches it bears, as a service reached from listeners of that protocol. */
  readonly template: ProxyTemplate
  readonly protocol: ListenerSettings['protocol']
}

export type Backends = {
  /** The cluster of a site whose TLS is not terminated. */
  passthrough(group: ServerGroup): Backend | undefined
  /** Sorted by cluster name. */
  readonly all: readonly Backend[]
  of(service: BackendService, template: ProxyTemplate, listener: ListenerSettings): Backend
}

const transportOf = (service: BackendService, listener: ListenerSettings): Transport =>
  service.transportMode === 'http' || service.transportMode === 'https'
    ? service.transportMode
    : listener.protocol

function baseName(service: BackendService, listener: ListenerSettings): string {
  const transport = transportOf(service, listener)
  return service.transportMode === 'port_bridge'
    ? `be|${service.id}|${listener.publicPort}|${transport}`
    : `be|${service.id}|${transport}`
}

type Reached = Pick<Backend, 'service' | 'transport' | 'bridgePort' | 'protocol'>

function patchesOf(template: ProxyTemplate, { service, protocol, transport }: Reached): string {
  const owner = { protocol, service: service.id }
  const targets = transport === 'https' ? (['cluster', 'upstream_tls'] as const) : (['cluster'] as const)
  const patches = targets.flatMap((target) => patchesFor(template, target, owner))
  return patches.length === 0 ? '' : JSON.stringify(patches)
}

/** What a template says that has to differ between clusters of one service. */
const flavourOf = (template: ProxyTemplate, patches: string): string =>
  `${template.connectTimeoutS}|${template.upstreamHost === '$proxy_host'}|${patches}`

/**
 * The first template in document order that reaches a service gives the plain name; one that differs from it
 * in a setting of the cluster, or patches it, adds `@<template>` (spec control-plane 2.1, 2.13).
 */
export function collectBackends(policy: Policy, listeners: readonly ListenerSettings[]): Backends {
  const found = new Map<string, Backend>()
  const names = new Map<string, Map<string, string>>()

  function nameOf(base: string, template: ProxyTemplate, reached: Reached): string {
    const flavours = names.get(base) ?? new Map<string, string>()
    names.set(base, flavours)
    const patches = patchesOf(template, reached)
    const flavour = flavourOf(template, patches)
    const known = flavours.get(flavour)
    if (known !== undefined) return known
    const taken = new Set(flavours.values())
    const own = `${base}@${template.id}`
    // The third is for patches of one protocol where both reach the service in the same way.
    const free = [...(patches === '' ? [base] : []), own, `${own}|${reached.protocol}`]
    const name = free.find((one) => !taken.has(one)) ?? own
    flavours.set(flavour, name)
    return name
  }

  function add(base: string, template: ProxyTemplate, backend: Reached): Backend {
    const cluster = nameOf(base, template, backend)
    const known = found.get(cluster)
    if (known) return known
    const made: Backend = {
      ...backend,
      cluster,
      connectTimeoutS: template.connectTimeoutS,
      ownHost: template.upstreamHost === '$proxy_host',
      template,
    }
    found.set(cluster, made)
    return made
  }

  const of = (service: BackendService, template: ProxyTemplate, listener: ListenerSettings): Backend =>
    add(baseName(service, listener), template, {
      service,
      transport: transportOf(service, listener),
      bridgePort: service.transportMode === 'port_bridge' ? listener.publicPort : undefined,
      protocol: listener.protocol,
    })

  function passthrough({ policy: { entries }, template }: ServerGroup): Backend | undefined {
    const service = entries.find(({ role }) => role === 'default')?.backend
    return (
      service &&
      add(`be|${service.id}|tcp`, template, {
        service,
        transport: 'tcp',
        bridgePort: undefined,
        protocol: 'https',
      })
    )
  }

  for (const listener of listeners)
    for (const group of policy.serverGroups) {
      if (group.tcpPassthrough && listener.protocol === 'https') {
        passthrough(group)
        continue
      }
      for (const entry of group.policy.entries)
        if (entry.role !== 'site-level' && entry.backend) of(entry.backend, group.template, listener)
    }

  const all = [...found.values()].toSorted((a, b) => (a.cluster < b.cluster ? -1 : 1))
  return { all, of, passthrough }
}
