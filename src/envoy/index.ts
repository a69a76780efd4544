// Envoy: the protocols between Envoy and Weir. Envoy's words stop here; the pipeline knows none of them.
export { type Admission, type Caller, admission, isThisMachine } from './access.ts'
export type {
  AccessLogEntry,
  ConnectionFailure,
  Durations,
  Endpoint,
  TlsSession,
} from './access-log-entry.ts'
export { type AccessLog, type AccessLogOptions, createAccessLog } from './access-log.ts'
export { type AuthzOptions, type Decide, authorizationService, checkPath, createAuthz } from './authz.ts'
export type { CertificateCoverage } from './coverage/certificate-coverage.ts'
export {
  type BackendHealth,
  type Coverage,
  type CoverageInputs,
  type EntryCoverage,
  type Inspection,
  type PatchCoverage,
  type SiteCoverage,
  coverageOf,
} from './coverage/coverage.ts'
export {
  type FilterServer,
  type FilterServerLog,
  type FilterServerOptions,
  startFilterServer,
} from './filter-server.ts'
export { type GrpcServer, type GrpcServerOptions, createGrpcServer } from './grpc-server.ts'
export { type Health, type ServingStatus, createHealth, healthCheckPath } from './health.ts'
export { type LeanServerOptions, createLeanServer } from './grpc/lean-server.ts'
export { type PackedAny, ProtoJsonError, encodeJson, fromJson, packJson } from './proto-json.ts'
export { isKnown, lookup } from './protos.ts'
export { type TlsPair, clientCredentials, serverCredentials } from './tls.ts'
export {
  GrpcError,
  type MethodPath,
  type OnDefect,
  type StatusCode,
  type Transport,
  type UnaryCall,
  type UnaryMethod,
  type UnaryServer,
  transports,
} from './transport.ts'
export {
  type Ads,
  type AdsLog,
  type AdsOptions,
  type AdsStatus,
  type NodeNack,
  type NodeStatus,
  createAds,
} from './xds/ads.ts'
export { type BootstrapValues, bootstrapTemplate, renderBootstrap } from './xds/bootstrap.ts'
export { InconsistentSnapshot, assertConsistent } from './xds/consistency.ts'
export {
  type FilterPolicy,
  decodePolicy,
  encodePolicy,
  policyKind,
  quarantineKind,
  withFilterResources,
} from './xds/filter-resources.ts'
export { type Fleet, type FleetMember, type FleetOptions, createFleet } from './xds/fleet.ts'
export { filterCluster } from './xds/http-filters.ts'
export { keepFleet, readKeptFleet } from './xds/kept-fleet.ts'
export { type PolicyKeeper, createPolicyKeeper, readKeptPolicy } from './xds/kept-policy.ts'
export {
  type KeeperOptions,
  type SnapshotKeeper,
  createSnapshotKeeper,
  readKeptSnapshot,
} from './xds/kept-snapshot.ts'
export { maxOffloaded, offloadResource, offloadSupport } from './xds/offload.ts'
export { type PatchLimits, PatchesRefused } from './xds/patches/apply.ts'
export {
  type FilterKindName,
  type FilterResource,
  type Held,
  type PolicyStream,
  type PolicyStreamOptions,
  openPolicyStream,
} from './xds/policy-stream.ts'
export type { NodeResult, PublishResult } from './xds/publisher.ts'
export {
  type FilterEndpoint,
  type ListenerSettings,
  type PlainListener,
  type XdsSettings,
  defaultXdsSettings,
} from './xds/settings.ts'
export {
  type OfferedSnapshot,
  type Resource,
  type Snapshot,
  buildSnapshot,
  createSnapshotBuilder,
  snapshotOf,
} from './xds/snapshot.ts'
export { staticConfigOf } from './xds/static-config.ts'
export { type AcmeToken, type Temporary, nothingTemporary } from './xds/temporary.ts'
