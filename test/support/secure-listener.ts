// A TLS listener for sites whose certificates are not what a test is about.
import type { ListenerSettings } from '#envoy'
import { makePair } from './pki.ts'

/** Shows one certificate to everybody. */
export function secureListener(id: string, names: readonly string[], publicPort = 443): ListenerSettings {
  const pair = makePair({ commonName: id, names })
  const month = 30 * 86_400_000
  return {
    id,
    protocol: 'https',
    address: '127.0.0.1',
    port: 0,
    publicPort,
    certificates: [],
    defaultCertificate: {
      ...pair,
      id,
      name: id,
      side: 'server',
      names,
      expires: Date.now() + month,
      crl: [],
    },
  }
}
