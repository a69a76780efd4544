// The kinds of documents. A new kind is one file beside this one and one line here.
import { aclProfiles } from './acl-profiles.ts'
import { actions } from './actions.ts'
import { backendServices } from './backend-services.ts'
import { certificates } from './certificates.ts'
import { contentFilterProfiles } from './content-filter-profiles.ts'
import { contentFilterRules } from './content-filter-rules.ts'
import type { DocumentKind } from './document.ts'
import { flowControlPolicies } from './flow-control-policies.ts'
import { globalFilters } from './global-filters.ts'
import { loadBalancers } from './load-balancers.ts'
import { proxyTemplates } from './proxy-templates.ts'
import { rateLimitRules } from './rate-limit-rules.ts'
import { securityPolicies } from './security-policies.ts'
import { serverGroups } from './server-groups.ts'

/** In the order in which they are read and their problems listed: what is referred to before what refers. */
export const documents = [
  actions,
  globalFilters,
  flowControlPolicies,
  rateLimitRules,
  aclProfiles,
  contentFilterRules,
  contentFilterProfiles,
  certificates,
  backendServices,
  proxyTemplates,
  securityPolicies,
  serverGroups,
  loadBalancers,
] as const satisfies readonly DocumentKind<unknown>[]

/** Namespaces of the configuration that nothing in this version reads. */
export const notUsedNamespaces = [
  'dynamic-rules',
  'edge-functions',
  'log-exporters',
  'mobile-application-groups',
  'security-alerts',
  'system-db',
] as const
