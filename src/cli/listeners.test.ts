import { describe, expect, test } from '@jest/globals'
import type { ListenerSettings } from '#envoy'
import { loadSettings } from '#platform'
import { remedyOf } from './listeners.ts'
import type { Ways } from './ports.ts'

const listener = (id: string): ListenerSettings => ({
  id,
  protocol: 'http',
  address: '0.0.0.0',
  port: 8080,
  publicPort: 80,
})

const quickstart: Ways = { 'envoy.listen': '--port' }

describe('what to do about a port that is taken', () => {
  test.each<[says: string, id: string, environment: Record<string, string>, ways: Ways, remedy: string]>([
    [
      'one that the document put there',
      'http',
      {},
      {},
      'choose another with --listen or WEIR_ENVOY_LISTEN, or envoy.listen in weir.yaml, or change listener_port of http in load-balancers.json',
    ],
    [
      'one that a setting put there',
      'http',
      { WEIR_ENVOY_LISTEN: '0.0.0.0:80' },
      {},
      'choose another with --listen or WEIR_ENVOY_LISTEN, or envoy.listen in weir.yaml',
    ],
    [
      'one that the command has an option of its own for',
      'http',
      { WEIR_ENVOY_LISTEN: '127.0.0.1:8080' },
      quickstart,
      'choose another with --port',
    ],
    [
      'the other of that command',
      'https',
      {},
      quickstart,
      'choose another with --listen-tls or WEIR_ENVOY_LISTEN_TLS, or envoy.listen_tls in weir.yaml, or change listener_port of https in load-balancers.json',
    ],
    ['one without a setting', 'intern', {}, {}, 'change listener_port of intern in load-balancers.json'],
  ])('%s', (_says, id, environment, ways, remedy) => {
    const loaded = loadSettings({ file: undefined, flags: [], environment })
    expect(loaded.ok && remedyOf(listener(id), loaded.settings, ways)).toBe(remedy)
  })
})
