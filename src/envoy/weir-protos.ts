// Weir's own protobuf types (`proto/weir/`), and the few of Envoy's that a filter needs to subscribe to them. Apart from
// `protos.ts`, so that a filter does not load every type that Envoy has.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { loadEnvoyFiles } from './protos.ts'

const folder = fileURLToPath(new URL('../../proto/', import.meta.url))

function load(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, file) => join(folder, file)
  return root.loadSync(['weir/config/v1/policy.proto', 'weir/config/v1/quarantine.proto'], {
    keepCase: true,
  })
}

let own: protobuf.Root | undefined
let discovery: protobuf.Root | undefined

/** The message of this name in `weir.config.v1`. Throws for one that is not there. */
export function weirType(name: 'Policy' | 'Quarantine'): protobuf.Type {
  own ??= load()
  return own.lookupType(`weir.config.v1.${name}`)
}

/** The message of this name in `envoy.service.discovery.v3`. */
export function discoveryType(name: 'DeltaDiscoveryRequest' | 'DeltaDiscoveryResponse'): protobuf.Type {
  discovery ??= loadEnvoyFiles(['envoy/service/discovery/v3/discovery.proto'])
  return discovery.lookupType(`envoy.service.discovery.v3.${name}`)
}
