// How Envoy treats the connections and requests of a site (spec control-plane 1.4).
import { type Static, type TOptional, type TNumber, type TString, type TUnion, Type } from 'typebox'
import { finding, outOfRange, wrongType } from '../findings.ts'
import { isHost } from '../hosts.ts'
import type { ProxyTemplate } from '../policy.ts'
import type { Report } from '../problem.ts'
import { advancedConfiguration, readAdvanced } from './advanced-configuration.ts'
import { defineDocument } from './document.ts'
import { foreignDirective } from './foreign-directives.ts'
import { defaultTls, readTls } from './tls.ts'
import { type TrustedSource, readTrustedNets, trustedNet } from './trusted-nets.ts'
import { entrySchema, identityOf } from './common.ts'

type NumberField = {
  readonly least: number
  readonly most: number
  readonly byDefault: number
  readonly says: string
  /** 0, outside the range, means that there is no such limit. */
  readonly zeroIsOff?: true
}

/** Every number of a template: range, default, meaning. */
const numbers = {
  client_max_body_size: { least: 1, most: 10240, byDefault: 150, says: 'Largest body, MB of 2^20 bytes' },
  limit_req_rate: {
    least: 1,
    most: 100000,
    byDefault: 1200,
    says: 'Requests per second and client address, or 0: off',
    zeroIsOff: true,
  },
  limit_req_burst: { least: 0, most: 100000, byDefault: 400, says: 'Requests accepted beyond that rate' },
  client_body_timeout: { least: 1, most: 3600, byDefault: 30, says: 'Time between two parts of a body, s' },
  keepalive_timeout: { least: 0, most: 3600, byDefault: 75, says: 'Idle connections, s; 0: no keep-alive' },
  client_header_timeout: { least: 1, most: 300, byDefault: 10, says: 'Time for the header block, s' },
  send_timeout: { least: 1, most: 3600, byDefault: 10, says: 'Time in which a client must read, s' },
  large_client_header_buffers_size: {
    least: 4,
    most: 1024,
    byDefault: 16,
    says: 'Size of one large header buffer, KB',
  },
  large_client_header_buffers_count: {
    least: 1,
    most: 64,
    byDefault: 8,
    says: 'Number of large header buffers',
  },
  client_header_buffer_size: {
    least: 1,
    most: 64,
    byDefault: 4,
    says: 'Header buffer, KB; stored, without effect',
  },
  client_body_buffer_size: { least: 8, most: 65536, byDefault: 1024, says: 'Body held for inspection, KB' },
  proxy_connect_timeout: { least: 1, most: 75, byDefault: 5, says: 'Connecting to the origin, s' },
  proxy_send_timeout: { least: 1, most: 3600, byDefault: 30, says: 'Time in which the origin must read, s' },
  proxy_read_timeout: { least: 1, most: 3600, byDefault: 60, says: 'Time in which the origin must send, s' },
  request_timeout: { least: 0, most: 86400, byDefault: 0, says: 'The whole request, s; 0: off' },
} as const satisfies Record<string, NumberField>
type NumberName = keyof typeof numbers

const numberNames: readonly NumberName[] = Object.keys(numbers).filter(
  (name): name is NumberName => name in numbers,
)

/** The ceiling of all header buffers together, KB. */
const mostHeaders = 8192

const numberSchema = (name: NumberName) => {
  const { least, most, byDefault, says } = numbers[name]
  return Type.Optional(
    Type.Union([Type.String(), Type.Number()], {
      description: `${says}. ${least} to ${most}, as a decimal string. Default: "${byDefault}".`,
      expected: 'a decimal string',
    }),
  )
}
type NumberSchema = TOptional<TUnion<[TString, TNumber]>>

const numberSchemas = Object.fromEntries(numberNames.map((name) => [name, numberSchema(name)])) as {
  readonly [name in NumberName]: NumberSchema
}

const text = (description: string) => Type.Optional(Type.String({ description }))
const bool = (description: string) => Type.Optional(Type.Boolean({ description }))

