// Where Envoys listen, and balancers in front of them for information (spec control-plane 1.5).
import { type Static, Type } from 'typebox'
import { parseCidr } from '#platform'
import { badAddress, finding, outOfRange, required } from '../findings.ts'
import type { LoadBalancer } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath } from '../schema/json.ts'
import { defineDocument } from './document.ts'
import { entrySchema, identityOf, reference } from './common.ts'

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
    Type.Array(Type.String(), {
      description: 'Further certificates. Those of server groups need no mention.',
    }),
  ),
  max_certificates: port('0: no limit. Informational. Default: 0.'),
  region: text('For people. Default: empty.'),
  dns_name: text('For people. Default: empty.'),
  listener_name: text('For people. Default: empty.'),
  load_balancer_type: text('For people; envoy for weir.'),
  nodes: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Metadata of the Envoys that have this listener. Default: all.',
    }),
  ),
  regions: Type.Optional(
    Type.Record(Type.String(), Type.String(), {
      description: 'Location → datacenter whose filters decide, or `automatic`.',
    }),
  ),
})
type Entry = Static<typeof schema>

type Listener = Omit<LoadBalancer, 'protocol'> & {
  readonly protocol: 'http' | 'https'
  readonly defaultCertificateId: string
  readonly certificateIds: readonly string[]
}

/** A load balancer that names its certificates by id; `listener` is undefined for those that are only recorded. */
export type LoadBalancerEntry = { readonly id: string; readonly listener: Listener | undefined }

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
  if (entry.proxy_protocol !== true) return undefined
  const from = entry.proxy_protocol_from ?? []
  if (from.length === 0) {
    report.problem(
      'proxy_protocol_from',
      finding(
        'required with proxy_protocol',
        'List the networks of the balancers: whoever else speaks it could claim any address.',
      ),
    )
  }
  from.forEach((cidr, i) => {
    if (parseCidr(cidr) === undefined) report.problem(fieldPath('proxy_protocol_from', i), badAddress(cidr))
  })
  return from
}

function parse(entry: Entry, report: Report): LoadBalancerEntry {
  if ((entry.provider ?? 'weir') !== 'weir') return { id: entry.id, listener: undefined }
  const address = entry.address ?? '0.0.0.0'
  if (parseCidr(address) === undefined || address.includes('/'))
    report.problem('address', badAddress(address))
  const listenerPort = readPort(entry.listener_port, 'listener_port', report)
  return {
    id: entry.id,
    listener: {
      ...identityOf(entry),
      protocol: entry.protocol ?? 'http',
      address,
      port: listenerPort,
      publicPort:
        entry.public_port === undefined ? listenerPort : readPort(entry.public_port, 'public_port', report),
      proxyProtocolFrom: readProxyProtocol(entry, report),
      defaultCertificateId: entry.default_certificate ?? '',
      certificateIds: entry.certificates ?? [],
    },
  }
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
    { id: 'alb-1', name: 'In front', provider: 'aws', region: 'eu-west-1', dns_name: 'alb.example.com' },
  ],
  parse,
})
