import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { load } from 'js-yaml'
import { encodeJson } from '../proto-json.ts'
import { bootstrapTemplate, renderBootstrap } from './bootstrap.ts'

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
