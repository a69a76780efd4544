// Proofs for certificate authorities: while Weir orders a certificate, every host answers the order's token, before anything
// else and without asking the filter, which could only stand in the way (spec control-plane 2.10). Other challenge requests go
// to the origin, whose own orders they may belong to.
import { filterNames } from './http-filters.ts'
import { type JsonObject, isObject, typed } from './json.ts'
import type { AcmeToken } from './temporary.ts'

const tokenRoute = ({ token, authorization }: AcmeToken): JsonObject => ({
  name: `acme|${token}`,
  match: { path: `/.well-known/acme-challenge/${token}` },
  direct_response: { status: 200, body: { inline_string: authorization } },
  typed_per_filter_config: {
    [filterNames.extAuthz]: typed('envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute', {
      disabled: true,
    }),
  },
})

/** The virtual hosts with a route for each token in front of their own. */
export function withTokens(
  tokens: readonly AcmeToken[],
  hosts: readonly JsonObject[],
): readonly JsonObject[] {
  if (tokens.length === 0) return hosts
  const answers = tokens.map(tokenRoute)
  return hosts.map((host) => {
    const routes = Array.isArray(host['routes']) ? host['routes'].filter(isObject) : []
    return { ...host, routes: [...answers, ...routes] }
  })
}
