// The worked examples of the specification (control-plane §6) that speak of TLS: to origins, of sites, of clients.
import { describe, expect, test } from '@jest/globals'
import type { BackendService, Certificate, Policy, ServerGroup } from '#config'
import type { Json, JsonObject } from './json.ts'
import { type ListenerSettings, defaultXdsSettings } from './settings.ts'
import * as site from './sites.fixture.ts'
import { type Snapshot, buildSnapshot } from './snapshot.ts'

const certificate = (id: string, side: Certificate['side'], names: readonly string[] = []): Certificate => ({
  id,
  name: id,
  side,
  chain: `chain of ${id}`,
  key: side === 'clientCA' || side === 'backendCA' ? undefined : `key of ${id}`,
  names,
  expires: Date.UTC(2100, 0),
  crl: [],
})

const web = certificate('web', 'server', ['www.example.com'])
const https: ListenerSettings = {
  id: 'https',
  protocol: 'https',
  address: '0.0.0.0',
  port: 8443,
  publicPort: 443,
  defaultCertificate: certificate('placeholder', 'server'),
  certificates: [],
}

const publish = (policy: Policy): Snapshot =>
  buildSnapshot(policy, { ...defaultXdsSettings, listeners: [https] })

function resource(snapshot: Snapshot, message: string, name: string): JsonObject {
  const list = snapshot.resources.get(`type.googleapis.com/${message}`) ?? []
  return list.find((one) => one.name === name)?.json ?? {}
}

const listOf = (value: Json | undefined): readonly JsonObject[] => (value ?? []) as readonly JsonObject[]

function siteWith(group: Partial<ServerGroup>, service: Partial<BackendService> = {}): ServerGroup {
  const template = site.template({ id: 't1', websocket: false })
  const policy = site.securityPolicy({ entries: [site.entry({ backend: site.service(service) })] })
  return site.group({ template, policy, certificate: web, ...group })
}

describe('E17: TLS to the origin', () => {
  const clusterOf = (service: Partial<BackendService>): JsonObject =>
    resource(
      publish(site.policy({ serverGroups: [siteWith({}, service)] })),
      'envoy.config.cluster.v3.Cluster',
      'be|app|https',
    )

  test('E17: shows a certificate and checks the origin against a CA', () => {
    const made = clusterOf({
      clientCertificate: certificate('edge', 'serverToBackendMTLS'),
      trustedCa: certificate('originca', 'backendCA'),
    })
    expect(made).toMatchObject({
      transport_socket: {
        typed_config: {
          common_tls_context: {
            tls_params: { tls_maximum_protocol_version: 'TLSv1_3' },
            tls_certificate_sds_secret_configs: [{ name: 'cert|edge' }],
            validation_context_sds_secret_config: { name: 'backendca|originca' },
          },
        },
      },
    })
    expect(JSON.stringify(made)).toContain(
      '"upstream_http_protocol_options":{"auto_sni":true,"auto_san_validation":true}',
    )
  })

  test('E17: without a CA nothing is verified, and names are not checked, which Envoy would refuse', () => {
    const made = JSON.stringify(clusterOf({}))
    expect(made).toContain('"upstream_http_protocol_options":{"auto_sni":true}')
    expect(made).not.toContain('validation')
  })
})

const chains = (groups: readonly ServerGroup[]): readonly JsonObject[] =>
  listOf(
    resource(publish(site.policy({ serverGroups: groups })), 'envoy.config.listener.v3.Listener', 'https')[
      'filter_chains'
    ],
  )

describe('E30: versions of TLS', () => {
  test('E30: a group with its own has its own profile, and others keep theirs', () => {
    const strict = siteWith({ tls: { least: 'TLSv1.3', most: 'TLSv1.3', ciphers: [] } })
    const other = siteWith({ id: 'site2', serverNames: [{ kind: 'literal', host: 'two.example.com' }] })
    const versions = chains([strict, other]).flatMap(({ filter_chain_match, transport_socket }) => {
      const { server_names } = filter_chain_match as JsonObject
      const least = /"tls_minimum_protocol_version":"(\w+)"/.exec(JSON.stringify(transport_socket))?.[1]
      return server_names === undefined ? [] : [`${JSON.stringify(server_names)} from ${String(least)}`]
    })
    expect(new Set(versions)).toEqual(
      new Set(['["two.example.com"] from TLSv1_2', '["www.example.com"] from TLSv1_3']),
    )
  })
})

describe('E35: client certificates', () => {
  const ca = certificate('c1', 'clientCA')
  const asking = (mode: 'on' | 'optional'): ServerGroup =>
    siteWith({ clientCertificate: { mode, ca, crl: undefined } })

  test('E35: the handshake asks, accepts what it cannot trust, and resumes no session', () => {
    const [chain] = chains([asking('on')])
    expect(chain?.['transport_socket']).toMatchObject({
      typed_config: {
        require_client_certificate: false,
        disable_stateless_session_resumption: true,
        disable_stateful_session_resumption: true,
        common_tls_context: {
          combined_validation_context: {
            default_validation_context: { trust_chain_verification: 'ACCEPT_UNTRUSTED' },
            validation_context_sds_secret_config: { name: 'clientca|c1' },
          },
        },
      },
    })
  })

  const nocert = {
    name: 'site1|nocert',
    match: { prefix: '/', tls_context: { presented: false } },
    direct_response: { status: 496 },
  }
  const badcert = {
    name: 'site1|badcert',
    match: { prefix: '/', tls_context: { presented: true, validated: false } },
    direct_response: { status: 495 },
  }
  test.each([
    ['on', [nocert, badcert]],
    ['optional', [badcert]],
  ] as const)('E35: mode %s: the first routes refuse by what was presented', (mode, refusals) => {
    const made = publish(site.policy({ serverGroups: [asking(mode)] }))
    const [chain] = listOf(resource(made, 'envoy.config.listener.v3.Listener', 'https')['filter_chains'])
    const table = /"route_config_name":"([^"]+)"/.exec(JSON.stringify(chain))?.[1] ?? ''
    const hosts = listOf(resource(made, 'envoy.config.route.v3.RouteConfiguration', table)['virtual_hosts'])
    expect(listOf(hosts[0]?.['routes'])).toMatchObject([...refusals, { name: 'site1|__default_entry__' }])
  })
})

test('E27: an entry without edge functions of a response phase has nothing to do with ext_proc', () => {
  const made = publish(site.policy({ serverGroups: [siteWith({})] }))
  const routes = resource(made, 'envoy.config.route.v3.RouteConfiguration', 'https|off')
  expect(listOf(routes['virtual_hosts'])).not.toEqual([])
  expect(JSON.stringify(routes)).not.toContain('ext_proc')
})
