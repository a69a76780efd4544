// Fuzz target of the request room:
//
//   node test/fuzz/parsers.ts [--count N] [--seed S] [--only KIND] [--from I]
//
// What is looked for and how a finding is replayed is said in docs/robustness.md. Exit 1 if anything was found.
import { runTarget } from './harness.ts'
import { parserTarget } from './parser-inputs.ts'

process.exitCode = await runTarget(parserTarget)
