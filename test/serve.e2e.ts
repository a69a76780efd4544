// `weir serve --envoy` in ordinary life: it answers, leaves events, follows its folder, and refuses to start when it
// cannot do its work.
import { createServer } from 'node:http'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Answer, send } from './support/http.ts'
import {
  type Ports,
  type TestWeir,
  copyConfig,
  editConfig,
  freePorts,
  pause,
  portOptions,
  runWeir,
  startWeir,
  waitFor,
} from './support/weir.ts'

type Acl = { id: string; deny?: string[] }

describe('serving', () => {
  let weir: TestWeir
  beforeAll(async () => {
    weir = await startWeir({})
  })
  afterAll(async () => {
    expect(await weir.stop()).toBe(0)
  })

  const ask = (path = '/', headers: readonly (readonly [string, string])[] = []): Promise<Answer> =>
    send({ port: weir.port, host: 'localhost', path, headers })

  test('GET / comes from the backend with the request id of its event', async () => {
    const answer = await ask()
    expect(answer.status).toBe(200)
    expect(answer.body).toContain('Demo shop')
    const event = await weir.event(String(answer.headers['x-request-id']))
    expect(event).toMatchObject({
      source: 'pipeline',
      result: 'Passed',
      status: 200,
      hostname: 'envoy-0',
      host: 'localhost',
      url: 'localhost/',
      version: '1.1',
      upstream_addr: [weir.backend],
      upstream_status: [200],
      response_code_details: 'via_upstream',
    })
    expect(event.security_config.revision).toMatch(/^[0-9a-f]{16}$/)
  })

  test('the probe for readiness has left no event', async () => {
    expect((await weir.events()).filter(({ host }) => host.includes('ready'))).toEqual([])
  })

  /** Three cookies are what the changed policy refuses. */
  const cookies = [['cookie', 'a=1; b=2; c=3']] as const

  test('a changed folder is in force within about a second, without a request lost', async () => {
    expect((await ask('/', cookies)).status).toBe(200)
    const from = performance.now()
    editConfig(weir.config, 'acl-profiles', (entries) => {
      for (const entry of entries as Acl[])
        if (entry.id === '__acldefault__') entry.deny = [...(entry.deny ?? []), 'cookies:3']
    })
    const denied = await waitFor('three cookies are refused', async () => {
      await pause(50)
      const answer = await ask('/', cookies)
      expect([200, 472]).toContain(answer.status)
      return answer.status === 472 ? answer : undefined
    })
    expect(performance.now() - from).toBeLessThan(15_000)
    const event = await weir.event(String(denied.headers['x-request-id']))
    expect(event.reason).toMatch(/^ACL: .*deny \[cookies:3\]$/)
    expect((await ask()).status).toBe(200)
  })

  test('a folder that breaks is refused by name and reason, and what ran goes on', async () => {
    const lines = weir.log().length
    const file = join(weir.config, 'acl-profiles.json')
    const good = readFileSync(file, 'utf8')
    writeFileSync(file, good.replace('"deny"', '"denny"'))
    const line = await weir.logged(({ msg }) => /unknown field "denny"/.test(msg ?? ''), lines)
    expect(line.msg).toMatch(/^acl-profiles\.json: entry ".*", denny: unknown field "denny"\. Did you mean/)
    expect((await ask('/', cookies)).status).toBe(472)
    writeFileSync(file, good)
  })

  test('each process shows its metrics', async () => {
    const metrics = async (port: number): Promise<string> =>
      (await fetch(`http://127.0.0.1:${String(port)}/metrics`)).text()
    await ask()
    expect(await metrics(weir.ports.filterMetrics)).toMatch(/weir_decisions_total\{action="pass".*\} [1-9]/)
    await waitFor('events are counted', async () => {
      const text = await metrics(weir.ports.controlMetrics)
      return /weir_events_total\{.*\} [1-9]/.test(text) && /weir_envoys_connected\{.*\} 1/.test(text)
        ? text
        : undefined
    })
    expect((await fetch(`http://127.0.0.1:${String(weir.ports.stats)}/ready`)).status).toBe(200)
  })

  test('`weir events` shows them readably', async () => {
    const { headers } = await ask('/events-test?q=1%27%20union%20select%20password%20from%20users--')
    await weir.event(String(headers['x-request-id']))
    const file = join(weir.config, '..', 'events.jsonl')
    const all = await runWeir(['events', '--file', file, '--last', '1'])
    expect(all.stdout).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} Blocked +473 GET +localhost\/events-test\S* [\d.]+ [\d.]+ms Content filter: .*\n$/,
    )
    const json = await runWeir(['events', '--file', file, '--last', '1', '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ request_id: headers['x-request-id'] })
    const blocked = await runWeir(['events', '--file', file, '--last', '100', '--blocked'])
    const lines = blocked.stdout.trim().split('\n')
    expect(lines.filter((line) => !line.includes(' Blocked '))).toEqual([])
    expect(lines.length).toBeGreaterThanOrEqual(2)
  })
})

