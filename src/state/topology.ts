// Which link serves a key. With one Redis that is easy; a cluster is asked (CLUSTER SLOTS) at the start, when it redirects us,
// and while one of its masters is away, so that a replica that took over is found. Each master is a link of its own: when one
// dies, only its share of the keys is counted locally.
import keySlot from 'cluster-key-slot'
import type { Link } from './link.ts'
import { type RedisNode, nodeName } from './redis-url.ts'
import type { Command } from './scripts.ts'
import type { Reply } from './wire.ts'

export type Topology = {
  /** Undefined: nobody is known to serve the key. */
  linkFor(key: string): Link | undefined
  /** Follows MOVED and ASK once, to a link that is up; undefined where that is not possible or the error is another. */
  redirect(error: Error, command: Command): Promise<Reply> | undefined
  /** Every key has a link that is up. */
  complete(): boolean
  links(): readonly Link[]
  /** A link came up. */
  onUp(): void
  close(): void
}

export function singleTopology(link: Link): Topology {
  return {
    linkFor: () => link,
    redirect: () => undefined,
    complete: () => link.up(),
    links: () => [link],
    onUp: () => undefined,
    close: () => {
      link.close()
    },
  }
}

const slotCount = 16384
const refreshMs = 1000
/** Refreshes between two that happen although nothing seems to be wrong. */
const idleRounds = 30

type Share = { readonly from: number; readonly to: number; readonly node: RedisNode }

/** Reads CLUSTER SLOTS: `[from, to, [host, port, …], replicas…]`. A master that does not know its own host is the one we asked. */
function readShares(reply: unknown, askedHost: string): readonly Share[] {
  return listOf(reply).flatMap((row) => {
    const [from, to, master] = listOf(row)
    const [host, port] = listOf(master)
    if (typeof from !== 'number' || typeof to !== 'number' || typeof port !== 'number' || host === '?')
      return []
    return [{ from, to, node: { host: typeof host === 'string' && host !== '' ? host : askedHost, port } }]
  })
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** `open` makes a link to a node; `seeds` are asked first and kept, in case all others are gone one day. */
export function clusterTopology(seeds: readonly RedisNode[], open: (node: RedisNode) => Link): Topology {
  const owners: (Link | undefined)[] = Array.from({ length: slotCount })
  const hosts = new Map<Link, string>()
  const byName = new Map<string, Link>()
  let refreshing = false
  let known = false
  let round = 0

  const linkTo = (node: RedisNode): Link => {
    const name = nodeName(node)
    const link = byName.get(name) ?? open(node)
    byName.set(name, link)
    hosts.set(link, node.host)
    return link
  }
  const kept = new Set(seeds.map(linkTo))

  const adopt = (shares: readonly Share[]): void => {
    if (shares.length === 0) return
    const used = new Set(kept)
    owners.fill(undefined)
    for (const { from, to, node } of shares) {
      const link = linkTo(node)
      used.add(link)
      owners.fill(link, from, to + 1)
    }
    known = true
    for (const [name, link] of byName) {
      if (used.has(link)) continue
      byName.delete(name)
      hosts.delete(link)
      link.close()
    }
  }
  const refresh = async (): Promise<void> => {
    if (refreshing) return
    refreshing = true
    for (const link of byName.values()) {
      if (!link.up()) continue
      try {
        adopt(readShares(await link.slots(), hosts.get(link) ?? ''))
        break
      } catch {
        // This node broke off while it was asked: the next one knows as much, and the link itself counts its failures.
      }
    }
    refreshing = false
  }
  const complete = (): boolean => known && owners.every((link) => link?.up() ?? false)
  const timer = setInterval(() => {
    if (++round % idleRounds === 0 || !complete()) void refresh()
  }, refreshMs)

  return {
    linkFor: (key) => owners[keySlot(key)],
    redirect(error, command) {
      const [kind, slot, name = ''] = error.message.split(' ')
      if (kind !== 'MOVED' && kind !== 'ASK') return undefined
      const link = byName.get(name)
      if (kind === 'MOVED') {
        if (link !== undefined) owners[Number(slot)] = link
        void refresh()
      }
      if (!link?.up()) return undefined
      return link.send([command], { asking: kind === 'ASK' }).then(([reply]) => reply ?? error)
    },
    complete,
    links: () => [...byName.values()],
    onUp() {
      if (!known) void refresh()
    },
    close() {
      clearInterval(timer)
      for (const link of byName.values()) link.close()
    },
  }
}
