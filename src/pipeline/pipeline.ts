// The engine: one request in, one decision out (spec pipeline 4). Reception and mapping find where the request belongs,
// initialisation gives it its first tags, then the stages run in their order until one of them is final.
import { type Challenges } from '#challenge'
import { type Policy, type Revocations, noRevocations } from '#config'
import { type Locator, type RequestInput, readHead } from '#request'
import type { State } from '#state'
import { type Actions, createActions, systemSource } from './actions.ts'
import type { Decision, Verdict } from './decision.ts'
import { type Received, compileReception, failedReception } from './reception.ts'
import type { Refusal } from './refusal.ts'
import { buildRecord } from './record.ts'
import { type RecordParts, compileRecordParts } from './record-parts.ts'
import type { Question, Stage } from './stage.ts'
import { stages } from './stages/index.ts'
import type { Tracer } from './trace.ts'
import type { Transaction } from './transaction.ts'
import { towardsOrigin } from './upstream.ts'

export type PipelineSettings = {
  readonly state: State
  readonly locator: Locator
  readonly challenges: Challenges
  /** Told about a defect of Weir; the request is refused with 500 and recorded. */
  readonly onDefect: (error: unknown) => void
  /** Bytes of JSON that a decision record may have: 16,384 to 1,048,576 (spec traffic 1.7). */
  readonly maxRecordBytes?: number
  /** What CAs of clients have revoked, at this moment; left out: no list is there yet (spec control-plane 1.1). */
  readonly revocations?: () => Revocations
}

/** Compiled from one policy. Immutable: a changed policy is another pipeline. */
export type Pipeline = {
  readonly revision: string
  /** Never throws and never rejects: a defect becomes the answer of `failed`. */
  decide(input: RequestInput, tracer?: Tracer): Decision | Promise<Decision>
  /** The answer when Weir itself failed on this request (spec pipeline 1.2). */
  failed(input: RequestInput): Decision
}

type CompiledStage = { readonly stage: Stage } & (
  | { readonly io: 'none'; readonly run: (t: Transaction) => Verdict | undefined }
  | { readonly io: 'state'; readonly run: (t: Transaction) => Question | undefined }
)

function compileStages(policy: Policy, actions: Actions): readonly CompiledStage[] {
  return stages.map((stage) =>
    stage.io === 'none'
      ? { stage, io: stage.io, run: stage.compile({ policy, actions }) }
      : { stage, io: stage.io, run: stage.compile({ policy, actions }) },
  )
}

const defaultRecordBytes = 131_072

/** Microseconds since `start`, a reading of `performance.now()`. */
const since = (start: number): number => Math.round((performance.now() - start) * 1000)

type Run = {
  readonly t: Transaction
  readonly start: number
  readonly tracer: Tracer | undefined
  /** Milliseconds that the request has waited for the state: its exchanges share one deadline. */
  waited: number
}

type Engine = {
  readonly compiled: readonly CompiledStage[]
  readonly state: State
  readonly parts: RecordParts
}

function finish({ parts }: Engine, { t, start, tracer }: Run, verdict: Verdict | undefined): Decision {
  const masker = parts.masker(t)
  // Trace lines belong to traced requests only (spec traffic 1.2).
  if (tracer === undefined) t.logs.length = 0
  const record = buildRecord(t, { verdict, masker }, parts.settings, since(start))
  const answer = verdict !== undefined && 'answer' in verdict ? verdict.answer : undefined
  const action = verdict?.kind ?? (t.monitored ? 'monitor' : 'pass')
  tracer?.finished(masker.text)
  if (answer !== undefined) return { action, answer, requestHeaders: [], record }
  const { set, remove } = towardsOrigin(t)
  return { action, answer, requestHeaders: set, removeHeaders: remove, record }
}

function reached({ t, start, tracer }: Run, stage: Stage, verdict: Verdict | undefined): void {
  if (stage.milestone !== undefined)
    t.milestones.push({ name: stage.milestone, value: milestoneValue(stage, t), us: since(start) })
  tracer?.stage(stage, t, verdict)
}

