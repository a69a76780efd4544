// A publish: first to the filters, then in the steps of make-before-break to all connected Envoys, with their answers
// (spec control-plane 2.11). A step goes to nobody before everybody has acknowledged the one before; a refusal anywhere stops it and
// brings back what ran. A silent node does not hold the others up for longer than the time-out.
import type { Refusal } from './channel.ts'
import { assertConsistent } from './consistency.ts'
import { deliveredKinds } from './delivered.ts'
import type { Role } from './node.ts'
import { kinds, typeUrlOf } from './resources.ts'
import type { Session } from './session.ts'
import { type Snapshot, type OfferedSnapshot, withoutJson } from './snapshot.ts'
import { type View, viewOf } from './view.ts'

export type NodeResult = { readonly id: string; readonly role: Role } & (
  | { readonly state: 'acked' | 'rolled_back' }
  /** `unserved`: it gets an empty snapshot, because it is too old or asks for another bucket. */
  | { readonly state: 'timeout' | 'unserved'; readonly message: string }
  | {
      readonly state: 'nacked'
      readonly type: string
      readonly resources: readonly string[]
      /** The node's own words. */
      readonly message: string
    }
)

export type PublishResult = {
  readonly snapshot: string
  /** False when a node refused something that this publish brought; a silent one does not undo a publish. */
  readonly ok: boolean
  readonly nodes: readonly NodeResult[]
}

export type PublisherOptions = {
  readonly sessions: ReadonlyMap<string, Session>
  /** Milliseconds for which a step waits for nodes that answered so far. */
  readonly timeoutMs: number
  /** Milliseconds for which clusters that nothing names any more stay, so that running requests end. */
  readonly drainMs: number
}

export type Publisher = {
  view(): View | undefined
  publish(snapshot: Snapshot): Promise<PublishResult>
  /** Offers what ran before a restart, until the first publish; later it does nothing. */
  restore(snapshot: OfferedSnapshot): void
  /** The snapshot that is offered, when every node has it and one at least took all of it. */
  acknowledged(): OfferedSnapshot | undefined
  /** A session opened, closed, or got an answer. */
  notify(): void
  stop(): void
}

const steps: readonly number[] = [...new Set(deliveredKinds.map(({ step }) => step))].toSorted(
  (a, b) => a - b,
)

/** Up to this step an Envoy has nothing new that could be in use. */
const firstOfEnvoys = Math.min(...kinds.map(({ step }) => step))

const gone = 'disconnected'

const isMissing = (node: NodeResult): boolean => node.state === 'timeout' && node.message !== gone

/** A client that wants everything acknowledged something of each kind that is there; one that only looks at a part never does. */
function tookAll(session: Session, snapshot: OfferedSnapshot): boolean {
  if (session.role !== 'envoy') return false
  const acked = new Set(session.status().flatMap(({ type, acked }) => (acked === undefined ? [] : [type])))
  return kinds
    .filter(
      (kind) => kind.subscription === 'all' && (snapshot.resources.get(typeUrlOf(kind)) ?? []).length > 0,
    )
    .every(({ name }) => acked.has(name))
}

const pick = ({ type, resources, message }: Refusal): Omit<Refusal, 'version'> => ({
  type,
  resources,
  message,
})

/**
 * What became of each node. One that had not answered yet when another refused is no silent one: what counts is whether it
 * took what ran before.
 */
function afterRollback(refused: readonly NodeResult[], undone: readonly NodeResult[]): readonly NodeResult[] {
  const settled = new Set(undone.flatMap(({ id, state }) => (state === 'acked' ? [id] : [])))
  return refused.map((node): NodeResult =>
    node.state === 'acked' || (isMissing(node) && settled.has(node.id))
      ? { id: node.id, role: node.role, state: 'rolled_back' }
      : node,
  )
}

type Member = { readonly id: string; readonly role: Role }

type Outcome = { readonly nodes: readonly NodeResult[]; readonly refusedAt: number | undefined }

