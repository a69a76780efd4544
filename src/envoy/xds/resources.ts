// The kinds of Envoy resources, in the order in which Envoy has to learn of them: what is named comes before
// what names it (https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#eventual-consistency-considerations).
// A new kind is one file and one line here.
import { clusters } from './cluster.ts'
import { endpoints } from './endpoint.ts'
import type { Kind } from './kind.ts'
import { listeners } from './listener.ts'
import { offloads } from './offload.ts'
import { routes } from './route.ts'
import { secrets } from './secret.ts'

export const kinds: readonly Kind[] = [clusters, endpoints, secrets, listeners, routes, offloads]

export const typeUrlOf = (kind: Pick<Kind, 'message'>): string => `type.googleapis.com/${kind.message}`
