// Envoy: the protocols between Envoy and Weir. Envoy's words stop here; the pipeline knows none of them.
export { type PackedAny, ProtoJsonError, encodeJson, fromJson, packJson } from './proto-json.ts'
export { isKnown, lookup } from './protos.ts'
