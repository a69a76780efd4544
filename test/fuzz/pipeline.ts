// Fuzz target of the whole pipeline, under the shipped policy and under one that switches everything on:
//
//   node test/fuzz/pipeline.ts [--count N] [--seed S] [--only KIND] [--from I] [--replay FILE]
//
// What is looked for and how a finding is replayed is said in docs/robustness.md. Exit 1 if anything was found.
import { runTarget } from './harness.ts'
import { pipelineTarget } from './pipeline-inputs.ts'

process.exitCode = await runTarget(pipelineTarget())
