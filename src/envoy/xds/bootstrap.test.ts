import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { load } from 'js-yaml'
import { encodeJson } from '../proto-json.ts'
import { type BootstrapValues, bootstrapTemplate, renderBootstrap } from './bootstrap.ts'

describe('the bootstrap', () => {
  test('is a valid one with its defaults', () => {
    const bootstrap: unknown = load(renderBootstrap({}))
    expect(bootstrap).toMatchObject({
      node: {
        id: 'envoy-0',
        cluster: 'weir',
        locality: { region: 'local' },
        metadata: { weir: { role: 'envoy', bucket: 'prod' } },
      },
      admin: { address: { socket_address: { address: '127.0.0.1', port_value: 9901 } } },
    })
    expect(encodeJson('envoy.config.bootstrap.v3.Bootstrap', bootstrap).length).toBeGreaterThan(500)
  })

  test('takes the values that are given', () => {
    const bootstrap = load(
      renderBootstrap({ NODE_ID: 'pod-7', ADMIN_PORT: 0, CONTROL_HOST: 'control.weir', CONTROL_PORT: 18001 }),
    )
    expect(bootstrap).toMatchObject({
      node: { id: 'pod-7' },
      admin: { address: { socket_address: { port_value: 0 } } },
    })
    expect(JSON.stringify(bootstrap)).toContain('{"address":"control.weir","port_value":18001}')
  })

  const tls = (values: BootstrapValues): unknown => {
    const bootstrap = load(renderBootstrap(values))
    expect(encodeJson('envoy.config.bootstrap.v3.Bootstrap', bootstrap).length).toBeGreaterThan(500)
    const { static_resources } = bootstrap as { static_resources: { clusters: object[] } }
    return static_resources.clusters[0]
  }

  test('reaches the control plane over TLS when it has a CA', () => {
    expect(tls({})).not.toHaveProperty('transport_socket')
    expect(tls({ CONTROL_CERT: '/a.pem' })).not.toHaveProperty('transport_socket')
    expect(tls({ CONTROL_CA: '/ca.pem' })).toMatchObject({
      transport_socket: {
        typed_config: {
          common_tls_context: {
            validation_context: {
              trusted_ca: { filename: '/ca.pem' },
              match_typed_subject_alt_names: [{ san_type: 'IP_ADDRESS', matcher: { exact: '127.0.0.1' } }],
            },
          },
        },
      },
    })
  })

  test('shows a certificate when it has one, and wants the name that it dials', () => {
    const values = { CONTROL_HOST: 'control.weir', CONTROL_CA: '/ca.pem', CONTROL_CERT: '/a.pem' }
    expect(tls({ ...values, CONTROL_KEY: '/a-key.pem' })).toMatchObject({
      transport_socket: {
        typed_config: {
          common_tls_context: {
            tls_certificates: [
              { certificate_chain: { filename: '/a.pem' }, private_key: { filename: '/a-key.pem' } },
            ],
            validation_context: {
              match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: 'control.weir' } }],
            },
          },
        },
      },
    })
  })

  test('has a default for every placeholder', () => {
    const body = readFileSync(bootstrapTemplate, 'utf8').replace(/^#.*\n/gm, '')
    expect(body.match(/\$\{[^}]*\}/g)?.every((one) => /^\$\{[A-Z_]+:-[^}]+\}$/.test(one))).toBe(true)
    expect(renderBootstrap({})).not.toContain('${')
  })

  for (const value of ['a"b', 'a\nb', 'a${b}', 'a b', 'a#'])
    test(`refuses a value that YAML could misread: ${JSON.stringify(value)}`, () => {
      expect(() => renderBootstrap({ NODE_ID: value })).toThrow('bootstrap value NODE_ID')
    })
})
