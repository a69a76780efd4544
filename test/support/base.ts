// The base configuration B of the worked examples (spec pipeline 9), and a small way to run requests through it. Examples
// change documents by replacing or adding entries; the clock stands still until a request says `after`.
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { type Clock, manualClock } from '#platform'
import { type Decision, createPipeline, createTracer } from '#pipeline'
import {
  type BodyInput,
  type HeaderLine,
  type HumanLevel,
  type Locator,
  type RequestInput,
  noLocation,
} from '#request'
import { memoryState } from '#state'

export type Entry = Readonly<Record<string, unknown>>
export type Documents = Readonly<Record<string, readonly Entry[]>>

const section = {
  enable_max_count: true,
  enable_max_length: true,
  max_count: 128,
  max_length: 16384,
  names: [],
  regex: [],
}

export const contentFilter: Entry = {
  id: '__defaultcontentfilter__',
  name: 'default contentfilter',
  ignore_alphanum: true,
  decoding: { base64: true, dual: true, html: false, unicode: false },
  masking_seed: 's3ed',
  headers: section,
  cookies: section,
  args: { ...section, max_count: 5000, max_length: 1048576 },
  path: section,
  active: [
    'cf-rule-risk:5',
    'cf-rule-risk:4',
    'cf-rule-risk:3',
    'cf-rule-id:libinjection-sqli',
    'cf-rule-id:libinjection-xss',
  ],
  report: ['cf-rule-risk:2', 'cf-rule-risk:1'],
  ignore: ['malformed-body'],
}

const block = (id: string, status: number, tag: string): Entry => ({
  id,
  name: id,
  type: 'block',
  tags: [tag],
  params: { status, content: 'access denied', headers: { 'content-type': 'text/html' } },
})

export const actions: readonly Entry[] = [
  { id: 'action-monitor', name: 'monitor', type: 'monitor', tags: ['action:monitor'] },
  { id: 'action-skip', name: 'skip security', type: 'skip', tags: ['action:skip'] },
  { id: 'action-challenge', name: 'challenge', type: 'challenge', tags: ['action:challenge'] },
  {
    id: 'action-interactive-challenge',
    name: 'interactive challenge',
    type: 'interactive_challenge',
    tags: ['action:interactive-challenge'],
  },
  block('action-global-filter-block', 470, 'action:global-filter-block'),
  block('action-rate-limit-block', 471, 'action:rate-limit-block'),
  block('action-acl-block', 472, 'action:acl-block'),
  block('action-contentfilter-block', 473, 'action:content-filter-block'),
  {
    id: 'action-https-redirect',
    name: 'https redirect',
    type: 'block',
    tags: ['action:https-redirect'],
    params: { status: 301, headers: { location: 'https://${host}${raw_uri}' }, content: '' },
  },
]

const rule = (id: string, category: string, subcategory: string, risk: number, operand: string): Entry => ({
  id,
  name: id,
  category,
  subcategory,
  risk,
  operand,
  msg: `example rule ${id}`,
})

export const defaultEntry: Entry = {
  id: '__default_entry__',
  name: 'default',
  match: '__default__',
  backend_service: '__default__',
}
export const rootEntry: Entry = {
  id: '__root_entry__',
  name: 'root',
  match: '^/$',
  backend_service: '__default__',
}
export const siteLevel: Entry = { id: '__site_level__', name: 'site level', match: '__site_level__' }

/** The policy `sp` with these entries besides root, site level and default. */
export const policyWith = (entries: readonly Entry[], changes: Entry = {}): Documents => ({
  'security-policies': [
    {
      id: 'sp',
      name: 'example policy',
      session: [{ attrs: 'ip' }],
      map: entries,
      ...changes,
    },
  ],
})

