// The command line itself: help, versions, mistakes, exit codes; and `weir validate` on folders that are broken.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { copyConfig, editConfig, runWeir } from './support/weir.ts'

const names = [
  'quickstart',
  'serve',
  'filter',
  'control',
  'inspect',
  'validate',
  'coverage',
  'rules',
  'events',
]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('help', () => {
  test('names every command', async () => {
    const { code, stdout } = await runWeir(['--help'])
    expect(code).toBe(0)
    expect([...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, name]) => name)).toEqual(names)
  })

  test.each(names)('%s --help shows usage, options, exit codes and an example', async (name) => {
    const { code, stdout, stderr } = await runWeir([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: weir ${name} `)
    expect(stdout).toMatch(/^Exit: /m)
    expect(stdout).toMatch(/^Examples?: /m)
  })

  test('--version is that of the package', async () => {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect(await runWeir(['--version'])).toEqual({ code: 0, stdout: `${manifest.version}\n`, stderr: '' })
  })
})

describe('mistakes', () => {
  test.each([
    ['no command', [], '', 'Usage: weir COMMAND'],
    ['an unknown command', ['sreve'], 'weir: unknown command "sreve"; known are quickstart, serve', ''],
    [
      'an unknown option',
      ['serve', '--envoi'],
      'weir serve: there is no option --envoi; did you mean --envoy?',
      '',
    ],
    [
      'an option without its value',
      ['validate', '--config'],
      'weir validate: --config: the value is missing',
      '',
    ],
    [
      'a number below zero',
      ['events', '--last', '-4'],
      'weir events: --last -4: must be a number of events',
      '',
    ],
    ['a value that is none', ['serve', '--filters', 'many'], 'option --filters: must be a whole number', ''],
    ['a port that is none', ['quickstart', '--port', '99999'], '--port 99999: must be a port number', ''],
    [
      'a place that is none',
      ['filter', '--filter-listen', '9191'],
      'option --filter-listen: must be an address',
      '',
    ],
    ['a number that is none', ['events', '--last', 'few'], '--last few: must be a number', ''],
    [
      'no journal',
      ['events', '--journal', 'absent.jsonl'],
      'there is no journal absent.jsonl yet: start weir here, or name the journal with --journal',
      '',
    ],
    [
      'a journal that is a folder',
      ['events', '--journal', '.'],
      'the journal . cannot be read: it is a folder; name another with --journal',
      '',
    ],
    ['a verb that is none', ['rules', 'tset'], 'weir rules: unknown "tset": write weir rules test', ''],
    ['a rule that is none', ['rules', 'test', '--rule', '7'], '--rule 7: ', ''],
    [
      'a folder of rules that is none',
      ['rules', 'test', 'absent'],
      'absent: the folder cannot be read: it does not exist',
      '',
    ],
    [
      'a folder that is none',
      ['validate', '--config', 'absent'],
      '',
      'absent: the folder cannot be read: it does not exist',
    ],
  ] as const)('%s: exit code 2', async (_says, args, stderr, stdout) => {
    const ran = await runWeir(args, { cwd: folder })
    expect(ran.code).toBe(2)
    expect(ran.stderr).toContain(stderr)
    expect(ran.stdout).toContain(stdout)
  })
})

describe('weir events', () => {
  const event = (url: string): string =>
    JSON.stringify({ timestamp: '2026-03-02T09:15:04.123456Z', result: 'Passed', method: 'GET', url })
  const shown = '2026-03-02 09:15:04.123 Passed              - GET '

  test.each([
    [
      'lines that are no events are left out, and counted',
      [event('a/'), '{"a":1}', 'no JSON', '', event('b/')],
      [`${shown} a/ -`, `${shown} b/ -`],
      ': 3 lines are no events and were left out\n',
    ],
    [
      'one alone',
      ['{"timestamp":"2026-03-02T', event('a/')],
      [`${shown} a/ -`],
      ': 1 line is no event and was left out\n',
    ],
    ['a journal of events says nothing more', [event('a/')], [`${shown} a/ -`], ''],
  ])('%s', async (_says, lines, stdout, stderr) => {
    const journal = join(folder, 'some.jsonl')
    writeFileSync(journal, `${lines.join('\n')}\n`)
    const ran = await runWeir(['events', '--journal', journal])
    expect(ran).toEqual({
      code: 0,
      stdout: stdout.map((line) => `${line}\n`).join(''),
      stderr: stderr === '' ? '' : `weir events: ${journal}${stderr}`,
    })
  })
})

describe('weir validate', () => {
  test('the shipped configuration is valid', async () => {
    const { code, stdout } = await runWeir(['validate'])
    expect(stdout).toMatch(/: valid, revision [0-9a-f]{16}, \d+ warnings\n$/)
    expect(code).toBe(0)
  })

  test.each([
    ['not set', {}, 0, 'warning: '],
    ['false', { WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'false' }, 2, ''],
  ] as const)('its backend on this machine is told: the setting is %s', async (_says, env, code, prefix) => {
    const ran = await runWeir(['validate'], { env })
    expect(ran.code).toBe(code)
    expect(ran.stdout.split('\n')).toContainEqual(
      expect.stringContaining(
        `${prefix}backend-services.json: entry "__default__", back_hosts[0].host: "127.0.0.1" refers to this machine`,
      ),
    )
  })

  test('its backend on this machine is accepted where the setting is true', async () => {
    const { code, stdout } = await runWeir(['validate'], {
      env: { WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'true' },
    })
    expect({ code, told: stdout.includes('refers to this machine') }).toEqual({ code: 0, told: false })
  })

  test('--json says the same to programs', async () => {
    const config = join(folder, 'broken')
    copyConfig(config, 8000)
    writeFileSync(join(config, 'actions.json'), '[{"id":"a","name":"a","type":"blok"}]')
    const { code, stdout } = await runWeir(['validate', '--config', config, '--json'])
    const report = JSON.parse(stdout) as { ok: boolean; problems: object[] }
    expect(code).toBe(2)
    expect(report.ok).toBe(false)
    expect(report.problems).toContainEqual(
      expect.objectContaining({ file: 'actions.json', document: 'actions', entry: 'a', field: 'type' }),
    )
  })

  test('a patch that only Envoy can judge is refused in its words', async () => {
    const config = join(folder, 'patched')
    copyConfig(config, 8000)
    const rings = {
      lb_policy: 'RING_HASH',
      ring_hash_lb_config: { minimum_ring_size: '100', maximum_ring_size: '10' },
    }
    const patch = {
      name: 'rings',
      protocol: ['http', 'https'],
      configuration: JSON.stringify([{ target: 'cluster', merge: rings }]),
    }
    editConfig(config, 'proxy-templates', (entries) => {
      for (const entry of entries as object[]) Object.assign(entry, { advanced_configuration: [patch] })
    })
    const { code, stdout } = await runWeir(['validate', '--config', config])
    expect(stdout).toMatch(/: Envoy refuses: ring hash: minimum_ring_size \(100\) > maximum_ring_size \(10\)/)
    expect(code).toBe(2)
  })

  const cases = fileURLToPath(new URL('validate/broken/', import.meta.url))
  const broken = readdirSync(cases, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)

  /** All of them are tried in process (test/validate); here it is the program, its output and its exit code. */
  const tried = broken.slice(0, 14)

  test('there are at least twelve ways to be broken', () => {
    expect(tried.length).toBeGreaterThanOrEqual(12)
  })

  test.each(tried)('%s: file, reason and remedy, exit code 2', async (name) => {
    const { code, stdout } = await runWeir(['validate', '--config', join(cases, name)])
    expect(code).toBe(2)
    const [first = ''] = stdout.split('\n')
    expect(first).toMatch(/^\S+\.(json|ya?ml): .+\. .+$/)
    expect(first).not.toContain('undefined')
  })
})

describe('weir coverage', () => {
  const event = (fields: object): string =>
    JSON.stringify({
      timestamp: new Date().toISOString(),
      upstream_cluster: 'be|__default__|http',
      upstream_status: [200],
      tags: [],
      ...fields,
    })

  let config: string
  let journal: string
  beforeAll(() => {
    config = join(folder, 'covered')
    journal = join(folder, 'covered.jsonl')
    copyConfig(config, 8000)
    editConfig(config, 'security-policies', (entries) => {
      const [policy] = entries as { map: object[] }[]
      const upload = { id: 'up', name: 'up', match: '^/upload', content_filter_profile_active: false }
      policy?.map.push({ ...upload, backend_service: '__default__' })
    })
    editConfig(config, 'proxy-templates', (entries) => {
      const slow = { target: 'route', match: { entry: 'up' }, merge: { route: { idle_timeout: '600s' } } }
      const patch = { name: 'slow uploads', configuration: JSON.stringify([slow]) }
      for (const one of entries)
        Object.assign(one as object, { failure_mode: 'open', advanced_configuration: [patch] })
    })
    const old = { timestamp: '2026-01-01T00:00:00.000000Z', upstream_status: [502] }
    const failed = { upstream_status: [], tags: ['origin-error:upstream_reset_before_response_started'] }
    writeFileSync(
      journal,
      [event({}), event(failed), event({ upstream_status: [503] }), event(old)].join('\n'),
    )
  })

  test('a row for each path, and what to look at', async () => {
    const { code, stdout } = await runWeir(['coverage', '--config', config, '--journal', journal])
    expect(code).toBe(0)
    const lines = stdout.split('\n')
    const row = (start: string): string => lines.find((line) => line.trim().startsWith(start)) ?? ''
    expect(lines[2]).toBe('demo: localhost, 127.0.0.1')
    expect(lines[3]).toMatch(
      /^ {2}http 80, https 443 · certificate placeholder \(signs itself\) · .* · no filter: PASSES · 1200\/s/,
    )
    expect(lines[4]).toBe('  patched: slow uploads (route of up)')
    expect(row('PATH')).toMatch(/^ {2}PATH +INSPECTED +BODY +ACL +LIMITS +BACKEND +FAILED 1 H +WHY$/)
    expect(row('/ ')).toMatch(/^ {2}\/ +yes +1 MB, longer: by kind +on +\d+ +__default__ +2 of 3 /)
    expect(row('^/upload')).toMatch(/ NO +unread, to 150 MB .* 2 of 3 +the content filter is off$/)
    expect(stdout).toContain(
      '3 paths of 1 site: 2 inspected, 0 without bodies, 1 not\nOther hosts: refused with 421',
    )
    expect(lines.slice(lines.indexOf('Look at:') + 1, -1)).toEqual([
      '  demo ^/upload: not examined, the content filter is off',
      '  demo: requests pass unexamined while no filter answers',
      '  demo: visitors over TLS are warned, its certificate is the placeholder',
      '  backend __default__: 1 answered 503, 1 upstream reset before response started, of 3 requests in the last hour',
    ])
  })

  test('--json says the same to programs', async () => {
    const { code, stdout } = await runWeir(['coverage', '--config', config, '--journal', journal, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      otherHosts: null,
      sites: [
        {
          id: 'demo',
          failureMode: 'open',
          certificate: { id: 'placeholder', state: 'placeholder' },
          entries: [
            { role: 'root', inspection: 'full', bodyBytes: 1048576 },
            { match: '^/upload', inspection: 'none', why: ['the content filter is off'] },
            { role: 'default', inspection: 'full' },
          ],
        },
      ],
      backends: { __default__: { requests: 3 } },
    })
  })

  test('where no journal was written yet failures are unknown', async () => {
    const { code, stdout } = await runWeir(['coverage'], { cwd: folder })
    expect(code).toBe(0)
    expect(stdout).toContain('Failures of backends: unknown, there is no journal')
  })

  test.each([
    ['a folder that is none', ['--config', 'absent'], 'absent: the folder cannot be read'],
    [
      'a journal that is none',
      ['--journal', 'absent.jsonl'],
      'there is no journal absent.jsonl; name the one',
    ],
    [
      'a folder for a journal',
      ['--journal', '.'],
      'the journal . cannot be read: it is a folder; name another',
    ],
  ])('%s: exit code 2', async (_says, args, stderr) => {
    const ran = await runWeir(['coverage', ...args], { cwd: folder })
    expect(ran).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toContain(stderr)
  })
})

describe('weir inspect', () => {
  const request = { name: 'home', ip: '203.0.113.9', method: 'GET', authority: 'localhost', path: '/' }
  const inspect = async (fields: object) =>
    runWeir(['inspect', '--requests', '-', '--expect'], { input: JSON.stringify({ ...request, ...fields }) })

  test('an expectation that a decision does not meet: exit code 1', async () => {
    expect(await inspect({ expect: { status: 472 } })).toEqual({
      code: 1,
      stdout:
        'line 1 (home):\n  status: expected 472, is null\n1 requests, 0 as expected, 1 not, 0 without expectation\n',
      stderr: '',
    })
  })

  test('an expectation of what no decision has: exit code 2', async () => {
    expect(await inspect({ expect: { statu: 472 } })).toEqual({
      code: 2,
      stdout: '',
      stderr: '-: line 1 (home): expect.statu: unknown field; did you mean status?\n',
    })
  })
})

describe('weir rules test', () => {
  const operand = '\\bdrop\\s+table\\b'
  const rule = { id: 'drop', operand, risk: 5, category: 'sqli', subcategory: 's', msg: 'A table is dropped' }
  const write = (name: string, ...entries: readonly object[]): string => {
    const rules = join(folder, name)
    mkdirSync(rules)
    writeFileSync(join(rules, 'content-filter-rules.json'), JSON.stringify(entries))
    return rules
  }

  test('all examples of the shipped rules hold', async () => {
    const { code, stdout } = await runWeir(['rules', 'test'])
    const [, rules, examples, passed] =
      /^(\d+) rules, (\d+) examples: (\d+) passed, 0 failed\n$/.exec(stdout) ?? []
    expect({ code, passed }).toEqual({ code: 0, passed: examples })
    expect(Number(examples)).toBeGreaterThanOrEqual(4 * Number(rules))
  })

  test('a failure is a line with rule, example, expectation and remedy; exit code 1', async () => {
    const examples = {
      matches: ['DROP TABLE a', 'drop/**/table a'],
      misses: ['drop the table', 'drop table'],
    }
    const rules = write('failing', { ...rule, examples }, { ...rule, id: 'bare' })
    expect(await runWeir(['rules', 'test', rules])).toEqual({
      code: 1,
      stdout: [
        'warning: bare: no examples. Add "examples": {"matches": […], "misses": […]}.',
        'drop: matches[1] "drop/**/table a": should match, but does not. Widen the operand, or take the example out of "matches".',
        'drop: misses[1] "drop table": should not match, but "drop table" does. Narrow the operand, or take the example out of "misses".',
        '2 rules, 4 examples: 2 passed, 2 failed',
        '',
      ].join('\n'),
      stderr: '',
    })
    const only = await runWeir(['rules', 'test', rules, '--rule', 'bare', '--json'])
    expect(only.code).toBe(0)
    expect(JSON.parse(only.stdout)).toMatchObject({ ok: true, rules: 1, failures: [], untested: ['bare'] })
  })

  test('--value tells which rules match a text, and what of it', async () => {
    const rules = write('value', rule)
    const run = async (...args: readonly string[]) => runWeir(['rules', 'test', rules, '--value', ...args])
    expect(await run('please drop  table x')).toEqual({
      code: 0,
      stdout: 'drop (sqli, risk 5): A table is dropped: "drop  table"\n1 of 1 rules match\n',
      stderr: '',
    })
    expect((await run('a table')).stdout).toBe('0 of 1 rules match\n')
    expect(JSON.parse((await run('drop%20table', '--json')).stdout)).toMatchObject({
      found: [{ rule: 'drop', part: 'drop table', decoded: 'drop table' }],
    })
  })

  test('rules that cannot be read: problems, exit code 2', async () => {
    const rules = write('unreadable', { ...rule, operand: '(?=x)' })
    const { code, stderr } = await runWeir(['rules', 'test', rules])
    expect(code).toBe(2)
    expect(stderr).toContain('content-filter-rules.json: entry "drop", operand: invalid regex at 0')
  })
})
