// The filters that Envoys may ask: those that run a policy of the bucket (spec control-plane 2.11). A filter that loses its
// stream stays for a minute, because it goes on answering while the control plane is away, and Envoy finds out by itself
// whether it does. When no filter is connected at all, that says more about the network than about filters: nobody leaves.
import type { SocketPlace } from '#platform'

export type FleetMember = { readonly id: string; readonly address: SocketPlace; readonly region: string }

export type FleetOptions = {
  /** Those of before a restart. They have a minute to come back. */
  readonly kept?: readonly FleetMember[]
  /** Milliseconds for which a filter stays that lost its stream; 60 s. */
  readonly leaveMs?: number
}

export type Fleet = {
  /** Sorted by id; undefined: there never was one. */
  members(): readonly FleetMember[] | undefined
  /** It is connected and runs a policy. */
  seen(member: FleetMember): void
  /** Its stream ended. */
  lost(id: string): void
  onChange(listener: (members: readonly FleetMember[]) => void): void
  stop(): void
}

type Entry = { readonly member: FleetMember; readonly leaving: NodeJS.Timeout | undefined }

const isSame = (a: FleetMember, b: FleetMember): boolean =>
  a.region === b.region && a.address.host === b.address.host && a.address.port === b.address.port

export function createFleet({ kept = [], leaveMs = 60_000 }: FleetOptions = {}): Fleet {
  const entries = new Map<string, Entry>()
  const listeners: ((members: readonly FleetMember[]) => void)[] = []

  const members = (): readonly FleetMember[] =>
    [...entries.values()].map(({ member }) => member).toSorted((a, b) => (a.id < b.id ? -1 : 1))

  const changed = (): void => {
    for (const listener of listeners) listener(members())
  }

  const isAnybodyHere = (): boolean => [...entries.values()].some(({ leaving }) => leaving === undefined)

  function leave(member: FleetMember): void {
    clearTimeout(entries.get(member.id)?.leaving)
    const leaving = setTimeout(() => {
      if (!isAnybodyHere()) return
      entries.delete(member.id)
      changed()
    }, leaveMs)
    leaving.unref()
    entries.set(member.id, { member, leaving })
  }

  for (const member of kept) leave(member)

  return {
    members: () => (entries.size === 0 ? undefined : members()),
    seen(member) {
      const before = entries.get(member.id)
      const wasAlone = !isAnybodyHere()
      clearTimeout(before?.leaving)
      entries.set(member.id, { member, leaving: undefined })
      // Whoever was only waited for has from now on a minute to come back as well.
      if (wasAlone)
        for (const { member: other, leaving } of [...entries.values()])
          if (leaving !== undefined) leave(other)
      if (before === undefined || !isSame(before.member, member)) changed()
    },
    lost(id) {
      const entry = entries.get(id)
      if (entry !== undefined && entry.leaving === undefined) leave(entry.member)
    },
    onChange(listener) {
      listeners.push(listener)
    },
    stop() {
      for (const { leaving } of entries.values()) clearTimeout(leaving)
    },
  }
}
