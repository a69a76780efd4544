// Weir in the shapes in which people run it: the filter alone behind an Envoy of their own, and the whole with its control
// plane, access log and journal.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyConfig, editConfig, startWeir } from '../../../test/support/weir.ts'
import { host } from '../mixes.ts'
import { freePort } from '../ports.ts'
import { type Running, start } from '../processes.ts'
import { root, tools } from '../tools.ts'
import { startEnvoy } from './envoy.ts'
import { type Started, type Subject, together } from './subject.ts'

type Entry = Record<string, unknown>

/** One site of that name, which believes this machine's X-Forwarded-For, so that the load comes from many clients. */
function oneSite(folder: string): void {
  editConfig(folder, 'server-groups', (entries) => {
    Object.assign(entries[0] as Entry, { server_names: [host], proxy_template: 'demo' })
  })
}

/** Nothing but sites: no filters, no limits, no ACL, no content filter. */
function nothing(folder: string): void {
  oneSite(folder)
  for (const namespace of ['global-filters', 'rate-limit-rules', 'flow-control-policies'])
    writeFileSync(join(folder, `${namespace}.json`), '[]')
  editConfig(folder, 'security-policies', (entries) => {
    for (const { map } of entries as { map: Entry[] }[])
      for (const entry of map)
        Object.assign(entry, {
          acl_profile_active: false,
          content_filter_profile_active: false,
          rate_limit_rules: [],
        })
  })
}

type Shape = {
  readonly configure: (folder: string) => void
  readonly redis?: boolean
  readonly filters?: number
  readonly env?: Readonly<Record<string, string>>
}

async function startRedis(port: number): Promise<Running> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  return start(tools.redisServer ?? 'redis-server', args, { port })
}

/** `weir serve --envoy`: access log on, events written. */
async function serve(
  originPort: number,
  { configure, redis = false, filters = 1, env = {} }: Shape,
): Promise<Started> {
  const redisPort = redis ? await freePort() : undefined
  const store = redisPort === undefined ? undefined : await startRedis(redisPort)
  const weir = await startWeir({
    backendPort: originPort,
    configure,
    env,
    args: [
      ...['--events', 'none', '--log-level', 'warn', '--filters', String(filters)],
      ...(redisPort === undefined ? [] : ['--redis', `redis://127.0.0.1:${String(redisPort)}`]),
    ],
  }).catch(async (error: unknown) => {
    await store?.stop()
    throw error
  })
  return {
    port: weir.port,
    pids: [weir.pid, ...(store === undefined ? [] : [store.pid])],
    journal: join(weir.config, '..', 'events.jsonl'),
    ...(redisPort === undefined ? {} : { redisPort }),
    async stop() {
      await weir.stop()
      await store?.stop()
    },
  }
}

/** The shipped configuration with other environment variables, for the profiler. */
export const serveShipped = (originPort: number, env: Readonly<Record<string, string>>): Promise<Started> =>
  serve(originPort, { configure: oneSite, env })

/** `weir filter` behind an Envoy that writes no access log. */
async function filterAlone(originPort: number): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  const config = join(folder, 'config')
  copyConfig(config, originPort)
  oneSite(config)
  const [port, filterPort, metricsPort] = [await freePort(), await freePort(), await freePort()]
  const place = (one: number): string => `127.0.0.1:${String(one)}`
  const args = [
    'filter',
    '--config',
    config,
    '--filter-listen',
    place(filterPort),
    '--filter-metrics',
    place(metricsPort),
  ]
  const filter = await start(
    process.execPath,
    [join(root, 'src', 'cli', 'main.ts'), ...args, '--log-level', 'warn'],
    { port: filterPort, cwd: folder, env: { ...process.env, WEIR_ENVOY_ALLOW_LOOPBACK_BACKENDS: 'true' } },
  )
  const started = together(port, filter, await startEnvoy(port, originPort, filterPort))
  return {
    ...started,
    async stop() {
      await started.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const whole = (id: string, name: string, shape: Shape): Subject => ({
  id,
  name,
  start: ({ originPort }) => serve(originPort, shape),
})

export const weirFilter: Subject = {
  id: 'weir-filter',
  name: 'Envoy + Weir filter, shipped policy, no access log',
  start: ({ originPort }) => filterAlone(originPort),
}
export const weirEmpty = whole('weir-empty', 'Weir whole, empty policy', { configure: nothing })
export const weirShipped = whole('weir', 'Weir whole, shipped policy', { configure: oneSite })
const redisMissing = (): string | undefined =>
  tools.redisServer === null ? 'there is no redis-server' : undefined
export const weirRedis: Subject = {
  ...whole('weir-redis', 'Weir whole, shipped policy, Redis', { configure: oneSite, redis: true }),
  missing: redisMissing,
}
export const weirTwoFilters: Subject = {
  ...whole('weir-2', 'Weir whole, shipped policy, Redis, 2 filters', {
    configure: oneSite,
    redis: true,
    filters: 2,
  }),
  missing: redisMissing,
}
