// What a route tells the HTTP filters: whose rules apply, how much of the body the filter gets, what happens
// when the filter does not answer (spec control-plane 2.4).
import type { ProxyTemplate } from '#config'
import { bodyBuffer, filterNames } from './http-filters.ts'
import { type JsonObject, fullMatch, typed } from './json.ts'

/** Hints for the filter, which always finds group and entry itself and compares. */
export type RouteContext = {
  readonly listener: string
  readonly group: string
  readonly entry: string
  /** What the site asks of clients, or on a route for refusals what Envoy found. */
  readonly mtls: 'off' | 'on' | 'optional' | 'none' | 'failed'
}

/** `none`: the body streams by unread. `first-byte`: only whether there is one. Otherwise the bytes held for the filter. */
export type BodyMode =
  { readonly inspect: 'none' | 'first-byte' } | { readonly inspect: 'prefix'; readonly bytes: number }

const perRoute = (fields: JsonObject): JsonObject =>
  typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', fields)

function bodySettings(body: BodyMode): JsonObject {
  switch (body.inspect) {
    case 'none':
      return { disable_request_body_buffering: true }
    case 'first-byte':
      return { with_request_body: bodyBuffer(1) }
    case 'prefix':
      return { with_request_body: bodyBuffer(body.bytes) }
    default:
      return body satisfies never
  }
}

function checkSettings(context: RouteContext, body: BodyMode): JsonObject {
  return {
    ...bodySettings(body),
    context_extensions: {
      'weir.entry': context.entry,
      'weir.lb': context.listener,
      'weir.mtls': context.mtls,
      'weir.sg': context.group,
    },
  }
}

/** The question to the filter; with `open`, asked by the second of the two filters, which lets pass when nobody answers. */
export function authz(
  context: RouteContext,
  body: BodyMode,
  failureMode: ProxyTemplate['failureMode'],
): JsonObject {
  const settings = perRoute({ check_settings: checkSettings(context, body) })
  return failureMode === 'open'
    ? { [filterNames.extAuthz]: perRoute({ disabled: true }), [filterNames.extAuthzOpen]: settings }
    : { [filterNames.extAuthz]: settings }
}

/** A name with `*` at its end is a prefix; with `*` elsewhere an expression. */
function maskOf(name: string): JsonObject {
  const lower = name.toLowerCase()
  if (!lower.includes('*')) return { remove: lower }
  const prefix = lower.slice(0, -1)
  const matcher: JsonObject =
    lower.endsWith('*') && prefix !== '' && !prefix.includes('*')
      ? { prefix, ignore_case: true }
      : fullMatch(`(?i)${lower.replace(/[^a-z0-9*]/g, '\\$&').replaceAll('*', '.*')}`)
  return { remove_on_match: { key_matcher: matcher } }
}

function masks(template: ProxyTemplate): JsonObject {
  if (template.maskHeaders.length === 0) return {}
  return {
    [filterNames.headerMutation]: typed(
      'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute',
      {
        mutations: { response_mutations: template.maskHeaders.map(maskOf) },
      },
    ),
  }
}

/** `limit`: bodies of undeclared size end at the largest allowed one. */
function unsized(template: ProxyTemplate, streams: boolean): JsonObject {
  if (template.unsizedBody !== 'limit' || streams) return {}
  return {
    [filterNames.buffer]: typed('envoy.extensions.filters.http.buffer.v3.BufferPerRoute', {
      buffer: { max_request_bytes: template.clientMaxBodyBytes },
    }),
  }
}

export type RouteFilterInputs = {
  readonly context: RouteContext
  readonly template: ProxyTemplate
  readonly body: BodyMode
  /** gRPC and upgrades: nothing may wait for the end of the body. */
  readonly streams: boolean
}

export const routeFilters = ({ context, template, body, streams }: RouteFilterInputs): JsonObject => ({
  ...unsized(template, streams),
  ...authz(context, body, template.failureMode),
  ...masks(template),
})