describe('refusing to start', () => {
  let folder: string
  let ports: Ports
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-start-'))
    copyConfig(join(folder, 'good'), 1)
    ports = await freePorts()
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const serve = (...more: readonly string[]) =>
    runWeir(['serve', '--envoy', '--config', join(folder, 'good'), ...portOptions(ports), ...more], {
      cwd: folder,
    })

  test('a configuration with problems: all of them, exit code 2', async () => {
    const bad = join(folder, 'bad')
    copyConfig(bad, 1)
    editConfig(bad, 'server-groups', (entries) => {
      Object.assign(entries[0] as object, { security_policy: 'nobody', colour: 'blue' })
    })
    const { code, stderr, stdout } = await serve('--config', bad)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/unknown field "colour"/)
    expect(stderr).toMatch(/server-groups\.json: entry "demo"/)
  })

  test('a port that is taken: which, and how to choose another, exit code 1', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(ports.listen, '127.0.0.1', resolve))
    const { code, stderr } = await serve()
    other.close()
    expect(code).toBe(1)
    expect(stderr).toContain(
      `127.0.0.1:${String(ports.listen)} (requests) is taken by another program; choose another with --listen or WEIR_ENVOY_LISTEN`,
    )
  })

  test('a port for TLS that is taken: an Envoy would share it in silence, so nothing starts', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(ports.listenTls, '127.0.0.1', resolve))
    const { code, stderr } = await serve()
    other.close()
    expect(code).toBe(1)
    expect(stderr).toContain(
      `127.0.0.1:${String(ports.listenTls)} (requests over TLS) is taken by another program; choose another with --listen-tls or WEIR_ENVOY_LISTEN_TLS, or envoy.listen_tls in weir.yaml\n`,
    )
  })

  test('several filters without Redis: why not, exit code 2', async () => {
    const { code, stderr } = await serve('--filters', '2')
    expect(code).toBe(2)
    expect(stderr).toMatch(/--filters 2 needs Redis: .*name one with --redis/)
  })

  test('no Envoy where the setting says: exit code 2', async () => {
    const { code, stderr } = await runWeir(
      ['serve', '--envoy', '--config', join(folder, 'good'), ...portOptions(ports)],
      { cwd: folder, env: { WEIR_ENVOY_BINARY: '/nowhere/envoy' } },
    )
    expect(code).toBe(2)
    expect(stderr).toContain('envoy.binary: there is no /nowhere/envoy')
  })

  test('a mistake in weir.yaml: exit code 2', async () => {
    const home = join(folder, 'home')
    mkdirSync(home)
    writeFileSync(join(home, 'weir.yaml'), 'redis: {uri: redis://x}\n')
    const { code, stderr } = await runWeir(['serve'], { cwd: home })
    expect(code).toBe(2)
    expect(stderr).toContain(
      'weir.yaml: unknown setting "redis.uri". Remove or rename it; known here: url, deadline.',
    )
  })
})
