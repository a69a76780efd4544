// Where Envoys are told to reach a filter.
import { expect, test } from '@jest/globals'
import { isIP } from 'node:net'
import { type Settings, loadSettings, parsePlace } from '#platform'
import { filterNode, reachableAddress } from './filter-node.ts'

function settings(environment: Readonly<Record<string, string>> = {}): Settings {
  const loaded = loadSettings({ file: undefined, flags: [], environment })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  return loaded.settings
}

const reached = (listening: string, environment: Readonly<Record<string, string>> = {}) => {
  const place = parsePlace(listening)
  if (place === undefined) throw new Error(`${listening} is no place`)
  return reachableAddress(settings(environment), place)
}

test('is where it listens', () => {
  expect(reached('10.0.0.1:9191')).toEqual({ host: '10.0.0.1', port: 9191 })
  expect(reached('[::1]:9191')).toEqual({ host: '::1', port: 9191 })
})
test('is what the setting says, such as a port that something maps', () => {
  expect(reached('0.0.0.0:9191', { WEIR_FILTER_ADDRESS: '192.0.2.1:80' })).toEqual({
    host: '192.0.2.1',
    port: 80,
  })
})
test('is no name, which Envoy would refuse', () => {
  expect(() => reached('0.0.0.0:9191', { WEIR_FILTER_ADDRESS: 'filter.internal:9191' })).toThrow(
    'filter.address is filter.internal: Envoys need an IP address there, not a name',
  )
})
test.each(['0.0.0.0:9191', '[::]:9191'])(
  'is an address of this machine when it listens on all (%s)',
  (all) => {
    const { host, port } = reached(all)
    expect([isIP(host) !== 0, host === '0.0.0.0' || host === '::', port]).toEqual([true, false, 9191])
  },
)
test('the id is the same after a restart, and differs from port to port', () => {
  const [one, again, other] = ['127.0.0.1:1', '127.0.0.1:1', '127.0.0.1:2'].map(
    (address) => filterNode(settings(), address).id,
  )
  expect([one === again, one === other]).toEqual([true, false])
  expect(filterNode(settings({ WEIR_FILTER_NODE: 'mine' }), '127.0.0.1:1')).toEqual({
    id: 'mine',
    bucket: 'prod',
    region: 'local',
    grpcAddress: '127.0.0.1:1',
  })
})