export const base: Documents = {
  actions,
  'acl-profiles': [{ id: '__acldefault__', name: 'acl default', action: 'action-acl-block' }],
  'content-filter-profiles': [contentFilter],
  'content-filter-rules': [
    rule('100016', 'sqli', 'built-in function invocation', 5, 'xp_cmdshell'),
    rule('200040', 'xss', 'xss', 3, 'javascript:'),
    rule('900', 'generic', 'generic', 2, 'debugme'),
  ],
  ...policyWith([rootEntry, siteLevel, defaultEntry]),
  'server-groups': [
    {
      id: 'sg',
      name: 'sg',
      server_names: ['www.example.com'],
      security_policy: 'sp',
      proxy_template: '__default__',
    },
  ],
  'proxy-templates': [{ id: '__default__', name: 'default', limit_req_rate: '0' }],
  'backend-services': [
    {
      id: '__default__',
      name: 'default',
      http11: true,
      transport_mode: 'default',
      sticky: 'none',
      least_conn: false,
      back_hosts: [{ host: '192.0.2.80' }],
    },
  ],
}

export type Request = {
  readonly method?: string
  readonly scheme?: 'http' | 'https'
  readonly host?: string
  readonly path?: string
  readonly headers?: readonly HeaderLine[] | Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly partial?: boolean
  readonly ip?: string
  /** Derives the client from the headers. */
  readonly peer?: string
  /** `inspect`'s word for it; through Envoy nobody can be human yet. */
  readonly human?: HumanLevel
  /** Moves the clock before the request, in seconds. */
  readonly after?: number
}

export type SiteOptions = { readonly locator?: Locator }

export type Site = {
  send(request: Request | string): Promise<Decision>
  readonly warnings: readonly string[]
}

export const nowhere: Locator = { missing: [], locate: () => noLocation }

export const linesOf = (headers: Request['headers']): readonly HeaderLine[] => {
  if (headers === undefined) return []
  if (Array.isArray(headers)) return headers
  return Object.entries(headers)
}

const bodyOf = ({ body, partial }: Request): BodyInput | undefined =>
  body === undefined
    ? undefined
    : { bytes: typeof body === 'string' ? Buffer.from(body) : body, partial: partial ?? false }

export function inputOf(request: Request, now: number): RequestInput {
  return {
    method: request.method ?? (request.body === undefined ? 'GET' : 'POST'),
    scheme: request.scheme ?? 'https',
    authority: request.host ?? 'www.example.com',
    target: request.path ?? '/',
    headers: [['user-agent', 't'], ...linesOf(request.headers)],
    body: bodyOf(request),
    peer: request.peer ?? request.ip ?? '203.0.113.9',
    client: request.peer === undefined ? (request.ip ?? '203.0.113.9') : undefined,
    timestamp: now,
    requestId: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
    human: request.human,
    hints: { group: undefined, entry: undefined },
    plugins: new Map(),
  }
}

export const requestOf = (request: Request | string): Request =>
  typeof request === 'string' ? { path: request } : request

/** What decides under B with these documents replaced; a defect of Weir fails the test. */
export type Judge = {
  readonly warnings: readonly string[]
  /** A clock that stands still. */
  readonly clock: Clock & { advance(ms: number): void }
  decide(input: RequestInput): Promise<Decision>
}

/** Throws when the documents are refused. */
export function judgeUnder(changes: Documents = {}, { locator = nowhere }: SiteOptions = {}): Judge {
  const built = buildPolicy({ ...base, ...changes }, {})
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  const clock = manualClock(Date.UTC(2026, 2, 2, 9, 15, 4))
  const defects: unknown[] = []
  const pipeline = createPipeline(built.policy, {
    state: memoryState({ clock }),
    locator,
    challenges: createChallenges(),
    onDefect: (error) => defects.push(error),
  })
  return {
    warnings: built.warnings.map(({ reason }) => reason),
    clock,
    async decide(input) {
      const decision = await pipeline.decide(input, createTracer())
      if (defects.length > 0) throw defects[0]
      return decision
    },
  }
}

/** A site in this process. */
export function site(changes: Documents = {}, options: SiteOptions = {}): Site {
  const { warnings, clock, decide } = judgeUnder(changes, options)
  return {
    warnings,
    send(request) {
      const wanted = requestOf(request)
      clock.advance((wanted.after ?? 0) * 1000)
      return decide(inputOf(wanted, clock.now()))
    },
  }
}