const schema = entrySchema({
  ...numberSchemas,
  xff_header_name: text(
    'Headers with the client address, comma-separated, tried in order. Default: X-Forwarded-For.',
  ),
  xrealip_header_name: text('Header that tells the origin the client address. Default: X-Real-IP.'),
  upstream_host: text('Host header to the origin: $host, $http_host, $proxy_host or a name. Default: $host.'),
  mask_headers: text('Response headers to remove, `|`-separated, `*` at the ends. Default: none.'),
  acao_header: bool('Add Access-Control-Allow-Origin: * when the origin sent none. Default: false.'),
  ssl_protocols: Type.Optional(
    Type.Array(Type.Enum(['TLSv1.1', 'TLSv1.2', 'TLSv1.3']), {
      minItems: 1,
      description: 'Default: 1.2 and 1.3.',
    }),
  ),
  ssl_ciphers: text("OpenSSL names, `:`-separated. Default: Weir's list."),
  trusted_nets: Type.Optional(
    Type.Union([Type.Null(), Type.Array(trustedNet)], {
      description: 'Who may state a client address; []: nobody. Default: null, those of the planet.',
      expected: 'null or a list of trusted sources',
    }),
  ),
  advanced_configuration: Type.Optional(advancedConfiguration),
  conf_specific: text('Legacy; must be empty.'),
  ssl_conf_specific: text('Legacy; must be empty.'),
  failure_mode: Type.Optional(
    Type.Enum(['closed', 'open'], {
      description: 'What happens when the filter does not answer. Default: closed.',
    }),
  ),
  escaped_slashes: Type.Optional(
    Type.Enum(['redirect', 'forward', 'keep', 'reject'], {
      description: 'Paths with %2F or %5C. Default: redirect.',
    }),
  ),
  merge_slashes: bool('Runs of / become one. Default: true.'),
  body_overflow: Type.Optional(
    Type.Enum(['auto', 'reject', 'partial'], {
      description: 'Bodies longer than the inspection buffer. Default: auto.',
    }),
  ),
  unsized_body: Type.Optional(
    Type.Enum(['stream', 'limit', 'length_required'], {
      description: 'Bodies without length. Default: stream.',
    }),
  ),
  websocket: bool('Upgrades are allowed. Default: true.'),
})
type Entry = Static<typeof schema>

/** A template whose trusted sources may still name global filters. */
export type ProxyTemplateEntry = Omit<ProxyTemplate, 'trustedSources'> & {
  /** Undefined: those of the planet. */
  readonly trusted: readonly TrustedSource[] | undefined
}

