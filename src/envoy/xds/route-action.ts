// What Envoy does with a request that passed: cluster, time-outs, retries, stickiness, Host (spec control-plane 2.5).
import type { BackendService, ProxyTemplate } from '#config'
import { type JsonObject, seconds, typed } from './json.ts'
import type { ListenerSettings } from './settings.ts'
import { hashPolicy } from './stickiness.ts'

/** `unsized`: requests that do not say how long they are, where that matters. */
export type Variant = 'plain' | 'grpc' | 'websocket' | 'unsized'

const isLongLived = (variant: Variant): boolean => variant === 'grpc' || variant === 'websocket'

/** Seconds without a byte after which a long-lived stream ends. */
const streamIdleS = 3600

function retries(template: ProxyTemplate, variant: Variant): JsonObject {
  return {
    // Never once a request was sent: it may have had an effect.
    retry_on: 'connect-failure,refused-stream',
    num_retries: 2,
    ...(isLongLived(variant) ? {} : { per_try_idle_timeout: seconds(template.proxyReadTimeoutS) }),
    retry_host_predicate: [
      {
        name: 'envoy.retry_host_predicates.previous_hosts',
        typed_config: typed('envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate'),
      },
    ],
    // With a frequency of 1 a retry went to the backup beside a live primary.
    retry_priority: {
      name: 'envoy.retry_priorities.previous_priorities',
      typed_config: typed('envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig', {
        update_frequency: 2,
      }),
    },
    host_selection_retry_max_attempts: 3,
  }
}

function hostHeader(upstreamHost: string): JsonObject {
  if (upstreamHost === '$host' || upstreamHost === '$http_host') return {}
  return upstreamHost === '$proxy_host' ? { auto_host_rewrite: true } : { host_rewrite_literal: upstreamHost }
}

export type RouteActionInputs = {
  readonly cluster: string
  readonly service: BackendService
  readonly template: ProxyTemplate
  readonly variant: Variant
  readonly listener: ListenerSettings
}

export function routeAction(inputs: RouteActionInputs): JsonObject {
  const { cluster, service, template, variant, listener } = inputs
  const idle = Math.max(template.clientBodyTimeoutS, template.proxySendTimeoutS, template.proxyReadTimeoutS)
  return {
    cluster,
    timeout: '0s',
    idle_timeout: seconds(isLongLived(variant) ? streamIdleS : idle),
    flush_timeout: seconds(template.sendTimeoutS),
    retry_policy: retries(template, variant),
    ...hashPolicy(service, listener),
    ...hostHeader(template.upstreamHost),
    ...(variant === 'websocket' ? { upgrade_configs: [{ upgrade_type: 'websocket' }] } : {}),
  }
}
