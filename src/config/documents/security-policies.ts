// Which paths of a site are guarded by what and served by whom (spec pipeline 3.2, 7.5; control-plane 1.2).
import { type Static, Type } from 'typebox'
import { duplicate, finding, required } from '../findings.ts'
import type { MapEntry, Selector, Tag } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, id, partSchema, readPattern, readTags, reference } from './common.ts'
import { identityOf } from './common.ts'
import { attributes, readSelectors, selectorSchema } from './selector.ts'

const sessionAttributes = attributes.filter((one) => one !== 'tags' && one !== 'session')
const sessionSelector = selectorSchema(sessionAttributes)

const mapEntry = partSchema(
  {
    id,
    name: Type.String({
      minLength: 1,
      maxLength: 250,
      description: 'Shown in events.',
      expected: 'a string of 1 to 250 characters',
    }),
    description: Type.Optional(Type.Union([Type.String(), Type.Null()], { description: 'For people.' })),
    match: Type.String({
      syntax: 're2',
      description: 'Expression, searched in the path with case; the longest that is found wins.',
    }),
    acl_profile: Type.Optional(reference('acl-profiles', 'ACL profile. Default: `__acldefault__`.')),
    acl_profile_active: Type.Optional(Type.Boolean({ description: 'Default: true. Also: `acl_active`.' })),
    content_filter_profile: Type.Optional(
      reference('content-filter-profiles', 'Content filter profile. Default: `__defaultcontentfilter__`.'),
    ),
    content_filter_profile_active: Type.Optional(
      Type.Boolean({ description: 'Default: true. Also: `content_filter_active`.' }),
    ),
    rate_limit_rules: Type.Optional(
      Type.Array(reference('rate-limit-rules', 'Rate limit rule.'), {
        description: 'Also: `limit_ids`. Default: none.',
      }),
    ),
    edge_functions: Type.Optional(
      Type.Array(reference('edge-functions', 'Edge function.'), {
        description: 'Also: `cloud_functions`. Default: none.',
        waitsFor: 'a runtime for Lua',
      }),
    ),
    backend_service: Type.Optional(
      reference(
        'backend-services',
        'Backend service; required except on the site level. Also: `backend_id`.',
      ),
    ),
    grpc: Type.Optional(Type.Boolean({ description: 'The path carries gRPC. Default: false.' })),
  },
  {
    aliases: {
      acl_active: 'acl_profile_active',
      content_filter_active: 'content_filter_profile_active',
      limit_ids: 'rate_limit_rules',
      backend_id: 'backend_service',
      cloud_functions: 'edge_functions',
    },
  },
)

const schema = entrySchema(
  {
    session: Type.Optional(
      Type.Array(sessionSelector, {
        description: 'Main session id: the first with a value. Default: the client IP.',
      }),
    ),
    session_ids: Type.Optional(
      Type.Array(sessionSelector, { description: 'Further parts of the session id. Default: none.' }),
    ),
    map: Type.Array(mapEntry, {
      minItems: 1,
      description: 'Entries by path; exactly one is the default entry.',
    }),
  },
  { ignored: ['match'] },
)
type MapEntryDocument = Static<typeof mapEntry>

export type MapEntryEntry = Pick<
  MapEntry,
  'id' | 'name' | 'role' | 'match' | 'aclActive' | 'contentFilterActive' | 'grpc'
> & {
  readonly aclId: string
  readonly contentFilterId: string
  readonly rateLimitIds: readonly string[]
  readonly edgeFunctionIds: readonly string[]
  readonly backendId: string | undefined
}

/** A policy whose map names other documents by id. */
export type SecurityPolicyEntry = {
  readonly id: string
  readonly name: string
  readonly tags: readonly Tag[]
  readonly session: readonly Selector[]
  readonly sessionIds: readonly Selector[]
  readonly entries: readonly MapEntryEntry[]
}

const defaultName = '__default__'

/** Which part an entry plays (spec pipeline 3.2). */
function roleOf(entry: MapEntryDocument): MapEntry['role'] {
  if (entry.id === '__site_level__') return 'site-level'
  if (entry.id === '__root_entry__') return 'root'
  if (entry.id === '__default_entry__' || entry.match === defaultName) return 'default'
  const called = [entry.id, entry.name]
  const isDefault = entry.match === '/' && (called.includes('default') || called.includes(defaultName))
  return isDefault ? 'default' : 'path'
}

