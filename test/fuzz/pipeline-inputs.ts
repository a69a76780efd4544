// Inputs of the whole pipeline. Each request is decided under both policies; the slower decision counts.
import type { Decision } from '#pipeline'
import { checkDecision } from './decision-check.ts'
import { type Draft, type SavedDraft, inputOf, restoreDraft, saveDraft, sizeOf } from './draft.ts'
import type { Input, Target } from './harness.ts'
import { type FuzzPolicy, fuzzPolicies } from './policies.ts'
import { changedDraft, requestKinds } from './requests.ts'
import { timed } from './stopwatch.ts'

/** Milliseconds of one decision, as under the shipped policy; throws where something is wrong with it. */
function decide(policy: FuzzPolicy, draft: Draft): number {
  policy.clock.advance(draft.after)
  const input = inputOf(draft, policy.authority, policy.clock.now())
  let decision: Decision | Promise<Decision> | undefined
  const ms = timed(() => {
    decision = policy.pipeline.decide(input)
  })
  if (decision === undefined || decision instanceof Promise) throw new Error('memory does not answer at once')
  const [defect] = policy.defects()
  if (defect !== undefined) throw new Error('a defect was reported', { cause: defect })
  checkDecision(decision, policy.maxRecordBytes)
  return ms / policy.work
}

function inputFrom(draft: Draft, what: string, policies: readonly FuzzPolicy[]): Input {
  return {
    what,
    size: sizeOf(draft),
    run: () => Math.max(...policies.map((policy) => decide(policy, draft))),
    saved: () => saveDraft(draft),
  }
}

/** Compiles the policies, which takes a second or two. */
export function pipelineTarget(): Target {
  const policies = fuzzPolicies()
  return {
    name: 'pipeline',
    kinds: Object.keys(requestKinds),
    input: (kind, random) => inputFrom(changedDraft(kind, random), kind, policies),
    restore: (saved) => inputFrom(restoreDraft(saved as SavedDraft), 'replayed', policies),
  }
}
