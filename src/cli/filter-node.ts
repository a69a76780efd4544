// Who a filter is to the control plane: its id, and where Envoys reach it.
import { hostname } from 'node:os'
import { isIP, isIPv6 } from 'node:net'
import type { PolicyStreamOptions } from '#envoy'
import { type Settings, type SocketPlace, formatPlace, ownAddresses, parsePlace } from '#platform'
import { UsageError } from './command.ts'

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'
const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '::1'

/** Where Envoys reach what listens at this place. Throws UsageError for a name. */
export function reachableAddress({ values }: Pick<Settings, 'values'>, listening: SocketPlace): SocketPlace {
  const given = values['filter.address']
  if (given !== undefined) {
    if (isIP(given.host) !== 0) return given
    throw new UsageError(`filter.address is ${given.host}: Envoys need an IP address there, not a name`)
  }
  if (!isWildcard(listening.host)) return listening
  const own = ownAddresses().filter((address) => !isLoopback(address) && !/^fe80:/i.test(address))
  const host = own.find((address) => !isIPv6(address)) ?? own[0] ?? '127.0.0.1'
  return { host, port: listening.port }
}

/** @param address where the filter listens, the chosen port in it */
export function filterNode(settings: Settings, address: string): PolicyStreamOptions['node'] {
  const { values } = settings
  const listening = parsePlace(address) ?? values['filter.listen']
  return {
    id: values['filter.node'] ?? `filter-${hostname()}-${String(listening.port)}`,
    bucket: values['xds.bucket'],
    region: values['filter.region'],
    grpcAddress: formatPlace(reachableAddress(settings, listening)),
  }
}
