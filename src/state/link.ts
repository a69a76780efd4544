// One Redis node, and whether it can be relied on. ioredis speaks the protocol; when to stop asking, how to notice that the
// node is back and when to dial again is decided here, because a request must never pay for it: nothing is queued, nothing is
// sent twice by the client, a broken connection is not repaired but replaced.
//
// A link is up after a probe (a script that writes, so a read-only, full or loading node does not count as well) was answered
// in time. Answers that come too late or are errors add up until the link is down; then only probes are sent, in the background.
import type { Redis } from 'ioredis'
import type { Clock } from '#platform'
import { type RedisNode, nodeName } from './redis-url.ts'
import { type Command, probeOf } from './scripts.ts'
import { type Credentials, type Reply, batchedSend, converse, dial, hungMs, isRedirect } from './wire.ts'

/** Where a link says that it went and that it came back; a pino logger is one. */
export type StateLog = {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}

export type LinkOptions = {
  readonly clock: Clock
  readonly log: StateLog
  readonly deadlineMs: number
  /** Milliseconds between probes while the link is not up. */
  readonly probeMs: number
  readonly prefix: string
  readonly credentials: Credentials
  /** Called whenever the link is up. */
  onUp(): void
}

export type LinkStats = {
  readonly node: string
  readonly up: boolean
  /** How often the link went down and came up. */
  readonly takeovers: number
  readonly returns: number
  /** Why it is not up; undefined while it is. */
  readonly reason: string | undefined
}

export type Link = {
  readonly name: string
  up(): boolean
  /** Sends when this turn of the event loop ends; one reply for each command. Never rejects, may never settle in time. */
  send(commands: readonly Command[], how?: { readonly asking: boolean }): Promise<readonly Reply[]>
  /** The reply of CLUSTER SLOTS, as it came. */
  slots(): Promise<unknown>
  /** An exchange was answered in time. */
  answered(): void
  /** An exchange was not, or with an error. */
  failed(reason: string): void
  stats(): LinkStats
  close(): void
}

/** Failures that take a link down, less a tenth for every success: about one in ten may fail for ever. */
const tolerance = 3
const forgiveness = 0.1
/** Probes to be answered in time before a link is up again: doubled if it falls soon after, so that it does not flap. */
const fewestProbes = 3
const mostProbes = 48
const flappingMs = 10_000

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function openLink(node: RedisNode, options: LinkOptions): Link {
  const { clock, log, deadlineMs, probeMs, prefix } = options
  const name = nodeName(node)
  let client: Redis | undefined
  let state: 'starting' | 'up' | 'down' | 'closed' = 'starting'
  let reason: string | undefined = 'not connected yet'
  let failures = 0
  let probing: number | undefined
  let goodProbes = 0
  let neededProbes = 1
  let upSince = 0
  let downSince = clock.now()
  let takeovers = 0
  let returns = 0
  let timer: NodeJS.Timeout | undefined
  /** Some key of this node: in a cluster only a probe within its slots says whether they are served. */
  let lastKey = `${prefix}{probe}:`

  const fall = (why: string): void => {
    reason = why
    goodProbes = 0
    if (state === 'closed' || state === 'down') return
    const now = clock.now()
    const flapping = state === 'up' && now - upSince < flappingMs
    neededProbes = flapping ? Math.min(mostProbes, neededProbes * 2) : fewestProbes
    state = 'down'
    downSince = now
    takeovers++
    log.warn({ node: name, reason: why }, 'Redis does not answer as it should: counting locally')
    schedule()
  }
  const rise = (): void => {
    const first = state === 'starting'
    state = 'up'
    reason = undefined
    failures = 0
    upSince = clock.now()
    clearTimeout(timer)
    if (!first) returns++
    log.info(
      { node: name, awayMs: upSince - downSince },
      first ? 'counting in Redis' : 'Redis is back: counting there again',
    )
    options.onUp()
  }

  const probe = async (through: Redis): Promise<void> => {
    const start = performance.now()
    probing = start
    const [reply] = await converse(through, [probeOf(lastKey)], false)
    if (through !== client) return
    probing = undefined
    if (state === 'closed' || state === 'up') return
    const elapsed = performance.now() - start
    const failed = reply instanceof Error && !isRedirect(reply)
    if (failed) fall(reply.message)
    else if (elapsed > deadlineMs) fall(`a probe took ${elapsed.toFixed(0)} ms`)
    else if (++goodProbes >= neededProbes) rise()
  }

  const connect = (): void => {
    const fresh = dial(node, options.credentials)
    let broken: string | undefined
    client = fresh
    probing = undefined
    fresh.on('error', (error) => {
      broken = messageOf(error)
    })
    fresh.once('ready', () => void probe(fresh))
    fresh.once('end', () => {
      if (client !== fresh) return
      client = undefined
      fall(broken ?? 'connection closed')
    })
  }

  const tend = (): void => {
    if (state === 'up' || state === 'closed') return
    if (client === undefined) connect()
    else if (probing !== undefined && performance.now() - probing > hungMs) {
      // Let go at once: a peer that is gone does not take part in closing the connection either.
      client.disconnect()
      client = undefined
      fall(`no answer for ${String(hungMs)} ms`)
    } else if (probing === undefined && client.status === 'ready') void probe(client)
    schedule()
  }
  function schedule(): void {
    clearTimeout(timer)
    timer = setTimeout(tend, probeMs)
  }

  const sendNow = async (commands: readonly Command[], asking: boolean): Promise<readonly Reply[]> => {
    if (client === undefined) return commands.map(() => new Error(reason ?? 'not connected'))
    return converse(client, commands, asking)
  }
  const sendSoon = batchedSend((commands) => sendNow(commands, false))

  connect()
  schedule()

  return {
    name,
    up: () => state === 'up' && client?.status === 'ready',
    send(commands, { asking } = { asking: false }) {
      lastKey = commands[0]?.keys[0] ?? lastKey
      return asking ? sendNow(commands, true) : sendSoon(commands)
    },
    slots: async () => client?.cluster('SLOTS'),
    answered() {
      failures = Math.max(0, failures - forgiveness)
    },
    failed(why) {
      if (state === 'up' && ++failures >= tolerance) fall(why)
    },
    stats: () => ({ node: name, up: state === 'up', takeovers, returns, reason }),
    close() {
      state = 'closed'
      reason = 'closed'
      clearTimeout(timer)
      client?.disconnect()
    },
  }
}
