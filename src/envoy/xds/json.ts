// Envoy resources are built as proto3 JSON: plain objects that can be read, compared and written to golden
// files. `protos.ts` turns them into protobuf; nothing here knows of it.

export type Json = string | number | boolean | null | readonly Json[] | { readonly [field: string]: Json }
export type JsonObject = { readonly [field: string]: Json }

/** A message inside `google.protobuf.Any`. */
export const typed = (type: string, fields: JsonObject = {}): JsonObject => ({
  '@type': `type.googleapis.com/${type}`,
  ...fields,
})

/** A named extension with its configuration. */
export const extension = (name: string, type: string, fields: JsonObject = {}): JsonObject => ({
  name,
  typed_config: typed(type, fields),
})

/** `google.protobuf.Duration` of a number of seconds. */
export const seconds = (count: number): string => `${count}s`

export const fullMatch = (regex: string): JsonObject => ({ safe_regex: { regex } })

/** Where Envoy takes a resource that another one names: the stream that it already has. */
export const fromAds: JsonObject = { ads: {}, resource_api_version: 'V3' }

export const socketAddress = (address: string, port: number): JsonObject => ({
  socket_address: { address, port_value: port },
})

export const grpcService = (cluster: string, timeout: string): JsonObject => ({
  envoy_grpc: { cluster_name: cluster },
  timeout,
})

export const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A string field; empty when it is not one. */
export const textOf = (resource: JsonObject, field: string): string => {
  const value = resource[field]
  return typeof value === 'string' ? value : ''
}
