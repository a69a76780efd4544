// The two policies that the pipeline is fuzzed under: what ships, and one in which every feature of the documents does
// something, so that a mutated request reaches as much code as it can. Clock, places of clients and state are the test's.
import { readFileSync, readdirSync } from 'node:fs'
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { type Clock, manualClock } from '#platform'
import { type Pipeline, createPipeline } from '#pipeline'
import { type Locator, noLocation } from '#request'
import { memoryState } from '#state'

type Entry = Readonly<Record<string, unknown>>
type Documents = Readonly<Record<string, readonly Entry[]>>

export type FuzzPolicy = {
  readonly name: 'shipped' | 'everything' | 'soak'
  readonly pipeline: Pipeline
  /** A host that has a site. */
  readonly authority: string
  readonly maxRecordBytes: number
  /**
   * How much more than under the shipped policy a decision may take: `everything` undoes four encodings instead of two, and
   * tries its expressions on the name of each value.
   */
  readonly work: number
  readonly clock: Clock & { advance(ms: number): void }
  /** What `onDefect` was told since it was asked last. */
  defects(): readonly unknown[]
  /** Counters and members of sets that the state keeps. */
  kept(): number
}

const folder = new URL('../../config/', import.meta.url)

function shippedDocuments(): Documents {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return Object.fromEntries(
    files.map((file) => [
      file.slice(0, -'.json'.length),
      JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as readonly Entry[],
    ]),
  )
}

const filter = (id: string, action: string | null, rule: unknown, tags: readonly string[] = [id]): Entry => ({
  id,
  name: id,
  active: true,
  source: 'self-managed',
  mdate: '2026-01-02T03:04:05Z',
  tags,
  action,
  rule,
})

/** Every kind of condition, plain and inverse, and every kind of action. */
const filters: readonly Entry[] = [
  filter('f-args', 'f-monitor', ['args', ['a', '(?i)[aeiou].*\\d']]),
  filter('f-not-args', null, ['args', ['q', '!^[0-9]+$']]),
  filter('f-cookies', 'f-monitor', ['cookies', ['sid', '^.{3,}$']]),
  filter('f-headers', null, ['headers', ['x-a', '(?:x|y)+z?$']]),
  filter('f-plugins', 'f-monitor', ['plugins', ['jwt.sub', '^u']]),
  filter('f-ip', null, {
    relation: 'OR',
    entries: [
      ['ip', '203.0.113.0/25'],
      ['ip', '!10.0.0.0/8'],
      ['ip', '2001:db8::/33'],
    ],
  }),
  filter('f-place', null, {
    relation: 'OR',
    entries: [
      ['asn', '64500'],
      ['organization', '^Example'],
      ['country', 'France'],
      ['country', '!US'],
      ['region', '^id'],
      ['subregion', '5'],
    ],
  }),
  filter('f-text', 'f-monitor', {
    relation: 'AND',
    entries: [
      ['method', '^[A-Z]{3,7}$'],
      ['authority', '\\.'],
      ['path', '^/(?:[a-z0-9-]+/?)+$'],
      {
        relation: 'OR',
        entries: [
          ['query', '(?:%[0-9a-f]{2})+'],
          ['uri', '[^\\x00-\\x7f]'],
        ],
      },
    ],
  }),
  filter('f-tagged', null, {
    relation: 'OR',
    entries: [
      ['tag', 'f-args'],
      ['tag', '!f-ip'],
      ['securitypolicyid', 'fuzz'],
      ['securitypolicyentryid', '!root'],
    ],
  }),
  filter('f-block', 'f-block', ['args', ['block', '.']]),
  filter('f-skip', 'action-skip', ['args', ['skip', '^yes$']]),
  filter('f-challenge', 'action-challenge', ['cookies', ['bot', '.']]),
  filter('f-ichallenge', 'action-interactive-challenge', ['headers', ['x-bot', '.']]),
]

const everyHeader = {
  'x-all':
    '${ip} ${tags} ${session} ${headers.user-agent} ${cookies.sid} ${args.a} ${uri} ${host} ${raw_uri} ${nope}',
  'x-page': '%Client_IP% %Timestamp% %Status_Code% %Host_Domain% %Request_ID% %Session_ID% %Nope_It%',
}

const actions: readonly Entry[] = [
  { id: 'f-monitor', name: 'f-monitor', type: 'monitor', tags: ['f m'], params: { headers: everyHeader } },
  {
    id: 'f-block',
    name: 'f-block',
    type: 'block',
    tags: ['f-b'],
    params: {
      status: 403,
      headers: { ...everyHeader, 'content-type': 'text/html' },
      content: '<p>%Client_IP% %Host_Domain% %Request_ID% %Status_Code% %Unknown_Token%</p>',
    },
  },
]

const limit = (id: string, changes: Entry): Entry => ({
  id,
  name: id,
  global: false,
  timeframe: 10,
  key: [{ attrs: 'ip' }],
  thresholds: [{ limit: 3, action: 'f-monitor' }],
  tags: [id],
  ...changes,
})