function milestoneValue({ milestone }: Stage, { site }: Transaction): string | null {
  if (milestone === 'acl') return site.entry.acl.id
  if (milestone === 'content_filter') return site.entry.contentFilter.id
  if (milestone === 'limit') return site.entry.rateLimitRules.map(({ id }) => id).join(',') || null
  return null
}

/** Runs from stage `from` on; becomes a promise only where the state does not answer at once. */
function runStages(engine: Engine, run: Run, from: number): Decision | Promise<Decision> {
  for (let i = from; i < engine.compiled.length; i++) {
    const entry = engine.compiled[i]
    if (entry === undefined) break
    run.t.stage = entry.stage.number
    let verdict: Verdict | undefined
    if (entry.io === 'none') verdict = entry.run(run.t)
    else {
      const question = entry.run(run.t)
      const exchange = question?.operations.length
        ? engine.state.exchange(question.operations, run.waited)
        : noExchange
      if (exchange instanceof Promise) {
        const asked = performance.now()
        return exchange.then((answer) => {
          run.waited += performance.now() - asked
          const late = conclude(run.t, question, answer)
          reached(run, entry.stage, late)
          return late === undefined ? runStages(engine, run, i + 1) : finish(engine, run, late)
        })
      }
      verdict = conclude(run.t, question, exchange)
    }
    reached(run, entry.stage, verdict)
    if (verdict !== undefined) return finish(engine, run, verdict)
  }
  return finish(engine, run, undefined)
}

const noExchange = { answers: [], local: false } as const

function conclude(
  t: Transaction,
  question: Question | undefined,
  exchange: { readonly answers: readonly number[]; readonly local: boolean },
): Verdict | undefined {
  if (exchange.local) t.tags.add('state:local', systemSource(t.stage))
  return question?.conclude(exchange)
}

/** Refusals of the reader (spec pipeline 1.2). */
const readerRefusal = (reason: string, tag: string): Refusal => ({
  stage: 0,
  status: 400,
  tag,
  reason: `General: ${reason}`,
})

export function createPipeline(policy: Policy, settings: PipelineSettings): Pipeline {
  const actions = createActions(settings.challenges)
  const parts = compileRecordParts(policy, settings.maxRecordBytes ?? defaultRecordBytes)
  const engine: Engine = { compiled: compileStages(policy, actions), state: settings.state, parts }
  const reception = compileReception(policy, settings.locator, settings.revocations ?? (() => noRevocations))

  const receive = (input: RequestInput): Received => {
    const read = readHead(input)
    if (read.ok) return reception.receive(read.head)
    const { refusal } = read
    const refused =
      refusal.kind === 'invalid-characters'
        ? readerRefusal(`invalid characters in header ${refusal.header}`, 'general:invalid-characters')
        : readerRefusal('conflicting content-type headers', 'general:conflicting-content-type')
    return reception.receive(read.head, refused)
  }

  const judge = (
    input: RequestInput,
    start: number,
    tracer: Tracer | undefined,
  ): Decision | Promise<Decision> => {
    const { transaction: t, verdict } = receive(input)
    const run: Run = { t, start, tracer, waited: 0 }
    const us = since(start)
    t.milestones.push(
      { name: 'secpol', value: t.site.policy.id || null, us },
      { name: 'mapping', value: t.site.entry.id || null, us },
    )
    tracer?.initialised(t, verdict)
    return verdict === undefined ? runStages(engine, run, 0) : finish(engine, run, verdict)
  }

  const failed = (input: RequestInput): Decision => {
    const { transaction, verdict } = failedReception(input, policy.defaultTemplate)
    return finish(engine, { t: transaction, start: performance.now(), tracer: undefined, waited: 0 }, verdict)
  }
  const report = (input: RequestInput, error: unknown): Decision => {
    settings.onDefect(error)
    return failed(input)
  }

  return {
    revision: policy.revision,
    failed,
    decide(input, tracer) {
      try {
        const decision = judge(input, performance.now(), tracer)
        return decision instanceof Promise
          ? decision.catch((error: unknown) => report(input, error))
          : decision
      } catch (error) {
        // A defect of Weir must not decide by accident: it is reported, and the request is refused as the spec says.
        return report(input, error)
      }
    },
  }
}
