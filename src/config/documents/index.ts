// The kinds of documents. A new kind is one file beside this one and one line here.
import { aclProfiles } from './acl-profiles.ts'
import { actions } from './actions.ts'
import { backendServices } from './backend-services.ts'
import { certificates } from './certificates.ts'
import { contentFilterProfiles } from './content-filter-profiles.ts'
import { contentFilterRules } from './content-filter-rules.ts'
import type { DocumentKind } from './document.ts'
import { edgeFunctions } from './edge-functions.ts'
import { flowControlPolicies } from './flow-control-policies.ts'
import { globalFilters } from './global-filters.ts'
import { loadBalancers } from './load-balancers.ts'
import { mobileApplicationGroups } from './mobile-application-groups.ts'
import { proxyTemplates } from './proxy-templates.ts'
import { rateLimitRules } from './rate-limit-rules.ts'
import { securityPolicies } from './security-policies.ts'
import { serverGroups } from './server-groups.ts'
import { systemDb } from './system-db.ts'

/** In the order in which they are read and their problems listed: what is referred to before what refers. */
export const documents = [
  actions,
  globalFilters,
  systemDb,
  flowControlPolicies,
  rateLimitRules,
  aclProfiles,
  contentFilterRules,
  contentFilterProfiles,
  certificates,
  backendServices,
  edgeFunctions,
  mobileApplicationGroups,
  proxyTemplates,
  securityPolicies,
  serverGroups,
  loadBalancers,
] as const satisfies readonly DocumentKind<unknown>[]

/** Namespaces of the configuration that nothing in this version reads. */
export const notUsedNamespaces = ['dynamic-rules', 'log-exporters', 'security-alerts'] as const
