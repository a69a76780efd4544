// Revocation lists of client certificates in a running Weir: the control plane keeps them and writes the file, filters read
// it and look again when it changed. Nothing but the wiring: what a list is stands in #control, what it means in #pipeline.
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Policy, type Revocations, decodeRevocations, noRevocations } from '#config'
import { createCrlKeeper, createGuardedFetch } from '#control'
import {
  Counter,
  Gauge,
  type Lifecycle,
  type Log,
  type Registry,
  type SettingValues,
  systemClock,
} from '#platform'

const fileOf = (values: SettingValues): string =>
  values['crl.file'] ?? join(dirname(values['traffic.journal.file']), 'revocations.json')

type Parts = { readonly values: SettingValues; readonly log: Log }

type KeeperParts = Parts & {
  readonly registry: Registry
  /** Other certificates are revoked than before. */
  readonly onChange: (revocations: Revocations) => void
}

export type KeptRevocations = {
  current(): Revocations
  /** Keeps the lists that any of these policies asks for, and warns once of CAs of which there is none. */
  follow(policies: readonly Policy[]): void
}

export async function keepRevocations(
  life: Lifecycle,
  { values, log, registry, onChange }: KeeperParts,
): Promise<KeptRevocations> {
  const fetch = createGuardedFetch({
    allowHttp: values['fetch.allow_http'],
    allowHosts: values['fetch.allow_hosts'],
    timeoutMs: values['fetch.timeout'],
    maxBytes: values['fetch.max_bytes'],
  })
  const intervalMs = values['crl.interval']
  const keeper = await life.start(
    'revocation lists',
    () => createCrlKeeper({ file: fileOf(values), fetch, clock: systemClock, log, intervalMs, onChange }),
    (one) => one.stop(),
  )
  const registers = [registry]
  new Counter({
    name: 'weir_crl_fetch_failures_total',
    help: 'Fetches of revocation lists that failed or brought a list that is no good.',
    registers,
    collect() {
      this.reset()
      this.inc(keeper.stats().failures)
    },
  })
  new Gauge({
    name: 'weir_crl_lists',
    help: 'Revocation lists in force.',
    registers,
    collect() {
      this.set(keeper.stats().lists)
    },
  })
  let warned: ReadonlySet<string> = new Set()
  return {
    current: keeper.current,
    follow(policies) {
      const serverGroups = policies.flatMap((policy) => policy.serverGroups)
      const unlisted = new Map(
        keeper.follow({ serverGroups }).map((one) => [JSON.stringify([one.group, one.ca]), one]),
      )
      for (const [key, fields] of unlisted)
        if (!warned.has(key))
          log.warn(
            fields,
            'no revocation list of this CA is there yet: until one is, its certificates get 495',
          )
      warned = new Set(unlisted.keys())
    },
  }
}

const lookMs = 500

/** What the control plane wrote last; undefined: nothing, or nothing that can be read. */
function read(file: string, log: Log): Revocations | undefined {
  try {
    const revocations = decodeRevocations(readFileSync(file, 'utf8'))
    if (revocations === undefined) log.warn({ file }, 'the revocation lists are not as Weir wrote them')
    return revocations
  } catch (error) {
    // Most sites ask for no lists, and then there is no file.
    log.debug({ file, err: error }, 'no revocation lists')
    return undefined
  }
}

/** The lists of the file, from now on as they are at each moment. A file that breaks or goes changes nothing. */
export async function followRevocations(life: Lifecycle, { values, log }: Parts): Promise<() => Revocations> {
  const file = fileOf(values)
  let revocations = read(file, log) ?? noRevocations
  const look = (): void => {
    const next = read(file, log)
    if (next === undefined || next.revision === revocations.revision) return
    revocations = next
    log.info({ revocations: next.revision, cas: next.cas.size }, 'revocation lists in force')
  }
  await life.start(
    'revocation lists',
    () => watchFile(file, { interval: lookMs, persistent: false }, look),
    () => unwatchFile(file, look),
  )
  return () => revocations
}
