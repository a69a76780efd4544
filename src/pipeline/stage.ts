// What a stage is. A stage compiles itself from the policy when that is published; per request it only runs.
// A stage that needs counters does not wait for them: it says what it wants to know, the engine asks once for all,
// and the stage continues with the answer. So every wait of the request path is visible in pipeline.ts.
import type { Policy } from '#config'
import type { Exchange, StateOperation } from '#state'
import type { Verdict } from './decision.ts'
import type { Actions } from './actions.ts'
import type { Transaction } from './transaction.ts'

/** What stages may use when they compile. */
export type StageContext = { readonly policy: Policy; readonly actions: Actions }

/** What a stage wants to know from the state, and how it goes on with the answers. */
export type Question = {
  readonly operations: readonly StateOperation[]
  readonly conclude: (exchange: Exchange) => Verdict | undefined
}

/** `number` is the `processing_stage` of spec pipeline 4; `milestone` its name in the record's profiling, if it has one. */
type StageHead = { readonly name: string; readonly number: number; readonly milestone?: string }

export type Stage = StageHead &
  (
    | { readonly io: 'none'; compile(context: StageContext): (t: Transaction) => Verdict | undefined }
    | { readonly io: 'state'; compile(context: StageContext): (t: Transaction) => Question | undefined }
  )
