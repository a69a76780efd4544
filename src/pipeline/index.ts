// Pipeline: what Weir decides about one request, and why.
export type {
  AclTrigger,
  Answer,
  ContentTrigger,
  Decision,
  DecisionRecord,
  FilterTrigger,
  LimitTrigger,
  Located,
  QuarantineTrigger,
  RestrictionTrigger,
  Trigger,
  Verdict,
} from './decision.ts'
export { type CompileProblem, compileProblems } from './compile-check.ts'
export { type FoundPart, type RuleSearch, createRuleSearch } from './content-filter/rule-search.ts'
export { readsBody } from './reads-body.ts'
export { keptHeaders } from './record-limit.ts'
export { type Pipeline, type PipelineSettings, createPipeline } from './pipeline.ts'
export { type TraceStep, type Tracer, createTracer } from './trace.ts'
