// What a large configuration costs the control plane: 1,000 server groups with 10 paths each in front of 500 backend services.
// Built in a process of its own, so that its memory is its own; read from a folder by `weir validate`; then published to a real
// Envoy, and one endpoint is changed.
//
//   node bench/xds.ts [--groups 1000] [--paths 10] [--services 500] [--changes 20] [--no-envoy]
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { Server, ServerCredentials } from '@grpc/grpc-js'
import type { Policy } from '#config'
import {
  type Snapshot,
  type XdsSettings,
  createSnapshotBuilder,
  createAds,
  defaultXdsSettings,
  renderBootstrap,
} from '#envoy'
import * as site from '../src/envoy/xds/sites.fixture.ts'
import { type DeltaClient, type Received, connectDelta } from '../test/support/delta-client.ts'
import { startEnvoy } from '../test/support/envoy.ts'
import { withFolder } from './xds-folder.ts'

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '1000' },
    paths: { type: 'string', default: '10' },
    services: { type: 'string', default: '500' },
    changes: { type: 'string', default: '20' },
    'no-envoy': { type: 'boolean', default: false },
    measure: { type: 'boolean', default: false },
  },
})
const size = { groups: Number(values.groups), paths: Number(values.paths), services: Number(values.services) }

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n)

/** @param moved port of the first host of the first service */
function policyOf(moved: number): Policy {
  const services = numbers(size.services).map((n) =>
    site.service({
      id: `service-${n}`,
      name: `service ${n}`,
      hosts: [
        site.host({ host: `10.1.${n >> 8}.${n & 255}`, httpPorts: [n === 0 ? moved : 8080] }),
        site.host({ host: `10.2.${n >> 8}.${n & 255}`, httpPorts: [8080], weight: 2, maxFails: 3 }),
      ],
    }),
  )
  const backendOf = (group: number, path: number) => services[(group * size.paths + path) % size.services]
  return site.policy({
    serverGroups: numbers(size.groups).map((group) =>
      site.group({
        id: `site-${group}`,
        serverNames: [{ kind: 'literal', host: `www.site-${group}.example` }],
        policy: site.securityPolicy({
          id: `policy-${group}`,
          entries: [
            ...numbers(size.paths - 1).map((path) =>
              site.entry({
                id: `path-${path}`,
                role: 'path',
                match: `^/api/v[0-9]+/part-${path}/`,
                backend: backendOf(group, path),
              }),
            ),
            site.entry({ backend: backendOf(group, size.paths - 1) }),
          ],
        }),
      }),
    ),
  })
}

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`
const ms = (milliseconds: number): string => `${milliseconds.toFixed(0)} ms`
const say = (what: string, value: string): void => void process.stdout.write(`${what.padEnd(64)} ${value}\n`)

/** Milliseconds by the clock, and of both the program and its garbage collector on the processors. */
type Took = { readonly clock: number; readonly cpu: number }

function timed<T>(run: () => T): { readonly result: T; readonly took: Took } {
  const start = performance.now()
  const before = process.cpuUsage()
  const result = run()
  const { user, system } = process.cpuUsage(before)
  return { result, took: { clock: performance.now() - start, cpu: (user + system) / 1000 } }
}

const bytesOf = ({ resources }: Snapshot): number =>
  [...resources.values()].flat().reduce((sum, { bytes }) => sum + bytes.length, 0)

/** Runs in a child with --expose-gc: builds, and reports what the process needed and holds. */
function measure(): void {
  const policy = policyOf(8080)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  const build = createSnapshotBuilder()
  const changed = policyOf(8081)
  const first = timed(() => build(policy, defaultXdsSettings))
  const again = timed(() => build(changed, defaultXdsSettings))
  const { maxRSS } = process.resourceUsage()
  globalThis.gc?.()
  say('resources', mib(bytesOf(first.result)))
  say(
    'full snapshot, first (loads the protobuf types)',
    `${ms(first.took.clock)} (CPU ${ms(first.took.cpu)})`,
  )
  say('full snapshot, one endpoint changed', `${ms(again.took.clock)} (CPU ${ms(again.took.cpu)})`)
  say('memory of the process, highest', mib(maxRSS * 1024))
  say('of that before the first build', mib(before))
  say('held by two snapshots and their JSON', mib(process.memoryUsage().heapUsed))
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

async function bootClient(client: DeltaClient, snapshot: Snapshot): Promise<number> {
  let bytes = 0
  const first = async (
    type: Parameters<DeltaClient['ask']>[0],
    add: readonly string[] = [],
  ): Promise<void> => {
    client.ask(type, { add })
    const response = await client.next()
    bytes += sum(response)
    client.ack(response)
  }
  const names = (type: string): readonly string[] => {
    const list = snapshot.resources.get(`type.googleapis.com/envoy.config.${type}`) ?? []
    return list.map(({ name }) => name)
  }
  await first('cluster')
  await first('endpoint', names('endpoint.v3.ClusterLoadAssignment'))
  await first('listener')
  await first('route', names('route.v3.RouteConfiguration'))
  return bytes
}

const sum = ({ bytes }: Received): number => bytes.reduce((all, { length }) => all + length, 0)

async function distribute(): Promise<void> {
  const server = new Server()
  const quiet = { info: () => undefined, warn: (fields: object, text: string) => console.warn(text, fields) }
  const ads = createAds({ log: quiet, timeoutMs: 120_000, drainMs: 1000 })
  ads.register(server)
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  const settings: XdsSettings = {
    ...defaultXdsSettings,
    listeners: [{ id: 'http', protocol: 'http', address: '127.0.0.1', port: 0, publicPort: 80 }],
  }
  const build = createSnapshotBuilder()
  const snapshot = build(policyOf(8080), settings)
  await ads.publish(snapshot)
  const started = performance.now()
  const envoy = await startEnvoy({
    bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: port }),
    listeners: ['http'],
    timeoutMs: 120_000,
    logLevel: 'warning',
  })
  const client = connectDelta(port, 'observer')
  try {
    say('Envoy from start to listening', ms(performance.now() - started))
    say('sent to a node that has nothing', mib(await bootClient(client, snapshot)))
    const taken: number[] = []
    const built: number[] = []
    let changed: Received | undefined
    for (const n of numbers(Number(values.changes))) {
      const { result, took } = timed(() => build(policyOf(9000 + n), settings))
      built.push(took.clock)
      const before = performance.now()
      const publishing = ads.publish(result)
      changed = await client.next()
      client.ack(changed)
      const { ok, nodes } = await publishing
      if (!ok || nodes.some(({ state }) => state !== 'acked'))
        throw new Error(`refused: ${JSON.stringify(nodes)}`)
      taken.push(performance.now() - before)
    }
    taken.sort((a, b) => a - b)
    built.sort((a, b) => a - b)
    if (!changed) return
    say(
      'sent for one changed endpoint',
      `${changed.names.length} resource (${changed.names.join()}), ${sum(changed)} bytes`,
    )
    say('one endpoint changed: snapshot built, median', ms(quantile(built, 0.5)))
    say('one endpoint changed: publish until Envoy acknowledged, median', ms(quantile(taken, 0.5)))
    say('the same, worst', ms(quantile(taken, 1)))
    say('memory of control plane and bench', mib(process.memoryUsage().rss))
    say('memory of Envoy', mib(await envoy.stat('server.memory_allocated')))
  } finally {
    client.close()
    ads.stop()
    server.forceShutdown()
    await envoy.stop()
  }
}

if (values.measure) measure()
else {
  say('groups × paths, services', `${size.groups} × ${size.paths}, ${size.services}`)
  const same = ['--groups', values.groups, '--paths', values.paths, '--services', values.services]
  execFileSync(process.execPath, ['--expose-gc', import.meta.filename, '--measure', ...same], {
    stdio: 'inherit',
  })
  withFolder(size, (folder) => {
    const main = new URL('../src/cli/main.ts', import.meta.url).pathname
    const { took } = timed(() => execFileSync(process.execPath, [main, 'validate', '--config', folder]))
    say('weir validate of that as a folder of documents', ms(took.clock))
  })
  if (!values['no-envoy']) await distribute()
}
