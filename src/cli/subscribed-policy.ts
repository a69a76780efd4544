// The policy of a filter that has it from the control plane: checked and compiled by the code that reads a folder, kept on disk
// as soon as it is in force, and taken from there when the filter starts while the control plane is away.
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { isIP, isIPv6 } from 'node:net'
import { type Policy, type Revocations, buildPolicy, formatProblem, noRevocations, totalOf } from '#config'
import {
  type FilterPolicy,
  type FilterResource,
  type Held,
  createPolicyKeeper,
  decodePolicy,
  openPolicyStream,
  readKeptPolicy,
} from '#envoy'
import {
  type Lifecycle,
  type Log,
  type Settings,
  type SocketPlace,
  formatPlace,
  ownAddresses,
  parsePlace,
} from '#platform'
import { UsageError } from './command.ts'
import { seedSource } from './masking-seed.ts'
import { tell } from './messages.ts'

export type Subscription = {
  /** Puts the kept policy in force, if there is one. */
  resume(): void
  /** Subscribes. @param address where the filter listens */
  open(life: Lifecycle, address: string): Promise<void>
  /** As they came with the policy. */
  revocations(): Revocations
}

export type SubscriptionOptions = {
  readonly settings: Settings
  readonly control: SocketPlace
  readonly log: Log
  /** Puts a policy in force; what it throws refuses the policy. */
  readonly apply: (policy: Policy) => void
  readonly onUpdate: (outcome: 'applied' | 'refused') => void
  readonly onConnection: (isConnected: boolean) => void
}

const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'
const isLoopback = (host: string): boolean => host.startsWith('127.') || host === '::1'

/** Where Envoys reach what listens at this place. Throws UsageError when that cannot be said. */
export function reachableAddress({ values }: Pick<Settings, 'values'>, listening: SocketPlace): SocketPlace {
  const given = values['filter.address']
  if (given !== undefined) {
    if (isIP(given.host) !== 0) return given
    throw new UsageError(`filter.address is ${given.host}: Envoys need an IP address there, not a name`)
  }
  if (!isWildcard(listening.host)) return listening
  const own = ownAddresses().filter((address) => !isLoopback(address) && !/^fe80:/i.test(address))
  const host = own.find((address) => !isIPv6(address)) ?? own[0] ?? '127.0.0.1'
  return { host, port: listening.port }
}

/** Reads the documents of a message with the code that reads a folder. Throws with everything that is wrong. */
function policyOf(message: FilterPolicy, settings: Settings): Policy {
  const { revision, branch, documents, maskingSeed } = message
  const entries = documents.map(({ name, json }): [string, unknown] => [
    name,
    JSON.parse(Buffer.from(json).toString('utf8')),
  ])
  const built = buildPolicy(Object.fromEntries(entries), {
    branch,
    withKeys: false,
    // Whether a backend may be on its own machine is for those to say who configure Envoys.
    allowLoopbackBackends: true,
    maskingSeed: maskingSeed === undefined ? seedSource(settings) : () => ({ ok: true, seed: maskingSeed }),
  })
  // Filters are told less than what the revision was made of.
  if (built.ok) return { ...built.policy, revision }
  const lines = built.problems.slice(0, 20).map(formatProblem)
  throw new Error(`${String(totalOf(built.problems))} problems in policy ${revision}: ${lines.join(' ')}`)
}

type Running = {
  readonly held: Held
  readonly revision: string
  readonly maskingSeed: string | undefined
}

export function subscribePolicy(options: SubscriptionOptions): Subscription {
  const { settings, control, log, apply, onUpdate, onConnection } = options
  const { values } = settings
  let running: Running | undefined
  let revocations = noRevocations
  let quarantine: Held | undefined

  const port = values['filter.listen'].port
  const place = {
    file:
      values['filter.kept.file'] ??
      join(dirname(values['traffic.journal.file']), `policy-${String(port)}.kept`),
    maxBytes: values['xds.kept.max_bytes'],
    bucket: values['xds.bucket'],
    log,
  }
  const keeper = createPolicyKeeper(place)

  /** Throws for a policy that cannot be put in force; then everything stays as it was. */
  function use(resource: FilterResource): void {
    const message = decodePolicy(resource.bytes)
    const { revision, maskingSeed } = message
    // A new revocation list is no reason to compile everything again.
    if (running?.revision !== revision || running.maskingSeed !== maskingSeed)
      apply(policyOf(message, settings))
    running = { held: { name: resource.name, version: resource.version }, revision, maskingSeed }
    revocations = message.revocations
  }

  function take(resource: FilterResource): string | undefined {
    if (running?.held.version === resource.version) return undefined
    try {
      use(resource)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.warn({ version: resource.version, reason }, 'a policy is refused, the one that runs stays')
      onUpdate('refused')
      return reason
    }
    log.info({ revision: running?.revision, version: resource.version }, 'policy in force')
    onUpdate('applied')
    tell({ kind: 'policy', revision: running?.revision ?? '' })
    keeper.keep(resource)
    return undefined
  }

  return {
    revocations: () => revocations,
    resume() {
      const kept = readKeptPolicy(place)
      if (kept === undefined) return
      try {
        use(kept)
        log.info({ revision: running?.revision, file: place.file }, 'the kept policy is in force')
      } catch (error) {
        log.warn({ file: place.file, err: error }, 'the kept policy cannot be put in force')
      }
    },
    async open(life, address) {
      const listening = parsePlace(address) ?? values['filter.listen']
      const reachable = formatPlace(reachableAddress(settings, listening))
      await life.start(
        'subscription to the control plane',
        () =>
          openPolicyStream({
            control: formatPlace(control),
            token: values['xds.token'],
            node: {
              id: values['filter.node'] ?? `filter-${hostname()}-${String(listening.port)}`,
              bucket: values['xds.bucket'],
              region: values['filter.region'],
              grpcAddress: reachable,
            },
            running: () => ({ policy: running?.held, quarantine }),
            take: {
              policy: take,
              quarantine({ name, version }) {
                quarantine = { name, version }
                return undefined
              },
            },
            onConnection,
            log,
          }),
        async (stream) => {
          stream.stop()
          await keeper.stop()
        },
      )
    },
  }
}
