// CheckRequests as Envoy sends them, and decisions to answer them with, for tests and benchmarks of the door.
import type { Decision, DecisionRecord } from '#pipeline'
import { lookup } from './protos.ts'

const checkRequest = 'envoy.service.auth.v3.CheckRequest'

/** A line of `header_map`: raw values are bytes. */
export const line = (key: string, value: string | Uint8Array): object => ({
  key,
  raw_value: typeof value === 'string' ? Buffer.from(value) : value,
})

const address = (host: string, port: number): object => ({
  address: { socket_address: { address: host, port_value: port } },
})

export type Http = Readonly<Record<string, unknown>>

/** `attributes` of a request; `http` replaces fields of AttributeContext.HttpRequest. */
export const attributesOf = (http: Http = {}): Readonly<Record<string, unknown>> => ({
  source: address('203.0.113.7', 51234),
  destination: address('10.0.0.1', 8443),
  request: {
    time: { seconds: 1772442904, nanos: 123456000 },
    http: {
      id: '8124907123490871234',
      method: 'GET',
      path: '/search?q=1',
      host: 'shop.example.com',
      scheme: 'https',
      protocol: 'HTTP/2',
      header_map: { headers: browserLines },
      ...http,
    },
  },
  context_extensions: { 'weir.lb': 'https', 'weir.sg': 'site1', 'weir.entry': 'E', 'weir.mtls': 'off' },
  metadata_context: {},
  tls_session: { sni: 'shop.example.com' },
})

export const checkBytes = (attributes: Readonly<Record<string, unknown>>): Uint8Array => {
  const type = lookup(checkRequest)
  return Buffer.from(type.encode({ attributes }).finish())
}

/** What a browser sends with a GET. */
export const browserLines: readonly object[] = [
  line(':authority', 'shop.example.com'),
  line(':path', '/search?q=1'),
  line(':method', 'GET'),
  line(':scheme', 'https'),
  line('sec-ch-ua', '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"'),
  line('sec-ch-ua-mobile', '?0'),
  line('sec-ch-ua-platform', '"Windows"'),
  line('upgrade-insecure-requests', '1'),
  line(
    'user-agent',
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  ),
  line('accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'),
  line('sec-fetch-site', 'same-origin'),
  line('sec-fetch-mode', 'navigate'),
  line('sec-fetch-user', '?1'),
  line('sec-fetch-dest', 'document'),
  line('referer', 'https://shop.example.com/products'),
  line('accept-encoding', 'gzip, deflate, br, zstd'),
  line('accept-language', 'en-US,en;q=0.9,de;q=0.8'),
  line(
    'cookie',
    `session=${'0123456789abcdef'.repeat(4)}; _ga=GA1.2.123456789.1234567890; cart=%5B1%2C2%2C3%5D`,
  ),
  line('cookie', `consent=${'analytics:no,marketing:no,'.repeat(12)}; theme=dark`),
  line('x-forwarded-for', '203.0.113.7'),
  line('x-forwarded-proto', 'https'),
  line('x-request-id', '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11'),
  line('x-envoy-external-address', '203.0.113.7'),
  line('x-envoy-auth-partial-body', 'false'),
]

export const record: DecisionRecord = {
  server_group: 'shop',
  server_group_id: 'site1',
  branch: 'prod',
  host: 'shop.example.com',
  authority: 'shop.example.com',
  protocol: 'https',
  port: '443',
  method: 'GET',
  path: '/search',
  path_parts: { part1: 'search', path: '/search' },
  query: '?q=1',
  arguments: { q: '1' },
  headers: {
    host: 'shop.example.com',
    'user-agent':
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0',
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
    'accept-language': 'en-US,en;q=0.9,de;q=0.8',
    'accept-encoding': 'gzip, deflate, br, zstd',
  },
  cookies: { session: '0123456789abcdef'.repeat(4), _ga: 'GA1.2.123456789.1234567890', theme: 'dark' },
  body: null,
  user_agent:
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0',
  referer: null,
  request_id: '7f3c0c1e-8f0e-4b7e-9d7a-1f8e2a6f0b11',
  timestamp: 1772442904123,
  ip: '203.0.113.7',
  asn: 'AS64500',
  organization: 'Example Net',
  country: 'France',
  country_code: 'FR',
  geo_region: null,
  city: null,
  session: '9c1f02ab',
  session_ids: [],
  waap_id: null,
  human: false,
  bot: true,
  blocked: false,
  monitor: false,
  challenge: false,
  ichallenge: false,
  challenge_type: null,
  reason: null,
  monitor_reasons: [],
  messages: [],
  logs: [],
  tags: [
    'all',
    'args:1',
    'bot',
    'cookies:3',
    'geo-asn:64500',
    'geo-country:france',
    'headers:12',
    'host:shop-example-com',
    'ip:203-0-113-7',
    'protocol:https',
  ],
  processing_stage: 7,
  acl_triggers: [],
  gf_triggers: [],
  dr_triggers: [],
  rl_triggers: [],
  cf_triggers: [],
  cf_restrict_triggers: [],
  trigger_counters: { acl: 0, cf: 0, cf_restrict: 0, dr: 0, gf: 0, rl: 0 },
  security_config: {
    acl_active: true,
    cf_active: true,
    cf_rules: 180,
    gf_rules: 31,
    rl_rules: 2,
    revision: '42bcc128',
    secpolid: '__default__',
    secpolentryid: '__default_entry__',
  },
  profiling: [
    { name: 'secpol', value: '__default__', us: 9 },
    { name: 'mapping', value: '__default_entry__', us: 11 },
    { name: 'flow', value: null, us: 20 },
    { name: 'limit', value: null, us: 31 },
    { name: 'acl', value: '__acldefault__', us: 35 },
    { name: 'content_filter', value: '__defaultcontentfilter__', us: 61 },
  ],
  rbz_latency: 64,
  truncated: false,
  omitted: [],
}

export const pass: Decision = { action: 'pass', answer: undefined, requestHeaders: [], record }

export const block: Decision = {
  action: 'block',
  answer: {
    status: 473,
    headers: [
      ['content-type', 'text/html; charset=utf-8'],
      ['cache-control', 'no-store'],
    ],
    body: '<h1>Blocked</h1>',
  },
  requestHeaders: [],
  record: { ...record, blocked: true, reason: 'Content filter: default' },
}
