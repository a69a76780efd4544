// Certificates and keys on their way to Envoy (SDS). A secret changes without a listener being touched.
import type { Certificate } from '#config'
import { type ClientCa, bundleFor, clientCasOf } from './client-ca.ts'
import { type JsonObject, fromAds, textOf } from './json.ts'
import type { Kind, World } from './kind.ts'

export const certificateSecret = ({ id }: Certificate): string => `cert|${id}`
export const clientCaSecret = ({ ca, listed }: ClientCa): string =>
  `clientca|${ca.id}${listed ? '|listed' : ''}`
export const backendCaSecret = ({ id }: Certificate): string => `backendca|${id}`

/** How another resource names a secret. */
export const secretReference = (name: string): JsonObject => ({ name, sds_config: fromAds })

const tlsCertificate = (certificate: Certificate): JsonObject => ({
  name: certificateSecret(certificate),
  tls_certificate: {
    certificate_chain: { inline_string: certificate.chain },
    private_key: { inline_string: certificate.key ?? '' },
  },
})

const trustedCa = (name: string, chain: string): JsonObject => ({
  name,
  validation_context: { trusted_ca: { inline_string: chain } },
})

/** Those that listeners and sites show to clients. */
function shown({ policy, settings }: World): readonly Certificate[] {
  const ofListeners = settings.listeners.flatMap((listener) =>
    listener.protocol === 'https' ? [listener.defaultCertificate, ...listener.certificates] : [],
  )
  const hasTls = settings.listeners.some(({ protocol }) => protocol === 'https')
  const ofSites = hasTls ? policy.serverGroups.map(({ certificate }) => certificate) : []
  return [...ofListeners, ...ofSites].filter((certificate) => certificate !== undefined)
}

function build(world: World): readonly JsonObject[] {
  const services = world.backends.all.map(({ service }) => service)
  const certificates = [
    ...shown(world),
    ...services.flatMap(({ clientCertificate }) => clientCertificate ?? []),
  ]
  const all = [
    ...certificates.filter(({ key }) => key !== undefined).map(tlsCertificate),
    ...clientCasOf(world.policy).map((one) =>
      trustedCa(clientCaSecret(one), bundleFor(one, world.settings.revocations)),
    ),
    ...services.flatMap(({ trustedCa: ca }) => (ca ? [trustedCa(backendCaSecret(ca), ca.chain)] : [])),
  ]
  return [...new Map(all.map((secret) => [textOf(secret, 'name'), secret])).values()]
}

export const secrets: Kind = {
  name: 'secret',
  message: 'envoy.extensions.transport_sockets.tls.v3.Secret',
  subscription: 'named',
  step: 1,
  nameOf: (resource) => textOf(resource, 'name'),
  build,
}