function readMapEntry(entry: MapEntryDocument, at: string, report: Report): MapEntryEntry {
  const role = roleOf(entry)
  readPattern(entry.match, `${at}.match`, report)
  if (role === 'path' && entry.match === '') {
    report.problem(`${at}.match`, required('match', 'an expression; an empty one takes every path'))
  }
  if (entry.backend_service === undefined && role !== 'site-level') {
    report.problem(`${at}.backend_service`, required('backend_service', 'the id of a backend service'))
  }
  if (role === 'site-level') warnOfIgnored(entry, at, report)
  return {
    id: entry.id,
    name: entry.name,
    role,
    match: entry.match,
    aclId: entry.acl_profile || '__acldefault__',
    aclActive: entry.acl_profile_active ?? true,
    contentFilterId: entry.content_filter_profile || '__defaultcontentfilter__',
    contentFilterActive: entry.content_filter_profile_active ?? true,
    rateLimitIds: [...new Set(entry.rate_limit_rules)],
    edgeFunctionIds: [...new Set(entry.edge_functions)],
    backendId: role === 'site-level' ? undefined : entry.backend_service,
    grpc: entry.grpc ?? false,
  }
}

function warnOfIgnored(entry: MapEntryDocument, at: string, report: Report): void {
  for (const field of ['acl_profile', 'content_filter_profile', 'backend_service'] as const) {
    if (entry[field] === undefined) continue
    report.warning(
      `${at}.${field}`,
      finding(
        `${field} of the site level is ignored`,
        'Remove it; set it on the path entries. The site level only adds rate limits and edge functions.',
      ),
    )
  }
}

function checkUnique(entries: readonly MapEntryEntry[], field: 'id' | 'match', report: Report): void {
  const seen = new Map<string, number>()
  entries.forEach((entry, index) => {
    const first = seen.get(entry[field])
    if (first === undefined) seen.set(entry[field], index)
    else report.problem(`${fieldPath('map', index)}.${field}`, duplicate(field, `map[${first}]`))
  })
}

function parse(entry: Static<typeof schema>, report: Report): SecurityPolicyEntry {
  const entries = entry.map.map((one, index) => readMapEntry(one, fieldPath('map', index), report))
  checkUnique(entries, 'id', report)
  checkUnique(entries, 'match', report)
  const defaults = entries.filter(({ role }) => role === 'default').length
  if (defaults !== 1) {
    report.problem(
      'map',
      finding(
        `must have exactly one default entry, has ${defaults}`,
        defaults === 0
          ? 'Give one entry the id "__default_entry__"; it takes the paths that no other entry takes.'
          : 'Keep one of them, and give the others an id and a match of their own.',
      ),
    )
  }
  return {
    ...identityOf(entry),
    tags: readTags(entry.tags, 'tags', report),
    session: readSelectors(entry.session ?? []),
    sessionIds: readSelectors(entry.session_ids ?? []),
    entries,
  }
}

export const securityPolicies = defineDocument({
  namespace: 'security-policies',
  noun: 'security policy',
  title: 'Security policies',
  description: 'Path by path: ACL profile, content filter, rate limits and backend service.',
  schema,
  examples: [
    {
      id: 'shop',
      name: 'Shop',
      description: '',
      tags: ['shop'],
      session: [{ cookies: 'sid' }, { attrs: 'ip' }],
      session_ids: [{ headers: 'x-device-id' }],
      map: [
        { id: '__root_entry__', name: 'root', match: '^/$', backend_service: 'app' },
        {
          id: 'api',
          name: 'api',
          match: '^/api/',
          acl_profile: 'members',
          content_filter_profile: 'api-filter',
          rate_limit_rules: ['r'],
          backend_service: 'app',
        },
        {
          id: '__site_level__',
          name: 'site',
          match: '__site_level__',
          rate_limit_rules: ['account-sharing'],
        },
        { id: '__default_entry__', name: 'default', match: '__default__', backend_service: 'app' },
      ],
    },
  ],
  parse,
})