const attributes = [
  'ip',
  'network',
  'asn',
  'organization',
  'country',
  'region',
  'subregion',
  'method',
  'authority',
  'path',
  'query',
  'uri',
  'tags',
  'session',
  'securitypolicyid',
  'securitypolicyentryid',
] as const

const limits: readonly Entry[] = [
  limit('l-global', { global: true, key: [{ attrs: 'session' }], pairwith: { attrs: 'uri' } }),
  limit('l-ban', {
    global: true,
    key: [{ headers: 'x-a' }, { cookies: 'sid' }],
    thresholds: [
      { limit: 5, action: 'f-monitor' },
      { limit: 9, action: 'action-rate-limit-block' },
    ],
    ban_mode: true,
    ban_duration: 5,
  }),
  limit('l-args', { key: [{ args: 'a' }], pairwith: { args: 'q' }, exclude: ['f-skip'] }),
  limit('l-plugins', {
    key: [{ plugins: 'jwt.sub' }],
    include: { relation: 'AND', tags: ['all', 'f-args'] },
  }),
  limit('l-none', { key: [], thresholds: [{ limit: 0, action: 'f-monitor' }], include: ['f-cookies'] }),
  ...attributes.map((attribute) => limit(`l-${attribute}`, { key: [{ attrs: attribute }], timeframe: 2 })),
]

const flow: Entry = {
  id: 'flow',
  name: 'flow',
  active: true,
  timeframe: 10,
  key: [{ attrs: 'session' }, { args: 'a' }],
  tags: ['flowed'],
  include: ['all'],
  exclude: ['f-skip'],
  steps: [
    { method: 'GET', uri: '/search', headers: { 'user-agent': 'mozilla' }, args: { q: '.' } },
    { method: 'POST', uri: '/submit', cookies: { sid: '.' } },
    { method: 'POST', uri: '/submit', plugins: { 'jwt.sub': '^u' } },
  ],
}

const entry = (key: string, changes: Entry): Entry => ({
  key,
  reg: '',
  restrict: false,
  mask: false,
  ...changes,
})

const section = {
  max_count: 5000,
  max_length: 200_000,
  names: [
    entry('secret', { mask: true }),
    entry('id', { reg: '^\\d+$', restrict: true }),
    entry('note', {
      reg: '!^x',
      ignore_cf_rule_tags: ['cf-rule-category:sqli', 'cf-rule-id:libinjection-xss'],
    }),
  ],
  regex: [
    entry('^pass', { mask: true }),
    entry('token$', { reg: '^[a-f0-9]*$', mask: true, ignore_cf_rule_tags: ['cf-all'] }),
    entry('^free', { ignore_cf_rule_tags: ['cf-rule-risk:3'] }),
  ],
}

/** The content filter examines and reports everything, so that masking and the record have much to do. */
function profiles(shipped: Entry): readonly Entry[] {
  const common: Entry = {
    ...shipped,
    ignore_alphanum: false,
    decoding: { base64: true, dual: true, html: true, unicode: true },
    masking_seed: 's3ed',
    headers: { ...section, max_count: 200 },
    cookies: { ...section, max_count: 200 },
    args: section,
    path: { ...section, names: [entry('part3', { mask: true })], regex: [] },
    plugins: section,
    allsections: {
      ...section,
      regex: [entry('(?i)card', { mask: true }), entry('^zip$', { reg: '^\\d{5}$' })],
    },
    graphql_path: '',
    referer_as_uri: true,
  }
  return [
    shipped,
    { ...common, id: 'f-report', name: 'f-report', action: 'f-monitor' },
    {
      ...common,
      id: 'f-strict',
      name: 'f-strict',
      action: 'f-block',
      content_type: ['json', 'xml', 'url_encoded', 'multipart_form', 'graphql'],
      graphql_path: '$..[?(@.query =~ /\\w/)].query',
      max_body_depth: 20,
      ignore: [],
    },
  ]
}

const place = (id: string, match: string, profile: string, changes: Entry = {}): Entry => ({
  id,
  name: id,
  match,
  backend_service: '__default__',
  acl_profile: 'f-acl',
  content_filter_profile: profile,
  rate_limit_rules: limits.filter(({ global }) => global !== true).map(({ id }) => id),
  ...changes,
})

