// State in this process: exact, bounded, and answering at once, because a single filter should need nothing but memory.
// It is also what the state in Redis falls back on. Time comes from the clock alone, so `weir inspect` and the tests move it;
// nothing runs in the background, each exchange sweeps a few ended entries away.
import type { Clock } from '#platform'
import { type Entries, kinds, openEntries } from './entries.ts'
import { boundedKey } from './key.ts'
import { type Ban, type Exchange, type State, type StateOperation, bannedAnswer } from './state.ts'
import { bucketKeepMs, leak, maxMembers } from './rules.ts'

export type MemoryStateOptions = {
  readonly clock: Clock
  /** Counters and members of distinct sets together; default 2,000,000. Over it, those nearest their end are dropped. */
  readonly maxKeys?: number
}

export type MemoryStats = {
  /** Entries held: counters, sets, sequences, buckets and bans. Ended ones count until they are swept away. */
  readonly keys: number
  /** Members of all distinct sets. */
  readonly members: number
  /** Entries dropped before their end because of `maxKeys`. */
  readonly evictions: number
}

/** State that answers at once. */
export type MemoryState = Omit<State, 'exchange'> & {
  exchange(operations: readonly StateOperation[]): Exchange
  stats(): MemoryStats
}

type Operation<K extends StateOperation['kind']> = Extract<StateOperation, { readonly kind: K }>

const isBanned = (entries: Entries, key: string, now: number): boolean =>
  entries.has(kinds.ban) && entries.find(kinds.ban, key, now) !== -1

function banAbove(entries: Entries, key: string, ban: Ban | undefined, count: number, now: number): void {
  if (ban !== undefined && count > ban.above) entries.open(kinds.ban, key, now + ban.forMs)
}

function count(entries: Entries, { key: long, windowMs, ban }: Operation<'count'>, now: number): number {
  const key = boundedKey(long)
  if (isBanned(entries, key, now)) return bannedAnswer
  const known = entries.find(kinds.count, key, now)
  const entry = known === -1 ? entries.open(kinds.count, key, now + windowMs) : known
  const after = entries.value(entry) + 1
  entries.setValue(entry, after)
  banAbove(entries, key, ban, after, now)
  return after
}

function distinct(entries: Entries, operation: Operation<'distinct'>, now: number): number {
  const key = boundedKey(operation.key)
  if (isBanned(entries, key, now)) return bannedAnswer
  const known = entries.find(kinds.distinct, key, now)
  const entry = known === -1 ? entries.open(kinds.distinct, key, now + operation.windowMs) : known
  const size = entries.addMember(entry, boundedKey(operation.value), maxMembers)
  banAbove(entries, key, operation.ban, size, now)
  return size
}

function sequence(entries: Entries, operation: Operation<'sequence'>, now: number): number {
  const key = boundedKey(operation.key)
  const known = entries.find(kinds.sequence, key, now)
  const progress = known === -1 ? 0 : entries.value(known)
  if (!operation.matched.includes(progress)) return 0
  if (progress === operation.steps - 1) return 1
  const entry = known === -1 ? entries.open(kinds.sequence, key, now + operation.windowMs) : known
  entries.setValue(entry, progress + 1)
  return 0
}

function bucket(entries: Entries, operation: Operation<'bucket'>, now: number): number {
  const { ratePerSecond, burst } = operation
  const key = boundedKey(operation.key)
  const known = entries.find(kinds.bucket, key, now)
  const excess =
    known === -1 ? 0 : leak(entries.value(known), ratePerSecond, Math.max(0, now - entries.time(known)))
  if (excess > burst * 1000) return 0
  const end = now + bucketKeepMs(excess, ratePerSecond)
  const entry = known === -1 ? entries.open(kinds.bucket, key, end) : known
  entries.setEnd(entry, end)
  entries.setValue(entry, excess)
  entries.setTime(entry, now)
  return 1
}

function answer(entries: Entries, operation: StateOperation, now: number): number {
  switch (operation.kind) {
    case 'count':
      return count(entries, operation, now)
    case 'distinct':
      return distinct(entries, operation, now)
    case 'banned':
      return isBanned(entries, boundedKey(operation.key), now) ? 1 : 0
    case 'sequence':
      return sequence(entries, operation, now)
    case 'bucket':
      return bucket(entries, operation, now)
    default:
      return operation satisfies never
  }
}

/** Opens a state of its own; nothing is shared between two of them, nothing survives the process. */
export function memoryState({ clock, maxKeys = 2_000_000 }: MemoryStateOptions): MemoryState {
  const entries = openEntries(maxKeys, clock.now())
  return {
    exchange(operations) {
      const now = clock.now()
      const answers: number[] = []
      for (const operation of operations) {
        entries.sweep(now)
        answers.push(answer(entries, operation, now))
        entries.trim(now)
      }
      return { answers, local: false }
    },
    stats: () => entries.stats(),
    close: () => Promise.resolve(),
  }
}
