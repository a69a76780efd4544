// Endpoints: the hosts of a service with weight, state and priority, and the filter processes. Services whose
// hosts are all addresses get theirs by EDS, so that a change drops no connection; the others carry the same
// assignment inside the cluster, because only there Envoy resolves names.
import { isIP } from 'node:net'
import type { BackHost } from '#config'
import type { Backend } from './backends.ts'
import { filterCluster } from './http-filters.ts'
import { type JsonObject, socketAddress, textOf } from './json.ts'
import type { Kind } from './kind.ts'
import type { FilterEndpoint } from './settings.ts'

/** Names and addresses of one entry: several may be written with commas. */
const hostsOf = (host: BackHost): readonly string[] =>
  host.host
    .split(',')
    .map((name) => name.trim().replace(/^\[(.*)\]$/, '$1'))
    .filter((name) => name !== '')

export const hasOnlyAddresses = (backend: Backend): boolean =>
  backend.service.hosts.every((host) => hostsOf(host).every((name) => isIP(name) !== 0))

function portsOf(backend: Backend, host: BackHost): readonly number[] {
  if (backend.bridgePort !== undefined) return [backend.bridgePort]
  return backend.transport === 'http' ? host.httpPorts : host.httpsPorts
}

function endpointsOf(backend: Backend, host: BackHost): readonly JsonObject[] {
  return hostsOf(host).flatMap((name) =>
    portsOf(backend, host).map((port) => ({
      endpoint: { address: socketAddress(name, port), ...(backend.ownHost ? { hostname: name } : {}) },
      ...(host.down ? { health_status: 'UNHEALTHY' } : {}),
      load_balancing_weight: host.weight,
    })),
  )
}

/** `ClusterLoadAssignment` of a service: backups are a second priority that is used when the first has nobody left. */
export function assignmentOf(backend: Backend): JsonObject {
  const { hosts } = backend.service
  const primaries = hosts.filter((host) => !host.backup)
  const backups = hosts.filter((host) => host.backup)
  const priorities = [primaries, backups].filter((group) => group.length > 0)
  return {
    cluster_name: backend.cluster,
    endpoints: priorities.map((group, priority) => ({
      ...(priority === 0 ? {} : { priority }),
      lb_endpoints: group.flatMap((host) => endpointsOf(backend, host)),
    })),
    policy: { overprovisioning_factor: 1000000 },
  }
}

const filterAddress = (filter: FilterEndpoint): JsonObject =>
  filter.kind === 'unix' ? { pipe: { path: filter.path } } : socketAddress(filter.address, filter.port)

/** By priority: a lower one is used when the one above has nobody left. */
export const filterAssignment = (priorities: readonly (readonly FilterEndpoint[])[]): JsonObject => ({
  cluster_name: filterCluster,
  endpoints: priorities.map((filters, priority) => ({
    ...(priority === 0 ? {} : { priority }),
    lb_endpoints: filters.map((filter) => ({ endpoint: { address: filterAddress(filter) } })),
  })),
  ...(priorities.length > 1 ? { policy: { overprovisioning_factor: 1000000 } } : {}),
})

export const endpoints: Kind = {
  name: 'endpoint',
  message: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  subscription: 'named',
  step: 0,
  nameOf: (resource) => textOf(resource, 'cluster_name'),
  build: ({ backends, settings }) => [
    ...backends.all.filter(hasOnlyAddresses).map(assignmentOf),
    filterAssignment([settings.filters]),
  ],
}
