// Fuzz target of the lean transport:
//
//   node test/fuzz/frames.ts [--count N] [--seed S] [--only KIND] [--from I] [--replay FILE]
//
// No exception, no growth, nothing spoken after the end, and every connection ends with the code that its fault demands.
// Exit 1 if anything was found.
import { frameTarget } from './frame-inputs.ts'
import { runTarget } from './harness.ts'

process.exitCode = await runTarget(frameTarget)
