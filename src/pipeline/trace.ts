// The trace behind `--explain`: the same run as production, watched from outside. For each stage it says what changed:
// tags, triggers, reasons, the verdict and the time.
import type { Triggers, Transaction } from './transaction.ts'
import type { Verdict } from './decision.ts'
import type { Stage } from './stage.ts'
import type { TagSource } from './tags.ts'

export type TraceStep = {
  readonly stage: string
  readonly number: number
  /** What the stage had before it: how many tags, or the data that it looks at. */
  readonly looked: Readonly<Record<string, unknown>>
  readonly tags: readonly { readonly tag: string; readonly by: readonly TagSource[] }[]
  readonly triggers: Readonly<Record<string, readonly unknown[]>>
  readonly monitor_reasons: readonly string[]
  readonly decided: string
  readonly us: number
}

export type Tracer = {
  initialised(t: Transaction, verdict: Verdict | undefined): void
  stage(stage: Stage, t: Transaction, verdict: Verdict | undefined): void
  /** Applies the request's masks to everything collected. */
  finished(mask: (text: string) => string): void
}

const describe = (verdict: Verdict | undefined): string => {
  if (verdict === undefined) return 'go on'
  if (verdict.kind === 'skip')
    return verdict.by === 'bypass' ? 'bypass: skip what follows' : 'skip what follows'
  return `${verdict.kind} ${String(verdict.answer.status)}: ${verdict.reason}`
}

const triggerLists = [
  'gf',
  'dr',
  'rl',
  'acl',
  'cf',
  'cfRestrict',
] as const satisfies readonly (keyof Triggers)[]

/** What each stage looks at, in a few words and numbers. */
function lookedAt(stage: string, { request, site, session }: Transaction): Readonly<Record<string, unknown>> {
  const { entry, group } = site
  switch (stage) {
    case 'flow-control':
      return { method: request.method, path: request.uri.path, host: request.host }
    case 'rate-limits':
      return {
        rules: entry.rateLimitRules.map(({ id }) => id),
        ip_rate: `${String(group.template.ipRatePerSecond)}/s + ${String(group.template.ipRateBurst)}`,
        session: session.hash,
      }
    case 'acl':
      return entry.aclActive ? { profile: entry.acl.id } : { profile: entry.acl.id, active: false }
    case 'content-filter':
      return {
        profile: entry.contentFilter.id,
        ...(entry.contentFilterActive ? {} : { active: false }),
        headers: request.headers.size,
        cookies: request.cookies.size,
        arguments: request.args.size,
        path_parts: request.uri.parts.size,
        body: request.body.malformed ?? request.body.declared ?? (request.body.present ? 'opaque' : 'none'),
      }
    default:
      return {}
  }
}

/** Every text within a JSON-like value. */
function maskAll<T>(value: T, mask: (text: string) => string): T {
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return mask(item)
    if (Array.isArray(item)) return item.map(walk)
    if (typeof item !== 'object' || item === null) return item
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, walk(inner)]))
  }
  return walk(value) as T
}

/** Collects the steps of one request. */
export function createTracer(): Tracer & { readonly steps: readonly TraceStep[] } {
  const steps: TraceStep[] = []
  const seen = { tags: 0, reasons: 0, lists: new Map<string, number>() }
  let last = performance.now()

  const changes = (t: Transaction): Pick<TraceStep, 'tags' | 'triggers' | 'monitor_reasons'> => {
    const tags = [...t.tags.names()].slice(seen.tags).map((tag) => ({ tag, by: t.tags.sourcesOf(tag) }))
    const reasons = t.monitorReasons.slice(seen.reasons)
    const triggers: Record<string, readonly unknown[]> = {}
    for (const list of triggerLists) {
      const before = seen.lists.get(list) ?? 0
      if (t.triggers[list].length > before) triggers[list] = t.triggers[list].slice(before)
      seen.lists.set(list, t.triggers[list].length)
    }
    seen.tags = t.tags.size
    seen.reasons = t.monitorReasons.length
    return { tags, triggers, monitor_reasons: reasons }
  }
  const step = (
    stage: string,
    number: number,
    looked: TraceStep['looked'],
    t: Transaction,
    decided: string,
  ): void => {
    const now = performance.now()
    const us = Math.round((now - last) * 1000)
    steps.push({ stage, number, looked, ...changes(t), decided, us })
    last = performance.now()
  }
  return {
    steps,
    initialised(t, verdict) {
      const { request, site } = t
      step(
        'initialisation',
        t.stage,
        {
          host: request.host,
          path: request.uri.path,
          client: request.ip,
          server_group: site.group.id,
          security_policy: site.policy.id,
          entry: site.entry.id,
        },
        t,
        describe(verdict),
      )
    },
    stage(stage, t, verdict) {
      step(stage.name, stage.number, lookedAt(stage.name, t), t, describe(verdict))
    },
    finished(mask) {
      steps.forEach((taken, i) => {
        steps[i] = maskAll(taken, mask)
      })
    },
  }
}
