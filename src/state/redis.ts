// State that filter processes share: the same operations as in memory, run by Redis or a Redis Cluster. One exchange is one
// round trip: everything for one node in one write, to all nodes concerned at the same time. What was not answered within
// the deadline, for whatever reason, local counters answer, so a request waits for the deadline at most, however many
// exchanges it has; while a node is known to be away it does not wait at all.
//
// The worst case of an outage: each process grants every limit once more, because its local counters begin at 0.
import type { Clock } from '#platform'
import { type Link, type LinkOptions, type LinkStats, type StateLog, openLink } from './link.ts'
import type { MemoryState } from './memory.ts'
import { type RedisNode, parseRedisUrl } from './redis-url.ts'
import { type Command, commandOf } from './scripts.ts'
import type { Exchange, State, StateOperation } from './state.ts'
import { type Topology, clusterTopology, singleTopology } from './topology.ts'
import { type Reply, isRedirect } from './wire.ts'

export type RedisStateOptions = {
  /** `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS, `redis-cluster://host:port,host:port`, `rediss-cluster://…`. */
  readonly url: string
  readonly clock: Clock
  readonly log: StateLog
  /** Counts while Redis does not. */
  readonly local: Pick<MemoryState, 'exchange'>
  /** Milliseconds that the exchanges of one request may take altogether; default 20. */
  readonly deadlineMs?: number
  /** Begins every key; default `weir:`. Installations that share a Redis need different ones. No braces. */
  readonly prefix?: string
  /** Milliseconds between attempts to reach a node that is away; default 100. */
  readonly probeMs?: number
}

export type RedisStats = {
  readonly exchanges: number
  /** Exchanges in which local counters answered at least one operation. */
  readonly localExchanges: number
  /** Of these, those that waited for the deadline in vain. */
  readonly deadlines: number
  /** Operations that a node answered with an error. */
  readonly errors: number
  readonly links: readonly LinkStats[]
}

export type RedisState = State & {
  /** Waits until every key has a node that answers, at most `timeoutMs`; false: not yet, counters are local until then. */
  ready(timeoutMs: number): Promise<boolean>
  stats(): RedisStats
}

/** Operations of one exchange that go to one node; `places` are their indexes in the exchange. */
type Share = { readonly link: Link; readonly places: number[]; readonly commands: Command[] }

type Counters = { exchanges: number; localExchanges: number; deadlines: number; errors: number }

function shareOut(topology: Topology, commands: readonly Command[]): readonly Share[] {
  const shares = new Map<Link, Share>()
  commands.forEach((command, place) => {
    const link = topology.linkFor(command.keys[0] ?? '')
    if (!link?.up()) return
    let share = shares.get(link)
    if (share === undefined) shares.set(link, (share = { link, places: [], commands: [] }))
    share.places.push(place)
    share.commands.push(command)
  })
  return [...shares.values()]
}

async function ask(topology: Topology, { link, commands }: Share): Promise<readonly Reply[]> {
  const replies = await link.send(commands)
  if (!replies.some((reply) => reply instanceof Error)) return replies
  const followed = replies.map(async (reply, i): Promise<Reply> => {
    const command = commands[i]
    return reply instanceof Error && command !== undefined
      ? ((await topology.redirect(reply, command)) ?? reply)
      : reply
  })
  return Promise.all(followed)
}

/** Fills in what no node answered from the local counters. */
function complete(
  operations: readonly StateOperation[],
  replies: readonly (number | undefined)[],
  { local }: RedisStateOptions,
  counters: Counters,
): Exchange {
  const missing = operations.filter((_, place) => replies[place] === undefined)
  if (missing.length === 0) return { answers: replies.map((reply) => reply ?? 0), local: false }
  counters.localExchanges++
  const { answers } = local.exchange(missing)
  const rest = answers.values()
  return { answers: operations.map((_, place) => replies[place] ?? rest.next().value ?? 0), local: true }
}

