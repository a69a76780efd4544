// The policy of a filter that has it from the control plane: checked and compiled by the code that reads a folder, kept on disk
// as soon as it is in force, and taken from there when the filter starts while the control plane is away. A filter of
// `weir serve` begins with the folder that its control plane reads, so that both get ready at the same time.
import { dirname, join } from 'node:path'
import { type Policy, type Revocations, noRevocations } from '#config'
import {
  type FilterPolicy,
  type FilterResource,
  type Held,
  type PolicyStreamOptions,
  createPolicyKeeper,
  decodePolicy,
  openPolicyStream,
  readKeptPolicy,
} from '#envoy'
import { type Lifecycle, type Log, type Settings, type SocketPlace, formatPlace } from '#platform'
import { filterNode } from './filter-node.ts'
import { tell } from './messages.ts'
import { policyOf, policyOfFolder } from './received-policy.ts'

export type Subscription = {
  /** Puts in force what there is before the control plane is reached, if there is anything. */
  resume(): void
  /** Subscribes. @param address where the filter listens */
  open(life: Pick<Lifecycle, 'start'>, address: string): Promise<void>
  /** As they came with the policy. */
  revocations(): Revocations
}

export type SubscriptionOptions = {
  readonly settings: Settings
  readonly control: SocketPlace
  /** Default: plain text. */
  readonly credentials?: PolicyStreamOptions['credentials']
  readonly log: Log
  /** Puts a policy in force; what it throws refuses the policy. */
  readonly apply: (policy: Policy) => void
  readonly onUpdate: (outcome: 'applied' | 'refused') => void
  readonly onConnection: (isConnected: boolean) => void
}

type Running = {
  /** Undefined: it is not from the control plane. */
  readonly held: Held | undefined
  /** Equal content, equal text. */
  readonly content: string
  readonly revision: string
}

type Content = Pick<FilterPolicy, 'revision' | 'branch' | 'maskingSeed'>

const contentOf = ({ revision, branch, maskingSeed = '' }: Content): string =>
  [revision, branch, maskingSeed].join(' ')

export function subscribePolicy(options: SubscriptionOptions): Subscription {
  const { settings, control, credentials, log, apply, onUpdate, onConnection } = options
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
  function use({ name, version, bytes }: FilterResource): void {
    const message = decodePolicy(bytes)
    const content = contentOf(message)
    // A new revocation list is no reason to compile everything again.
    if (running?.content !== content) {
      apply(policyOf(message, settings))
      log.info({ revision: message.revision, version }, 'policy in force')
    }
    running = { held: { name, version }, content, revision: message.revision }
    revocations = message.revocations
  }

  function useFolder(): void {
    const folder = values['supervisor.folder']
    const found = folder === undefined ? undefined : policyOfFolder(folder, settings)
    if (found === undefined) return
    const { policy, maskingSeed } = found
    apply(policy)
    const { revision, branch } = policy
    running = { held: undefined, content: contentOf({ revision, branch, maskingSeed }), revision }
    log.info({ revision, folder }, 'the folder is in force until the control plane is reached')
  }

  function useKept(): void {
    const kept = readKeptPolicy(place)
    if (kept === undefined) return
    if (running !== undefined) {
      revocations = decodePolicy(kept.bytes).revocations
      return
    }
    use(kept)
    log.info({ file: place.file }, 'the kept policy is in force')
  }

  /** What cannot be put in force at the start is no reason not to start: the control plane has a newer one. */
  function attempt(what: string, start: () => void): void {
    try {
      start()
    } catch (error) {
      log.warn({ err: error }, `${what} cannot be put in force`)
    }
  }

  function take(resource: FilterResource): string | undefined {
    if (running?.held?.version === resource.version) return undefined
    try {
      use(resource)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.warn({ version: resource.version, reason }, 'a policy is refused, the one that runs stays')
      onUpdate('refused')
      return reason
    }
    onUpdate('applied')
    tell({ kind: 'policy', revision: running?.revision ?? '' })
    keeper.keep(resource)
    return undefined
  }

  return {
    revocations: () => revocations,
    resume() {
      attempt('the folder', useFolder)
      attempt('the kept policy', useKept)
    },
    async open(life, address) {
      await life.start(
        'subscription to the control plane',
        () =>
          openPolicyStream({
            control: formatPlace(control),
            credentials,
            token: values['xds.token'],
            node: filterNode(settings, address),
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
