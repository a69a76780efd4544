// Config: the document kinds, and the Policy that they make.
export type {
  AclProfile,
  Action,
  ActionType,
  AdvancedPatch,
  Attribute,
  BackHost,
  BackendService,
  Certificate,
  Condition,
  ContentFilterProfile,
  ContentFilterRule,
  FlowPolicy,
  FlowStep,
  GlobalFilter,
  Header,
  Identity,
  Json,
  LoadBalancer,
  MapEntry,
  PatchOperation,
  PatchTarget,
  Policy,
  ProxyTemplate,
  RateLimitRule,
  Rule,
  Section,
  SectionEntry,
  SectionName,
  SecurityPolicy,
  Selector,
  ServerGroup,
  ServerName,
  Tag,
  TagScope,
  TlsSettings,
  TlsVersion,
} from './policy.ts'
export { closest } from './closest.ts'
export type { RuleExamples, RuleWithExamples } from './documents/content-filter-rules.ts'
export type { DocumentKind } from './documents/document.ts'
export { documents } from './documents/index.ts'
export { filterOrder } from './filter-order.ts'
export { serverNameKey } from './hosts.ts'
export { type Documents, type EncodedDocument, encodeForFilters } from './for-filters.ts'
export { type BundledCa, isIssuer, readBundle, trustedCas } from './certificate/bundle.ts'
export { distributionPoints } from './certificate/distribution-points.ts'
export { selfSigned } from './certificate/self-signed.ts'
export { type LoadOptions, type LoadResult, buildPolicy, loadFolder } from './load.ts'
export { type Problem, formatProblem, totalOf } from './problem.ts'
export {
  type ListedSerials,
  type Revocations,
  type RevokedBy,
  decodeLists,
  decodeRevocations,
  encodeRevocations,
  listsOf,
  noRevocations,
  revocationsOf,
} from './revocations.ts'
export { type RuleFolder, type ValueReading, readRuleFolder } from './rule-folder.ts'
export { type Referrer, inUse, referrersOf } from './referrers.ts'
export { expected } from './schema/explain.ts'
export { type Schema, jsonSchema } from './schema/json.ts'
export type { SeedSource } from './resolve/seed.ts'
export { normaliseTag } from './tag.ts'
export { type Watch, type WatchListeners, watchFolder } from './watch.ts'