/** How long an exchange may take; `whole` unless earlier exchanges of the request have used up part of it. */
type Patience = { readonly ms: number; readonly whole: boolean }

/** Asks all shares at the same time; settles when all have answered or the deadline has passed. Never rejects. */
function gather(
  topology: Topology,
  shares: readonly Share[],
  places: number,
  patience: Patience,
  counters: Counters,
): Promise<readonly (number | undefined)[]> {
  return new Promise((resolve) => {
    const answers: (number | undefined)[] = Array.from({ length: places })
    const waiting = new Set(shares)
    let over = false
    const settle = (): void => {
      over = true
      clearTimeout(timer)
      resolve(answers)
    }
    const expire = (): void => {
      if (over) return
      counters.deadlines++
      // What was left of the deadline may have been too little for any node.
      if (patience.whole)
        for (const { link } of waiting) link.failed(`no answer within ${String(patience.ms)} ms`)
      settle()
    }
    // Answers that arrived while this process was busy are read before time is called: immediates run after the sockets.
    const timer = setTimeout(() => setImmediate(expire), patience.ms)
    const collect = async (share: Share): Promise<void> => {
      const replies = await ask(topology, share)
      // Too late: local counters have answered, nobody waits any more.
      if (over) return
      waiting.delete(share)
      take(share, replies, answers, counters)
      if (waiting.size === 0) settle()
    }
    for (const share of shares) void collect(share)
  })
}

function take(
  { link, places }: Share,
  replies: readonly Reply[],
  answers: (number | undefined)[],
  counters: Counters,
): void {
  let failure: string | undefined
  replies.forEach((reply, i) => {
    const place = places[i]
    if (place === undefined) return
    if (typeof reply === 'number') answers[place] = reply
    else {
      counters.errors++
      // A slot that has just moved to a node not yet connected says nothing against this one.
      if (!isRedirect(reply)) failure = reply.message
    }
  })
  if (failure === undefined) link.answered()
  else link.failed(failure)
}

function openTopology(url: string, settings: Omit<LinkOptions, 'credentials'>): Topology {
  const { cluster, nodes, ...credentials } = parseRedisUrl(url)
  const open = (node: RedisNode): Link => openLink(node, { ...settings, credentials })
  return cluster ? clusterTopology(nodes, open) : singleTopology(open(nodes[0]))
}

/** Opens the shared state and begins to connect; until `ready`, exchanges are answered locally. Throws on a bad `url` or `prefix`. */
export function redisState(options: RedisStateOptions): RedisState {
  const { url, clock, log, deadlineMs = 20, prefix = 'weir:', probeMs = 100 } = options
  if (/[{}]/.test(prefix))
    throw new Error(`Redis key prefix "${prefix}": braces would change the hash slot; leave them out`)
  const counters: Counters = { exchanges: 0, localExchanges: 0, deadlines: 0, errors: 0 }
  const topology: Topology = openTopology(url, {
    clock,
    log,
    deadlineMs,
    probeMs,
    prefix,
    onUp: () => {
      topology.onUp()
    },
  })

  return {
    exchange(operations, waitedMs = 0) {
      counters.exchanges++
      const ms = deadlineMs - waitedMs
      if (ms < 1) return complete(operations, [], options, counters)
      const commands = operations.map((operation) => commandOf(operation, prefix))
      const shares = shareOut(topology, commands)
      // Nobody to ask: answered at once, without a promise.
      if (shares.length === 0) return complete(operations, [], options, counters)
      return gather(topology, shares, operations.length, { ms, whole: waitedMs === 0 }, counters).then(
        (replies) => complete(operations, replies, options, counters),
      )
    },
    async ready(timeoutMs) {
      const end = performance.now() + timeoutMs
      while (!topology.complete()) {
        if (performance.now() >= end) return false
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      return true
    },
    stats: () => ({ ...counters, links: topology.links().map((link) => link.stats()) }),
    close() {
      topology.close()
      return Promise.resolve()
    },
  }
}
