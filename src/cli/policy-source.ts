// The configuration folder as a running process sees it: loaded before anything starts, then watched. A folder that breaks
// changes nothing but the log.
import {
  type Documents,
  type LoadOptions,
  type LoadResult,
  type Policy,
  type Problem,
  formatProblem,
  loadFolder,
  totalOf,
  watchFolder,
} from '#config'
import { PatchesRefused } from '#envoy'
import type { Lifecycle, Log, Settings } from '#platform'
import { UsageError } from './command.ts'
import { seedSource } from './masking-seed.ts'
import { tell } from './messages.ts'

export const configFolder = (settings: Settings, shippedConfig: string): string =>
  settings.values.config ?? shippedConfig

/** Every problem on a line of its own. */
export function describeProblems(folder: string, problems: readonly Problem[]): string {
  const total = totalOf(problems)
  const count = total === 1 ? 'a problem' : `${String(total)} problems`
  const lines = problems.map((problem) => `  ${formatProblem(problem)}`)
  return [`the configuration in ${folder} has ${count}:`, ...lines].join('\n')
}

/** Loads the folder; throws UsageError with all problems. */
export function loadPolicy(folder: string, options: LoadOptions): LoadResult & { readonly ok: true } {
  const loaded = loadFolder(folder, options)
  if (!loaded.ok) throw new UsageError(describeProblems(folder, loaded.problems))
  return loaded
}

/** What a policy was made from. */
export type PolicySource = {
  readonly documents: Documents
  /** Of content filter profiles without one of their own; undefined: none was needed so far. */
  readonly maskingSeed: string | undefined
}

export type PolicyUse = {
  readonly folder: string
  readonly settings: Settings
  readonly log: Log
  /** Puts a policy in force; what it throws refuses the policy. The first one is put in force before this returns. */
  readonly apply: (policy: Policy, source: PolicySource) => void
  /**
   * Of a process that hands policies on: the revision that runs, and undefined while none does. Such a process tells by itself
   * what became of a policy. Left out: what was applied runs.
   */
  readonly running?: () => string | undefined
  /** Another process of the same site says what is wrong with the folder. */
  readonly quiet?: boolean
  /** Something is in force already, so a folder that is broken at the start is no reason not to start. Default: false. */
  readonly hasFallback?: boolean
  /** How certificates are loaded. */
  readonly load?: Pick<LoadOptions, 'withKeys' | 'placeholder'>
  /** Told what the watcher saw, for metrics. */
  readonly onReload?: (outcome: 'applied' | 'refused') => void
}

/** Files that come one by one, or one that is replaced in two steps, must not take everything off the net for a moment. */
const lastSite =
  'server-groups.json: the change would leave no site, and every host without an answer. Keep one; a start with none is allowed.'

/** Loads, applies and from then on follows the folder. Throws UsageError when there is no policy to begin with. */
export async function followPolicy(
  life: Lifecycle,
  {
    folder,
    settings,
    log,
    apply,
    running,
    quiet = false,
    hasFallback = false,
    load = {},
    onReload,
  }: PolicyUse,
): Promise<void> {
  let maskingSeed: string | undefined
  const seeds = seedSource(settings, (file) => {
    log[quiet ? 'debug' : 'info'](
      { file },
      'profiles without a masking_seed use the one of this machine; several machines need the same: setting masking.seed',
    )
  })
  const options: LoadOptions = {
    ...load,
    allowLoopbackBackends: settings.values['envoy.allow_loopback_backends'],
    maskingSeed() {
      const found = seeds()
      if (found.ok) maskingSeed = found.seed
      return found
    },
  }
  /** What was applied last. */
  let applied: Policy | undefined
  /** The folder holds what was refused. */
  let refused = false

  const level = quiet ? 'debug' : 'warn'
  const refuse = (problems: readonly string[]): void => {
    refused = true
    const revision = running === undefined ? applied?.revision : running()
    for (const problem of problems) log[level]({ folder }, problem)
    log[level]({ folder, revision }, 'the changed configuration is refused, the one that runs stays')
    onReload?.('refused')
    tell({ kind: 'refused', problems })
  }
  const accept = (policy: Policy, result: LoadResult): void => {
    applied = policy
    refused = false
    warn(result)
    const { revision } = policy
    if (running === undefined) {
      log.info({ revision, folder }, 'policy in force')
      tell({ kind: 'policy', revision })
    } else log.info({ revision, folder }, 'policy accepted, now published')
  }
  /** A warning that has been read once says nothing new with every later change. */
  let warned: ReadonlySet<string> = new Set()
  const warn = ({ warnings }: LoadResult): void => {
    const all = warnings.map(formatProblem)
    for (const warning of all) if (!warned.has(warning)) log[level]({}, warning)
    warned = new Set(all)
  }
  const use = (result: LoadResult): void => {
    if (!result.ok) {
      refuse(result.problems.map(formatProblem))
      return
    }
    const { policy, documents } = result
    if (policy.revision === applied?.revision) {
      if (refused) mended(policy)
      return
    }
    if (policy.serverGroups.length === 0 && applied !== undefined && applied.serverGroups.length > 0) {
      refuse([lastSite])
      return
    }
    try {
      apply(policy, { documents, maskingSeed })
    } catch (error) {
      if (error instanceof PatchesRefused) {
        refuse(error.problems.map(formatProblem))
        return
      }
      log.error({ err: error }, 'a policy could not be put in force')
      refuse([error instanceof Error ? error.message : String(error)])
      return
    }
    onReload?.('applied')
    accept(policy, result)
  }
  const mended = ({ revision }: Policy): void => {
    refused = false
    log[quiet ? 'debug' : 'info'](
      { folder, revision },
      'the configuration is again what it was before the refused change',
    )
    onReload?.('applied')
    // A node may have refused what was applied last, and then something older runs.
    if (running === undefined || running() === revision) tell({ kind: 'policy', revision })
  }

  // Watched before it is read, so that no change falls between.
  await life.start(
    'policy watcher',
    () =>
      watchFolder(folder, options, {
        onChange: use,
        onError: (error) => log.warn({ err: error, folder }, 'watching failed'),
      }),
    (watch) => watch.stop(),
  )
  if (hasFallback) {
    use(loadFolder(folder, options))
    return
  }
  const first = loadPolicy(folder, options)
  try {
    apply(first.policy, { documents: first.documents, maskingSeed })
  } catch (error) {
    if (!(error instanceof PatchesRefused)) throw error
    throw new UsageError(describeProblems(folder, error.problems))
  }
  accept(first.policy, first)
}
