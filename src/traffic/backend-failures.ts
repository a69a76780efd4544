// What became of requests to backends, counted from events: by service, and by reason where they failed. A failure is what
// Envoy says of a backend that did not answer, or an answer of the backend that begins with 5.
import type { BackendHealth } from '#envoy'

/** The parts of an event that are looked at; events of other versions may lack some. */
export type BackendEvent = {
  readonly upstream_cluster?: unknown
  readonly upstream_status?: unknown
  readonly tags?: unknown
}

export type BackendCount = {
  add(event: BackendEvent): void
  /** By id of the backend service. */
  result(): ReadonlyMap<string, BackendHealth>
}

/** `be|SERVICE|http@TEMPLATE`: the service of a cluster. */
function serviceOf(cluster: unknown): string | undefined {
  if (typeof cluster !== 'string' || !cluster.startsWith('be|')) return undefined
  return cluster.split('|', 2)[1]
}

const errorTag = 'origin-error:'

function failureOf({ tags, upstream_status: statuses }: BackendEvent): string | undefined {
  const tag: unknown = Array.isArray(tags)
    ? tags.find((one) => typeof one === 'string' && one.startsWith(errorTag))
    : undefined
  if (typeof tag === 'string') return tag.slice(errorTag.length).replaceAll('_', ' ')
  const last: unknown = Array.isArray(statuses) ? statuses.at(-1) : undefined
  return typeof last === 'number' && last >= 500 ? `answered ${String(last)}` : undefined
}

export function countBackends(): BackendCount {
  const requests = new Map<string, number>()
  const failures = new Map<string, Map<string, number>>()
  return {
    add(event) {
      const service = serviceOf(event.upstream_cluster)
      if (service === undefined) return
      requests.set(service, (requests.get(service) ?? 0) + 1)
      const reason = failureOf(event)
      if (reason === undefined) return
      const reasons = failures.get(service) ?? new Map<string, number>()
      failures.set(service, reasons)
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
    },
    result: () =>
      new Map(
        [...requests].map(([service, total]) => [
          service,
          {
            requests: total,
            failures: [...(failures.get(service) ?? [])]
              .map(([reason, count]) => ({ reason, count }))
              .toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
          },
        ]),
      ),
  }
}
