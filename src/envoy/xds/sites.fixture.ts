// Policies for tests of the xDS generator, written as code: only what a test speaks of is named, everything
// else has the documents' defaults.
import type {
  AclProfile,
  BackHost,
  BackendService,
  ContentFilterProfile,
  MapEntry,
  Policy,
  ProxyTemplate,
  SecurityPolicy,
  Section,
  ServerGroup,
} from '#config'

const action = {
  id: 'block',
  name: 'block',
  tags: [],
  type: 'block',
  status: 473,
  headers: [],
  content: undefined,
} as const

const acl: AclProfile = {
  id: '__acldefault__',
  name: 'default',
  tags: [],
  action,
  forceDeny: [],
  passthrough: [],
  allowBot: [],
  denyBot: [],
  allow: [],
  deny: [],
}

const section: Section = { maxCount: undefined, maxLength: undefined, names: [], regex: [] }

export const contentFilter = (with_: Partial<ContentFilterProfile> = {}): ContentFilterProfile => ({
  id: '__defaultcontentfilter__',
  name: 'default',
  tags: [],
  action,
  active: [],
  report: [],
  ignore: [],
  ignoreAlphanum: true,
  ignoreBody: false,
  contentTypes: [],
  decoding: { base64: true, dual: false, html: false, unicode: false },
  graphqlPath: '',
  maskingSeed: 'seed',
  sections: {
    headers: section,
    cookies: section,
    args: section,
    path: section,
    plugins: section,
    allsections: section,
  },
  maxBodyDepth: 10,
  maxBodySize: undefined,
  refererAsUri: true,
  ...with_,
})

export const host = (with_: Partial<BackHost> & { readonly host: string }): BackHost => ({
  httpPorts: [80],
  httpsPorts: [443],
  weight: 1,
  maxFails: 0,
  failTimeoutS: 10,
  backup: false,
  down: false,
  ...with_,
})

export const service = (with_: Partial<BackendService> = {}): BackendService => ({
  id: 'app',
  name: 'app',
  http11: true,
  http2: false,
  transportMode: 'default',
  sticky: 'none',
  stickyCookieName: '',
  stickyStrict: false,
  clientCertificate: undefined,
  trustedCa: undefined,
  hosts: [host({ host: '10.0.0.1' })],
  ...with_,
})

export const template = (with_: Partial<ProxyTemplate> = {}): ProxyTemplate => ({
  id: '__default__',
  name: 'default',
  clientAddressHeaders: ['X-Forwarded-For'],
  realIpHeader: 'X-Real-IP',
  trustedSources: [],
  clientMaxBodyBytes: 150 * 2 ** 20,
  clientBodyBufferBytes: 2 ** 20,
  ipRatePerSecond: 1200,
  ipRateBurst: 400,
  clientBodyTimeoutS: 30,
  clientHeaderTimeoutS: 10,
  keepaliveTimeoutS: 75,
  sendTimeoutS: 10,
  requestTimeoutS: 0,
  connectTimeoutS: 5,
  proxySendTimeoutS: 30,
  proxyReadTimeoutS: 60,
  maxRequestHeadersKb: 128,
  upstreamHost: '$host',
  maskHeaders: [],
  acaoHeader: false,
  failureMode: 'closed',
  escapedSlashes: 'redirect',
  mergeSlashes: true,
  bodyOverflow: 'auto',
  unsizedBody: 'stream',
  websocket: true,
  tls: { least: 'TLSv1.2', most: 'TLSv1.3', ciphers: [] },
  advanced: [],
  ...with_,
})

export const entry = (with_: Partial<MapEntry> = {}): MapEntry => ({
  id: '__default_entry__',
  name: 'default',
  role: 'default',
  match: '/',
  acl,
  aclActive: true,
  contentFilter: contentFilter(),
  contentFilterActive: true,
  rateLimitRules: [],
  backend: service(),
  grpc: false,
  ...with_,
})

export const securityPolicy = (with_: Partial<SecurityPolicy> = {}): SecurityPolicy => ({
  id: 'sp1',
  name: 'sp1',
  tags: [],
  session: [{ in: 'attrs', attribute: 'ip' }],
  sessionIds: [],
  entries: [entry()],
  ...with_,
})

export const group = (with_: Partial<ServerGroup> = {}): ServerGroup => ({
  id: 'site1',
  name: 'site1',
  httpRedirect: 'off',
  serverNames: [{ kind: 'literal', host: 'www.example.com' }],
  policy: securityPolicy(),
  template: template(),
  certificate: undefined,
  clientCertificate: { mode: 'off' },
  tls: { least: 'TLSv1.2', most: 'TLSv1.3', ciphers: [] },
  tcpPassthrough: false,
  ...with_,
})

export const policy = (with_: Partial<Policy> = {}): Policy => ({
  revision: 'r1',
  branch: 'prod',
  actions: new Map(),
  globalFilters: [],
  flowPolicies: [],
  rateLimitRules: [],
  contentFilterRules: [],
  serverGroups: [group()],
  certificates: new Map(),
  loadBalancers: undefined,
  defaultTemplate: template(),
  ...with_,
})
