// Where requests go after Weir (spec control-plane 1.3).
import { type Static, Type } from 'typebox'
import { finding, outOfRange, required } from '../findings.ts'
import { isHost } from '../hosts.ts'
import type { BackHost, BackendService } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, partSchema, reference } from './common.ts'

const number = (description: string) => Type.Optional(Type.Number({ description }))
const ports = (description: string) => Type.Optional(Type.Array(Type.Number(), { single: true, description }))

const backHost = partSchema(
  {
    host: Type.String({
      minLength: 1,
      description: 'Name or address; several, comma-separated, are several endpoints.',
    }),
    http_ports: ports('Plaintext ports. Also: `http_port`. Default: 80.'),
    https_ports: ports('TLS ports. Also: `https_port`. Default: 443.'),
    weight: number('Share of the traffic, 1 to 1000. Default: 1.'),
    max_fails: number('Failed attempts until the host is taken out, 0 to 1000; 0: never. Default: 0.'),
    fail_timeout: number('Seconds that it stays out, 0 to 3600. Default: 10.'),
    backup: Type.Optional(
      Type.Boolean({ description: 'Used only when no other host is usable. Default: false.' }),
    ),
    down: Type.Optional(Type.Boolean({ description: 'Gets no traffic. Default: false.' })),
    monitor_state: Type.Optional(Type.String({ description: 'Informational; no effect.' })),
  },
  { aliases: { http_port: 'http_ports', https_port: 'https_ports' } },
)

const schema = entrySchema({
  http11: Type.Boolean({ description: 'Keep connections to the origin alive.' }),
  http2: Type.Optional(Type.Boolean({ description: 'HTTP/2 to the origin. Default: false.' })),
  transport_mode: Type.Optional(
    Type.Enum(['default', 'http', 'https', 'port_bridge'], {
      description:
        'default: as the request came; port_bridge: the port that the client used. Default: default.',
    }),
  ),
  sticky: Type.Optional(
    Type.Enum(['none', 'autocookie', 'customcookie', 'iphash', 'least_conn'], {
      description: 'How a host is chosen. Default: none, weighted round robin.',
    }),
  ),
  sticky_cookie_name: Type.Optional(
    Type.String({ description: 'Required for customcookie. Default: empty.' }),
  ),
  sticky_strict: Type.Optional(
    Type.Boolean({ description: 'autocookie by stateful session. Default: false.' }),
  ),
  least_conn: Type.Boolean({
    description: 'true with sticky none: as sticky least_conn. With others it has no effect.',
  }),
  mtls_certificate: Type.Optional(
    reference('certificates', 'Certificate shown to the origin. Default: empty.'),
  ),
  mtls_trusted_certificate: Type.Optional(
    reference('certificates', 'CA that the origin is checked against. Default: empty.'),
  ),
  back_hosts: Type.Array(backHost, { minItems: 1, description: 'The origin servers.' }),
})
type Entry = Static<typeof schema>

function inRange(value: number, least: number, most: number, field: string, report: Report): number {
  if (!Number.isInteger(value) || value < least || value > most)
    report.problem(field, outOfRange(least, most, value))
  return value
}

function readHost(document: Static<typeof backHost>, at: string, report: Report): readonly BackHost[] {
  const readPorts = (field: 'http_ports' | 'https_ports', byDefault: number) =>
    (document[field] ?? [byDefault]).map((port, index) =>
      inRange(port, 1, 65535, fieldPath(`${at}.${field}`, index), report),
    )
  const settings = {
    httpPorts: readPorts('http_ports', 80),
    httpsPorts: readPorts('https_ports', 443),
    weight: inRange(document.weight ?? 1, 1, 1000, `${at}.weight`, report),
    maxFails: inRange(document.max_fails ?? 0, 0, 1000, `${at}.max_fails`, report),
    failTimeoutS: inRange(document.fail_timeout ?? 10, 0, 3600, `${at}.fail_timeout`, report),
    backup: document.backup ?? false,
    down: document.down ?? false,
  }
  return document.host.split(',').map((part) => {
    const host = part.trim()
    if (!isHost(host)) {
      report.problem(
        `${at}.host`,
        finding('must be a host name or an address', `Replace "${host.slice(0, 80)}".`),
      )
    }
    return { host, ...settings }
  })
}

function readSticky(entry: Entry, report: Report): BackendService['sticky'] {
  const sticky = entry.sticky ?? 'none'
  const cookie = entry.sticky_cookie_name ?? ''
  if (cookie === '' && sticky === 'customcookie') {
    report.problem('sticky_cookie_name', required('sticky_cookie_name', 'the cookie that decides'))
  } else if (cookie !== '' && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(cookie)) {
    report.problem(
      'sticky_cookie_name',
      finding('must be a cookie name', 'Use letters, digits, "_" and "-" only.'),
    )
  }
  return sticky === 'none' && entry.least_conn ? 'least_conn' : sticky
}

/** A service that names its certificates by id. */
export type BackendServiceEntry = Omit<BackendService, 'clientCertificate' | 'trustedCa'> & {
  readonly clientCertificateId: string
  readonly trustedCaId: string
}

function parse(entry: Entry, report: Report): BackendServiceEntry {
  return {
    ...identityOf(entry),
    http11: entry.http11,
    http2: entry.http2 ?? false,
    transportMode: entry.transport_mode ?? 'default',
    sticky: readSticky(entry, report),
    stickyCookieName: entry.sticky_cookie_name ?? '',
    stickyStrict: entry.sticky_strict ?? false,
    clientCertificateId: entry.mtls_certificate ?? '',
    trustedCaId: entry.mtls_trusted_certificate ?? '',
    hosts: entry.back_hosts.flatMap((one, index) => readHost(one, fieldPath('back_hosts', index), report)),
  }
}

export const backendServices = defineDocument({
  namespace: 'backend-services',
  noun: 'backend service',
  title: 'Backend services',
  description: 'Origin servers, and how requests are spread over them.',
  schema,
  examples: [
    {
      id: 'app',
      name: 'App',
      description: '',
      http11: true,
      http2: false,
      transport_mode: 'default',
      sticky: 'none',
      sticky_cookie_name: '',
      least_conn: false,
      mtls_certificate: '',
      mtls_trusted_certificate: '',
      back_hosts: [
        { host: '10.0.0.1', http_ports: [80], https_ports: [443], weight: 3, max_fails: 3, fail_timeout: 20 },
        { host: 'spare.internal, 10.0.0.9', http_port: 8080, backup: true, monitor_state: '' },
      ],
    },
  ],
  parse,
})