function everyDocument(): Documents {
  const shipped = shippedDocuments()
  const add = (namespace: string, ...entries: readonly Entry[]): readonly Entry[] => [
    ...(shipped[namespace] ?? []),
    ...entries,
  ]
  const [profile = {}] = shipped['content-filter-profiles'] ?? []
  return {
    ...shipped,
    actions: add('actions', ...actions),
    'global-filters': add('global-filters', ...filters),
    'rate-limit-rules': add('rate-limit-rules', ...limits),
    'flow-control-policies': add('flow-control-policies', flow),
    'content-filter-profiles': profiles(profile),
    'acl-profiles': add('acl-profiles', {
      id: 'f-acl',
      name: 'f-acl',
      action: 'action-acl-block',
      force_deny: ['deny-me'],
      passthrough: ['f-never'],
      allow_bot: ['f-cookies'],
      deny_bot: ['f-ichallenge'],
      allow: ['f-args'],
      deny: ['f-challenge'],
      tags: ['acl-seen'],
    }),
    'security-policies': add('security-policies', {
      id: 'fuzz',
      name: 'fuzz policy',
      tags: ['fuzzed'],
      session: [{ headers: 'x-session' }, { cookies: 'sid' }, { args: 'sid' }, { attrs: 'ip' }],
      session_ids: [{ headers: 'user-agent' }, { args: 'secret' }, { plugins: 'jwt.sub' }],
      map: [
        place('root', '^/$', 'f-report'),
        place('strict', '^/(?:api|hook|submit)', 'f-strict'),
        place('open', '^/open', 'f-report', { acl_profile_active: false }),
        place('__default_entry__', '__default__', 'f-report'),
        { id: '__site_level__', name: 'site level', match: '__site_level__', rate_limit_rules: ['l-ip'] },
      ],
    }),
    'server-groups': add('server-groups', {
      id: 'fuzz',
      name: 'fuzz',
      server_names: ['www.example.com', '*.example.org', '^h[0-9]+\\.example\\.net$'],
      security_policy: 'fuzz',
      proxy_template: 'fuzz',
    }),
    'proxy-templates': add('proxy-templates', {
      id: 'fuzz',
      name: 'fuzz',
      xff_header_name: 'true-client-ip, x-forwarded-for',
      trusted_nets: [{ source: 'ip', address: '10.0.0.0/8' }],
      limit_req_rate: '50',
      limit_req_burst: '100',
      body_overflow: 'partial',
    }),
  }
}

/** A place for every client, made up of its address. */
const locator: Locator = {
  missing: [],
  locate(ip) {
    // Its end alone: the fuzz makes addresses of thousands of digits.
    const last = Number(/\d+$/.exec(ip.slice(-8))?.[0] ?? -1)
    if (last < 0 || last % 7 === 0) return noLocation
    return {
      ...noLocation,
      country: last % 2 === 0 ? 'France' : "Côte d'Ivoire",
      countryCode: last % 2 === 0 ? 'FR' : 'CI',
      region: 'idf',
      subregion: '75',
      city: 'Saint-Étienne',
      asn: 64500 + (last % 10),
      organization: last % 3 === 0 ? 'Example Net' : 'Türk "Telekom" A.Ş.',
      network: '203.0.113.0/24',
      flags: last % 5 === 0 ? ['anon', 'tor', 'vpn'] : [],
    }
  },
}

type Wanted = Pick<FuzzPolicy, 'name' | 'authority' | 'maxRecordBytes' | 'work'> & {
  readonly documents: Documents
}

function compile({ documents, ...wanted }: Wanted): FuzzPolicy {
  const built = buildPolicy(documents, { allowLoopbackBackends: true })
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  const clock = manualClock(Date.UTC(2026, 2, 2, 9, 15, 4))
  const state = memoryState({ clock, maxKeys: 200_000 })
  let defects: unknown[] = []
  const pipeline = createPipeline(built.policy, {
    state,
    locator,
    challenges: createChallenges(),
    maxRecordBytes: wanted.maxRecordBytes,
    onDefect: (error) => defects.push(error),
  })
  return {
    ...wanted,
    pipeline,
    clock,
    defects() {
      const told = defects
      defects = []
      return told
    },
    kept() {
      const { keys, members } = state.stats()
      return keys + members
    },
  }
}

/** The smallest record that a setting may ask for, where records are largest. */
export const fuzzPolicies = (): readonly FuzzPolicy[] => [
  compile({
    name: 'shipped',
    authority: 'localhost',
    maxRecordBytes: 131_072,
    work: 1,
    documents: shippedDocuments(),
  }),
  compile({
    name: 'everything',
    authority: 'www.example.com',
    maxRecordBytes: 16_384,
    work: 2,
    documents: everyDocument(),
  }),
]

/** What ships, with a limit that bans, one that counts distinct values, and steps to take in order. */
export function soakPolicy(): FuzzPolicy {
  const shipped = shippedDocuments()
  const more: Documents = {
    'rate-limit-rules': [
      limit('s-ban', {
        global: true,
        timeframe: 60,
        thresholds: [{ limit: 20, action: 'action-rate-limit-block' }],
        ban_mode: true,
        ban_duration: 120,
      }),
      limit('s-paths', {
        global: true,
        timeframe: 30,
        key: [{ attrs: 'session' }],
        pairwith: { attrs: 'path' },
        thresholds: [{ limit: 15, action: 'action-rate-limit-block' }],
      }),
    ],
    'flow-control-policies': [{ ...flow, timeframe: 60, key: [{ attrs: 'ip' }] }],
  }
  const documents = Object.fromEntries(
    [...new Set([...Object.keys(shipped), ...Object.keys(more)])].map(
      (namespace) => [namespace, [...(shipped[namespace] ?? []), ...(more[namespace] ?? [])]] as const,
    ),
  )
  return compile({ name: 'soak', authority: 'localhost', maxRecordBytes: 131_072, work: 1, documents })
}
