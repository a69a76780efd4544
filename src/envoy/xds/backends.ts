// Which clusters exist: one for each way in which some route reaches a service. Routes ask here for the name of
// their cluster, and clusters and endpoints are made from the same list, so that no route can name a cluster
// that is not there.
import type { BackendService, Policy, ProxyTemplate, ServerGroup } from '#config'
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

/** What a template says that has to differ between clusters of one service. */
const flavourOf = (template: ProxyTemplate): string =>
  `${template.connectTimeoutS}|${template.upstreamHost === '$proxy_host'}`

/**
 * The first template in document order that reaches a service gives the plain name; one that differs from it
 * in a setting of the cluster adds `@<template>` (spec control-plane 2.1).
 */
export function collectBackends(policy: Policy, listeners: readonly ListenerSettings[]): Backends {
  const found = new Map<string, Backend>()
  const names = new Map<string, Map<string, string>>()

  function nameOf(base: string, template: ProxyTemplate): string {
    const flavours = names.get(base) ?? new Map<string, string>()
    names.set(base, flavours)
    const known = flavours.get(flavourOf(template))
    if (known !== undefined) return known
    const name = flavours.size === 0 ? base : `${base}@${template.id}`
    flavours.set(flavourOf(template), name)
    return name
  }

  function add(
    base: string,
    template: ProxyTemplate,
    backend: Pick<Backend, 'service' | 'transport' | 'bridgePort'>,
  ): Backend {
    const cluster = nameOf(base, template)
    const known = found.get(cluster)
    if (known) return known
    const made: Backend = {
      ...backend,
      cluster,
      connectTimeoutS: template.connectTimeoutS,
      ownHost: template.upstreamHost === '$proxy_host',
    }
    found.set(cluster, made)
    return made
  }

  const of = (service: BackendService, template: ProxyTemplate, listener: ListenerSettings): Backend =>
    add(baseName(service, listener), template, {
      service,
      transport: transportOf(service, listener),
      bridgePort: service.transportMode === 'port_bridge' ? listener.publicPort : undefined,
    })

  function passthrough({ policy: { entries }, template }: ServerGroup): Backend | undefined {
    const service = entries.find(({ role }) => role === 'default')?.backend
    return (
      service && add(`be|${service.id}|tcp`, template, { service, transport: 'tcp', bridgePort: undefined })
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
