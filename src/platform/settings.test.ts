import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { settingNames, settingTable, variableOf } from './setting-table.ts'
import { type SettingFlag, type Settings, loadSettings } from './settings.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-settings-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const none: readonly SettingFlag[] = []

function write(content: string): string {
  const file = join(folder, 'weir.yaml')
  writeFileSync(file, content)
  return file
}

function load(content: string, environment = {}, flags = none): Settings {
  const loaded = loadSettings({ file: write(content), flags, environment })
  if (!loaded.ok) throw new Error(loaded.problems.join('\n'))
  return loaded.settings
}

function problems(content: string, environment = {}, flags = none): readonly string[] {
  const file = write(content)
  const loaded = loadSettings({ file, flags, environment })
  return loaded.ok ? [] : loaded.problems.map((problem) => problem.replaceAll(file, 'weir.yaml'))
}

describe('where a setting comes from', () => {
  test('every default is a value that its own row accepts', () => {
    const { values, given } = load('')
    expect(given.size).toBe(0)
    for (const name of settingNames) {
      const { fallback } = settingTable[name]
      expect([name, values[name] === undefined]).toEqual([name, fallback === undefined])
    }
  })

  test('the file, then variables, then flags', () => {
    const content = 'log: {level: debug}\nredis: {url: redis://file}\npublish: {timeout: 1m}\n'
    const environment = { WEIR_REDIS_URL: 'redis://variable', WEIR_PUBLISH_TIMEOUT: '2m' }
    const { values, given } = load(content, environment, [
      { name: 'publish.timeout', flag: 'publish-timeout', text: '500ms' },
    ])
    expect(values['log.level']).toBe('debug')
    expect(values['redis.url']).toBe('redis://variable')
    expect(values['publish.timeout']).toBe(500)
    expect([...given].toSorted()).toEqual(['log.level', 'publish.timeout', 'redis.url'])
  })

  test('an empty variable and a group with nothing in it say nothing', () => {
    expect(load('envoy:\n', { WEIR_LOG_LEVEL: '' }).given.size).toBe(0)
  })

  test('variables of other programs, such as those that Kubernetes sets for services, are left alone', () => {
    expect(problems('', { WEIR_FILTER_PORT: 'tcp://10.0.0.1:9191', WEIR_CONTROL_SERVICE_HOST: 'x' })).toEqual(
      [],
    )
  })

  test('no variable is one that Kubernetes might set', () => {
    const clash = settingNames.map(variableOf).filter((name) => /_(PORT|SERVICE)(_|$)/.test(name))
    expect(clash).toEqual([])
  })
})

describe('values', () => {
  test.each([
    ['a duration', 'publish: {timeout: 90s}', 'publish.timeout', 90_000],
    ['no time at all', 'publish: {drain: 0}', 'publish.drain', 0],
    ['a size in bytes', 'traffic: {journal: {max_bytes: 8192}}', 'traffic.journal.max_bytes', 8192],
    ['a size with unit', 'traffic: {journal: {max_bytes: 2GiB}}', 'traffic.journal.max_bytes', 2 * 1024 ** 3],
    ['an address', 'envoy: {listen: "0.0.0.0:80"}', 'envoy.listen', { host: '0.0.0.0', port: 80 }],
    ['an IPv6 address', 'envoy: {listen: "[::]:80"}', 'envoy.listen', { host: '::', port: 80 }],
    [
      'a list',
      'xds: {filters: [a:1, b:2]}',
      'xds.filters',
      [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
    ],
    ['a word', 'log: {format: json}', 'log.format', 'json'],
    [
      'hosts and prefixes',
      'fetch: {allow_hosts: [crl.example.com, 10.0.0.0/8, "[::1]", "fd00::/8"]}',
      'fetch.allow_hosts',
      ['crl.example.com', '10.0.0.0/8', '[::1]', 'fd00::/8'],
    ],
    ['a truth', 'envoy: {allow_loopback_backends: true}', 'envoy.allow_loopback_backends', true],
  ] as const)('%s', (_says, content, name, expected) => {
    expect(load(content).values[name]).toEqual(expected)
  })

  test('variables are text: lists by commas, truths by words, numbers by digits', () => {
    const { values } = load('', {
      WEIR_XDS_FILTERS: 'a:1, b:2',
      WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'true',
      WEIR_FILTER_PROCESSES: '4',
    })
    expect(values['xds.filters']).toHaveLength(2)
    expect(values['envoy.allow_loopback_backends']).toBe(true)
    expect(values['filter.processes']).toBe(4)
  })
})

describe('mistakes name the place, the reason and the remedy', () => {
  test.each([
    ['an unknown group', 'colour: blue', /^weir\.yaml: unknown setting "colour"\. .*known here: .*redis/],
    ['an unknown key', 'redis: {uri: x}', /^weir\.yaml: unknown setting "redis\.uri"\. .*url, deadline/],
    ['a value for a group', 'redis: redis://x', /^weir\.yaml: redis: must be a group.*url, deadline/],
    ['a wrong type', 'log: {level: 3}', /^weir\.yaml: log\.level: must be one of trace.*, is 3/],
    [
      'a host that is none',
      'fetch: {allow_hosts: ["http://crl.example.com/"]}',
      /fetch\.allow_hosts: must be a list of host names, addresses or prefixes/,
    ],
    ['a prefix too long', 'fetch: {allow_hosts: [10.0.0.0/33]}', /fetch\.allow_hosts: must be a list/],
    ['a word that is none', 'log: {level: loud}', /^weir\.yaml: log\.level: must be one of trace/],
    [
      'a duration without unit',
      'publish: {timeout: 30}',
      /publish\.timeout: must be a duration such as .*, is 30/,
    ],
    ['a port too large', 'xds: {listen: "a:70000"}', /xds\.listen: must be an address and a port/],
    ['a size too small', 'traffic: {event: {max_bytes: 1}}', /traffic\.event\.max_bytes: must be a size/],
    [
      'a number out of range',
      'filter: {processes: 0}',
      /filter\.processes: must be a whole number from 1 to 64/,
    ],
    ['a list', '- 1', /^weir\.yaml: must be a group of settings/],
    ['no YAML', 'a: [', /^weir\.yaml: cannot be read: /],
  ] as const)('%s', (_says, content, expected) => {
    expect(problems(content)).toEqual([expect.stringMatching(expected)])
  })

  test('all at once, each with where it was given', () => {
    const found = problems('a: 1\nb: 2\n', { WEIR_LOG_LEVEL: 'loud' }, [
      { name: 'xds.listen', flag: 'xds-listen', text: 'nowhere' },
    ])
    expect(found).toHaveLength(4)
    expect(found[2]).toMatch(/^variable WEIR_LOG_LEVEL: must be one of/)
    expect(found[3]).toMatch(/^option --xds-listen: must be an address/)
  })

  test('a file that was named must be there', () => {
    const loaded = loadSettings({ file: join(folder, 'absent.yaml'), flags: none, environment: {} })
    expect(loaded.ok).toBe(false)
  })
})
