// Settings of a connection, before Envoy knows for which site a request is. A plaintext listener serves all
// groups over one chain pair, so their templates are merged: the most generous number, the strictest handling
// of slashes (spec control-plane 2.3).
import type { ProxyTemplate } from '#config'

export type Connection = {
  readonly maxRequestHeadersKb: number
  readonly headerTimeoutS: number
  /** 0: not limited. */
  readonly requestTimeoutS: number
  /** 0: one request per connection. */
  readonly keepaliveTimeoutS: number
  readonly bodyTimeoutS: number
  readonly sendTimeoutS: number
  readonly bodyBufferBytes: number
  readonly mergeSlashes: boolean
  readonly escapedSlashes: ProxyTemplate['escapedSlashes']
  readonly trustedSources: readonly string[]
  /** All that any group names: their aliases are removed. */
  readonly clientAddressHeaders: readonly string[]
  /** Those by which Envoy itself finds the client: all of them when the groups agree, else X-Forwarded-For. */
  readonly detectionHeaders: readonly string[]
  readonly realIpHeaders: readonly string[]
}

const strictestFirst = ['reject', 'redirect', 'forward', 'keep'] as const
const unique = (names: readonly string[]): readonly string[] => [
  ...new Set(names.map((name) => name.toLowerCase())),
]

/** @param templates of the groups that share the chain; at least one. */
export function mergeTemplates(templates: readonly ProxyTemplate[]): Connection {
  const largest = (of: (template: ProxyTemplate) => number): number => Math.max(...templates.map(of))
  const requestTimeouts = templates.map((template) => template.requestTimeoutS)
  const headerSets = new Set(templates.map((template) => unique(template.clientAddressHeaders).join(',')))
  const clientAddressHeaders = unique(templates.flatMap((template) => template.clientAddressHeaders))
  return {
    maxRequestHeadersKb: Math.min(8192, Math.max(1, Math.ceil(largest((t) => t.maxRequestHeadersKb)))),
    headerTimeoutS: largest((t) => t.clientHeaderTimeoutS),
    requestTimeoutS: requestTimeouts.includes(0) ? 0 : Math.max(...requestTimeouts),
    keepaliveTimeoutS: largest((t) => t.keepaliveTimeoutS),
    bodyTimeoutS: largest((t) => t.clientBodyTimeoutS),
    sendTimeoutS: largest((t) => t.sendTimeoutS),
    bodyBufferBytes: largest((t) => t.clientBodyBufferBytes),
    mergeSlashes: templates.some((template) => template.mergeSlashes),
    escapedSlashes:
      strictestFirst.find((action) => templates.some((template) => template.escapedSlashes === action)) ??
      'redirect',
    trustedSources: templates.flatMap((template) => template.trustedSources),
    clientAddressHeaders,
    detectionHeaders: headerSets.size === 1 ? clientAddressHeaders : ['x-forwarded-for'],
    realIpHeaders: unique(templates.map((template) => template.realIpHeader)),
  }
}