/** The number in a decimal string or a JSON number; out of range or not whole is a problem. */
function readNumber(entry: Entry, name: NumberName, report: Report): number {
  const { least, most, byDefault, zeroIsOff }: NumberField = numbers[name]
  const given = entry[name] ?? byDefault
  const value = typeof given === 'number' ? given : /^[0-9]{1,15}$/.test(given) ? Number(given) : NaN
  if (Number.isInteger(value) && value >= least && value <= most) return value
  if (zeroIsOff === true && value === 0) return value
  const { reason, remedy } = outOfRange(least, most, given)
  report.problem(name, { reason, remedy: zeroIsOff === true ? `${remedy} 0 switches it off.` : remedy })
  return byDefault
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function readAddressHeaders(given: string, report: Report): readonly string[] {
  const names = given.split(',').map((name) => name.trim().toLowerCase())
  if (names.length > 5 || !names.every((name) => token.test(name))) {
    report.problem('xff_header_name', wrongType('1 to 5 header names, comma-separated', given))
  }
  return names
}

function readMaskedHeaders(given: string, report: Report): readonly string[] {
  const names = given
    .split('|')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  for (const name of names) {
    if (token.test(name) && /[^*]/.test(name)) continue
    report.problem('mask_headers', wrongType('header names separated by |, with * as wildcard', name))
  }
  return names
}

function readUpstreamHost(given: string, report: Report): string {
  if (given === '$http_host' || given === '$host') return '$host'
  if (given === '$proxy_host' || isHost(given.replace(/:[0-9]{1,5}$/, ''))) return given
  report.problem('upstream_host', wrongType('$host, $http_host, $proxy_host or a host name', given))
  return '$host'
}

function checkRest(entry: Entry, report: Report): void {
  for (const field of ['conf_specific', 'ssl_conf_specific'] as const) {
    if ((entry[field] ?? '') === '') continue
    report.problem(
      field,
      foreignDirective(entry[field] ?? '') ??
        finding(
          'must be empty',
          'Code for another proxy cannot be run; say the same with the fields of this document, or with patches in advanced_configuration.',
        ),
    )
  }
}

function parse(entry: Entry, report: Report): ProxyTemplateEntry {
  checkRest(entry, report)
  const number = (name: NumberName) => readNumber(entry, name, report)
  const headers = {
    size: number('large_client_header_buffers_size'),
    count: number('large_client_header_buffers_count'),
    small: number('client_header_buffer_size'),
  }
  if (headers.size * headers.count > mostHeaders) {
    report.problem(
      'large_client_header_buffers_count',
      finding(
        `size × count must be ≤ ${mostHeaders} KB`,
        'Lower large_client_header_buffers_size or _count.',
      ),
    )
  }
  if (headers.small > headers.size) {
    report.problem('client_header_buffer_size', outOfRange(1, headers.size, entry.client_header_buffer_size))
  }
  const realIp = entry.xrealip_header_name ?? 'X-Real-IP'
  if (!token.test(realIp)) report.problem('xrealip_header_name', wrongType('a header name', realIp))
  return {
    ...identityOf(entry),
    clientAddressHeaders: readAddressHeaders(entry.xff_header_name ?? 'X-Forwarded-For', report),
    realIpHeader: realIp.toLowerCase(),
    trusted: entry.trusted_nets ? readTrustedNets(entry.trusted_nets, 'trusted_nets', report) : undefined,
    clientMaxBodyBytes: number('client_max_body_size') * 2 ** 20,
    clientBodyBufferBytes: number('client_body_buffer_size') * 1024,
    ipRatePerSecond: number('limit_req_rate'),
    ipRateBurst: number('limit_req_burst'),
    clientBodyTimeoutS: number('client_body_timeout'),
    clientHeaderTimeoutS: number('client_header_timeout'),
    keepaliveTimeoutS: number('keepalive_timeout'),
    sendTimeoutS: number('send_timeout'),
    requestTimeoutS: number('request_timeout'),
    connectTimeoutS: number('proxy_connect_timeout'),
    proxySendTimeoutS: number('proxy_send_timeout'),
    proxyReadTimeoutS: number('proxy_read_timeout'),
    maxRequestHeadersKb: headers.size * headers.count,
    upstreamHost: readUpstreamHost(entry.upstream_host ?? '$host', report),
    maskHeaders: readMaskedHeaders(entry.mask_headers ?? '', report),
    acaoHeader: entry.acao_header ?? false,
    failureMode: entry.failure_mode ?? 'closed',
    escapedSlashes: entry.escaped_slashes ?? 'redirect',
    mergeSlashes: entry.merge_slashes ?? true,
    bodyOverflow: entry.body_overflow ?? 'auto',
    unsizedBody: entry.unsized_body ?? 'stream',
    websocket: entry.websocket ?? true,
    tls: { ...defaultTls, ...readTls(entry, report) },
    advanced: readAdvanced(entry.id, entry.advanced_configuration ?? [], report),
  }
}

export const proxyTemplates = defineDocument({
  namespace: 'proxy-templates',
  noun: 'proxy template',
  title: 'Proxy templates',
  description: 'Limits, timeouts and client addresses of the sites that use the template.',
  schema,
  examples: [
    {
      id: 'edge',
      name: 'Edge',
      description: '',
      xff_header_name: 'true-client-ip, x-forwarded-for',
      client_max_body_size: '150',
      limit_req_rate: '1200',
      limit_req_burst: 400,
      proxy_read_timeout: '60',
      upstream_host: '$host',
      mask_headers: 'server*|x-powered-by',
      ssl_protocols: ['TLSv1.2', 'TLSv1.3'],
      trusted_nets: [{ source: 'ip', address: '10.0.0.0/8', comment: 'load balancers' }],
      advanced_configuration: [],
      conf_specific: '',
      ssl_conf_specific: '',
      custom_listener: false,
      failure_mode: 'closed',
    },
  ],
  parse,
})
