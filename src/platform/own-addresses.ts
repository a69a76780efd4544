// The addresses of this machine's own interfaces.
import { networkInterfaces } from 'node:os'
import { canonicalAddress } from './address.ts'

/** In canonical form, loopback included, as they are now. */
export function ownAddresses(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).flatMap(({ address }) => canonicalAddress(address.replace(/%.*$/, '')) ?? []),
  )
}