export function createPublisher({ sessions, timeoutMs, drainMs }: PublisherOptions): Publisher {
  let current: View | undefined
  let draining: NodeJS.Timeout | undefined
  let queue: Promise<unknown> = Promise.resolve()
  const waiting = new Set<() => void>()
  /** Refusals that stood before the publish that is going on. */
  let known: ReadonlySet<Refusal> = new Set()

  function until(isTrue: () => boolean, deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!isTrue() && Date.now() < deadline) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(look, Math.max(0, deadline - Date.now()) + 1)
      waiting.add(look)
      look()
    })
  }

  const openUpTo = (step: number): void => {
    for (const session of sessions.values()) session.allow(step)
  }

  function resultOf({ id, role }: Member, step: number): NodeResult {
    const session = sessions.get(id)
    if (!session) return { id, role, state: 'timeout', message: gone }
    if (session.unserved !== undefined) return { id, role, state: 'unserved', message: session.unserved }
    const refusal = session.refusals().toSorted((a, b) => Number(known.has(a)) - Number(known.has(b)))[0]
    if (refusal) return { id, role, state: 'nacked', ...pick(refusal) }
    return session.isSettled(step)
      ? { id, role, state: 'acked' }
      : { id, role, state: 'timeout', message: 'no answer' }
  }

  /** A node that refuses what was there before this publish is no reason to undo it. */
  const isRefused = (members: readonly Member[]): boolean =>
    members.some(({ id }) =>
      sessions
        .get(id)
        ?.refusals()
        .some((refusal) => !known.has(refusal)),
    )

  async function distribute(view: View): Promise<Outcome> {
    known = new Set([...sessions.values()].flatMap((session) => session.refusals()))
    current = view
    const members = [...sessions].map(([id, { role }]): Member => ({ id, role }))
    const results = (step: number): readonly NodeResult[] => members.map((one) => resultOf(one, step))
    /** Who was silent for the whole of a step holds up no other. */
    const silent = new Set<string>()
    const missing = (step: number): readonly NodeResult[] =>
      results(step).filter((result) => isMissing(result) && !silent.has(result.id))
    for (const step of steps) {
      openUpTo(step)
      await until(() => isRefused(members) || missing(step).length === 0, Date.now() + timeoutMs)
      if (isRefused(members)) return { nodes: results(step), refusedAt: step }
      for (const { id } of missing(step)) silent.add(id)
    }
    return { nodes: results(Infinity), refusedAt: undefined }
  }

  function finish(): void {
    openUpTo(Infinity)
    if (!current?.hasLeftovers) return
    const { snapshot } = current
    draining = setTimeout(() => {
      current = viewOf(snapshot)
      openUpTo(Infinity)
    }, drainMs)
    draining.unref()
  }

  async function run(built: Snapshot): Promise<PublishResult> {
    assertConsistent(built)
    const snapshot = withoutJson(built)
    clearTimeout(draining)
    const before = current
    const outcome = await distribute(viewOf(snapshot, before))
    const { refusedAt } = outcome
    if (refusedAt === undefined || !before) {
      finish()
      return { snapshot: snapshot.version, ok: refusedAt === undefined, nodes: outcome.nodes }
    }
    // Past the first step every node has the new clusters, and routes may use them; before it nobody does.
    const undone = await distribute(refusedAt <= firstOfEnvoys ? before : viewOf(before.snapshot, current))
    finish()
    return { snapshot: snapshot.version, ok: false, nodes: afterRollback(outcome.nodes, undone.nodes) }
  }

  return {
    view: () => current,
    restore(snapshot) {
      current ??= viewOf(snapshot)
    },
    acknowledged() {
      const served = [...sessions.values()].filter(({ unserved }) => unserved === undefined)
      if (!current || !served.every((one) => one.isSettled(Infinity) && one.refusals().length === 0))
        return undefined
      const { snapshot } = current
      return served.some((one) => tookAll(one, snapshot)) ? snapshot : undefined
    },
    publish(snapshot) {
      const result = queue.then(() => run(snapshot))
      // The caller gets the failure; the next publish must not.
      queue = result.catch(() => undefined)
      return result
    },
    notify() {
      for (const look of [...waiting]) look()
    },
    stop() {
      clearTimeout(draining)
    },
  }
}
