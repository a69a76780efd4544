// Sites as an administrator writes them, running: documents become a policy, the policy becomes Envoy resources and a
// pipeline, and requests go through a real Envoy to them. The filter runs in this process, so a test sees every decision.
import { createChallenges } from '#challenge'
import { type Policy, buildPolicy, formatProblem } from '#config'
import { type FilterServer, type ListenerSettings, renderBootstrap, startFilterServer } from '#envoy'
import { type Decision, type Pipeline, createPipeline } from '#pipeline'
import { systemClock } from '#platform'
import { type Locator, type RequestInput, noLocation } from '#request'
import { memoryState } from '#state'
import { type Documents, type Entry, base } from './base.ts'
import { type Control, startControl } from './control.ts'
import { type Envoy, startEnvoy } from './envoy.ts'
import { transport } from './transport.ts'

/** What the filter was asked, and what it decided. */
export type Judged = { readonly input: RequestInput; readonly decision: Decision }

export type Sites = {
  readonly envoy: Envoy
  /** Of the first listener. */
  readonly port: number
  portOf(listener: string): number
  /** Oldest first. */
  readonly judged: readonly Judged[]
  /** The filter's part in a request, by the id that its answer carries; undefined: it was not asked. */
  judgedAs(requestId: string | readonly string[] | undefined): Judged | undefined
  /** Other documents; resolves when Envoy acknowledged them. */
  publish(documents: Documents): Promise<void>
  stop(): Promise<void>
}

export type SitesOptions = {
  readonly documents: Documents
  /** Default: one plaintext listener `http` whose public port is 80. */
  readonly listeners?: readonly ListenerSettings[]
  /** Runs the filter but tells Envoy of nobody: for what happens without it. */
  readonly filter?: 'running' | 'absent'
}

export const plainListener = (id: string, publicPort = 80): ListenerSettings => ({
  id,
  protocol: 'http',
  address: '127.0.0.1',
  port: 0,
  publicPort,
})

/** Throws with the problems when the documents are refused. */
export function policyOf(documents: Documents): Policy {
  const built = buildPolicy({ ...base, ...documents }, { allowLoopbackBackends: true })
  if (!built.ok) throw new Error(built.problems.map(formatProblem).join('\n'))
  return built.policy
}

const nowhere: Locator = { missing: [], locate: () => noLocation }

type Filter = {
  readonly server: FilterServer
  readonly judged: Judged[]
  follow(policy: Policy): void
}

async function startFilter(): Promise<Filter> {
  const judged: Judged[] = []
  const defects: unknown[] = []
  const state = memoryState({ clock: systemClock })
  let pipeline: Pipeline | undefined
  const current = (): Pipeline => {
    if (pipeline === undefined) throw new Error('a request before the first policy')
    return pipeline
  }
  const server = await startFilterServer({
    listen: '127.0.0.1:0',
    transport,
    async decide(input) {
      const decision = await current().decide(input)
      judged.push({ input, decision })
      return decision
    },
    failed: (input) => current().failed(input),
    log: { warn: () => undefined, error: () => undefined },
  })
  return {
    server,
    judged,
    follow(policy) {
      pipeline = createPipeline(policy, {
        state,
        locator: nowhere,
        challenges: createChallenges(),
        onDefect: (error) => defects.push(error),
      })
    },
  }
}

const portIn = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/** Starts Envoy, control plane and filter with these documents in force. */
export async function startSites(options: SitesOptions): Promise<Sites> {
  const { documents, listeners = [plainListener('http')], filter: presence = 'running' } = options
  const closers: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close()
  }
  const filter = await startFilter()
  closers.push(() => filter.server.stop())
  const control: Control = await startControl()
  closers.push(() => control.stop())
  const filters =
    presence === 'running'
      ? [{ kind: 'tcp', address: '127.0.0.1', port: portIn(filter.server.address) } as const]
      : []

  async function publish(changed: Documents): Promise<void> {
    const policy = policyOf(changed)
    filter.follow(policy)
    const { nodes } = await control.publish(policy, { listeners, filters })
    const refused = nodes.filter(({ state }) => state !== 'acked')
    if (refused.length > 0) throw new Error(`Envoy refused the resources: ${JSON.stringify(refused)}`)
  }

  try {
    await publish(documents)
    const names = listeners.map(({ id }) => id)
    const envoy = await startEnvoy({
      bootstrap: renderBootstrap({ ADMIN_PORT: 0, STATS_PORT: 0, CONTROL_PORT: control.port }),
      listeners: names,
      args: ['--reject-unknown-dynamic-fields'],
    })
    closers.push(() => envoy.stop())
    const ports = new Map<string, number>()
    for (const name of names) ports.set(name, await envoy.listenerPort(name))
    const portOf = (name: string): number => {
      const port = ports.get(name)
      if (port === undefined) throw new Error(`no listener ${name}`)
      return port
    }
    return {
      envoy,
      port: portOf(names[0] ?? ''),
      portOf,
      judged: filter.judged,
      judgedAs: (id) => filter.judged.find(({ input }) => input.requestId === id),
      publish,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Place = string | { readonly port: number }

/** A backend service with one host, or with those in `more`. */
export const service = (id: string, to: Place, more: Entry = {}): Entry => ({
  id,
  name: id,
  http11: true,
  least_conn: false,
  back_hosts: [typeof to === 'string' ? { host: to } : { host: '127.0.0.1', http_ports: [to.port] }],
  ...more,
})

/** A host of a service, from an origin. */
export const backHost = (to: { readonly port: number }, more: Entry = {}): Entry => ({
  host: '127.0.0.1',
  http_ports: [to.port],
  ...more,
})

export type SiteDocuments = {
  /** Also its host, as `<id>.example`. */
  readonly id: string
  readonly service: Entry
  /** Fields of the template; a site without any has the default one. */
  readonly template?: Entry
  /** Fields of the default entry. */
  readonly entry?: Entry
  /** Entries before the default one. */
  readonly entries?: readonly Entry[]
  /** Fields of the server group. */
  readonly group?: Entry
}

/** Documents of several sites, each with a service, a policy and if need be a template of its own. */
export function documentsOf(sites: readonly SiteDocuments[], defaults: Entry = {}): Documents {
  const fallback: Entry = { id: '__default__', name: 'default', limit_req_rate: '0', ...defaults }
  const entryOf = (site: SiteDocuments): Entry => ({
    id: '__default_entry__',
    name: 'default',
    match: '__default__',
    backend_service: site.service['id'],
    ...site.entry,
  })
  return {
    'backend-services': [
      service('__default__', { port: 9 }),
      ...new Map(sites.map((site) => [site.service['id'], site.service])).values(),
    ],
    'proxy-templates': [
      fallback,
      ...sites.flatMap(({ id, template }) =>
        template === undefined ? [] : [{ ...fallback, id, name: id, ...template }],
      ),
    ],
    'security-policies': sites.map((site) => ({
      id: site.id,
      name: site.id,
      session: [{ attrs: 'ip' }],
      map: [...(site.entries ?? []), entryOf(site)],
    })),
    'server-groups': sites.map(({ id, template, group }) => ({
      id,
      name: id,
      server_names: [`${id}.example`],
      security_policy: id,
      proxy_template: template === undefined ? '__default__' : id,
      ...group,
    })),
  }
}
