// Where Envoys listen, and balancers in front of them for information (spec control-plane 1.5).
import { type Static, Type } from 'typebox'
import { parseCidr } from '#platform'
import { badAddress, duplicate, finding, outOfRange, required, wrongType } from '../findings.ts'
import type { LoadBalancer } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, reference } from './common.ts'
import { isRegionCode } from './region-code.ts'

const text = (description: string) => Type.Optional(Type.String({ description }))
const port = (description: string) => Type.Optional(Type.Number({ description }))

const schema = entrySchema({
  provider: Type.Optional(
    Type.Enum(['weir', 'aws', 'gcp', 'link11', 'azure', 'other'], {
      description:
        'weir: a listener of the Envoys; others are records of what stands in front. Default: weir.',
    }),
  ),
  protocol: Type.Optional(Type.Enum(['http', 'https'], { description: 'Default: http.' })),
  address: text('Address to listen on; `::` takes IPv4 as well. Default: 0.0.0.0.'),
  listener_port: port('Port to listen on, 1 to 65535. Required for weir.'),
  public_port: port('The port that clients use. Default: listener_port.'),
  proxy_protocol: Type.Optional(
    Type.Boolean({ description: 'Clients arrive with the PROXY protocol. Default: false.' }),
  ),
  proxy_protocol_from: Type.Optional(
    Type.Array(Type.String(), { description: 'Networks that may speak it. Required with proxy_protocol.' }),
  ),
  default_certificate: Type.Optional(
    reference('certificates', 'Shown to clients that name no host, or one that no certificate fits.'),
  ),
  certificates: Type.Optional(
    Type.Array(reference('certificates', 'Server certificate.'), {
      description: 'Further certificates. Those of server groups need no mention. Default: none.',
    }),
  ),
  max_certificates: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'How many it can hold, the default one included; 0: any number. Default: 0.',
    }),
  ),
  region: text('For people. Default: empty.'),
  dns_name: text('For people. Default: empty.'),
  listener_name: text('For people. Default: empty.'),
  load_balancer_type: text('For people; envoy for weir.'),
  nodes: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Labels that an Envoy must have to get this listener. Default: {}, every Envoy.',
    }),
  ),
  regions: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Location → datacenter whose filters decide, or `automatic`.',
    }),
  ),
})
type Entry = Static<typeof schema>

type Listener = Omit<LoadBalancer, 'protocol'> & { readonly protocol: 'http' | 'https' }

/** A load balancer that names its certificates by id; `listener` is undefined for those that are only recorded. */
export type LoadBalancerEntry = {
  readonly id: string
  readonly defaultCertificateId: string
  readonly certificateIds: readonly string[]
  readonly listener: Listener | undefined
}

function readPort(value: number | undefined, field: string, report: Report): number {
  if (value === undefined) {
    report.problem(field, required(field, 'a port from 1 to 65535'))
    return 0
  }
  if (!Number.isInteger(value) || value < 1 || value > 65535)
    report.problem(field, outOfRange(1, 65535, value))
  return value
}

function readProxyProtocol(entry: Entry, report: Report): readonly string[] | undefined {
  const from = entry.proxy_protocol_from ?? []
  from.forEach((cidr, i) => {
    if (parseCidr(cidr) === undefined) report.problem(fieldPath('proxy_protocol_from', i), badAddress(cidr))
  })
  if (entry.proxy_protocol !== true) {
    if (from.length > 0)
      report.warning(
        'proxy_protocol_from',
        finding('has no effect while proxy_protocol is false', 'Set proxy_protocol to true, or remove it.'),
      )
    return undefined
  }
  if (from.length === 0) {
    report.problem(
      'proxy_protocol_from',
      finding(
        'required with proxy_protocol',
        'List the networks of the balancers: whoever else speaks it could claim any address.',
      ),
    )
  }
  return from
}

function checkCertificates(entry: Entry, report: Report): void {
  const { certificates = [], default_certificate: first = '', max_certificates: most = 0 } = entry
  certificates.forEach((id, i) => {
    const before = certificates.indexOf(id)
    if (before < i)
      report.problem(
        fieldPath('certificates', i),
        duplicate('certificate', fieldPath('certificates', before)),
      )
  })
  const held = new Set(first === '' ? certificates : [first, ...certificates]).size
  if (most > 0 && held > most)
    report.problem(
      'certificates',
      finding(
        `${String(held)} certificates, and max_certificates is ${String(most)}`,
        'Detach some of them, or raise max_certificates.',
      ),
    )
  if (held > 0 && (entry.provider ?? 'weir') === 'weir' && entry.protocol !== 'https')
    report.warning(
      first === '' ? 'certificates' : 'default_certificate',
      finding('has no effect: the protocol is http', 'Set protocol to https, or remove the certificates.'),
    )
}

const codeWords = 'a code of 1 to 32 letters, digits, "_" or "-"'

function checkRegions({ regions = {} }: Entry, report: Report): void {
  for (const [location, datacenter] of Object.entries(regions)) {
    const field = fieldPath('regions', location)
    if (!isRegionCode(location))
      report.problem(field, finding(`its key must be ${codeWords}`, 'Shorten the code.'))
    if (!isRegionCode(datacenter)) report.problem(field, wrongType(`${codeWords}, or automatic`, datacenter))
  }
}

function readListener(entry: Entry, report: Report): Listener {
  const address = entry.address ?? '0.0.0.0'
  if (parseCidr(address) === undefined || address.includes('/'))
    report.problem('address', badAddress(address))
  const port = readPort(entry.listener_port, 'listener_port', report)
  return {
    ...identityOf(entry),
    protocol: entry.protocol ?? 'http',
    address,
    port,
    publicPort: entry.public_port === undefined ? port : readPort(entry.public_port, 'public_port', report),
    proxyProtocolFrom: readProxyProtocol(entry, report),
    nodes: entry.nodes ?? {},
    regions: entry.regions ?? {},
  }
}

function parse(entry: Entry, report: Report): LoadBalancerEntry {
  checkCertificates(entry, report)
  checkRegions(entry, report)
  const certificates = {
    id: entry.id,
    defaultCertificateId: entry.default_certificate ?? '',
    certificateIds: entry.certificates ?? [],
  }
  if ((entry.provider ?? 'weir') === 'weir') return { ...certificates, listener: readListener(entry, report) }
  for (const field of ['listener_port', 'public_port'] as const)
    if (entry[field] !== undefined) readPort(entry[field], field, report)
  return { ...certificates, listener: undefined }
}

export const loadBalancers = defineDocument({
  namespace: 'load-balancers',
  noun: 'load balancer',
  title: 'Load balancers',
  description: 'Ports on which Envoys take requests, with their certificates.',
  schema,
  examples: [
    { id: 'http', name: 'Plaintext', protocol: 'http', listener_port: 8080, public_port: 80 },
    {
      id: 'https',
      name: 'TLS',
      protocol: 'https',
      address: '::',
      listener_port: 8443,
      public_port: 443,
      default_certificate: 'placeholder',
      certificates: [],
    },
    {
      id: 'alb-1',
      name: 'In front',
      provider: 'aws',
      load_balancer_type: 'application',
      region: 'eu-west-1',
      dns_name: 'alb.example.com',
      listener_port: 443,
      max_certificates: 25,
    },
  ],
  parse,
})
