// `weir inspect`: runs requests from a file through the pipeline and prints the decisions. The same code as production,
// so this is how users debug a decision and unit-test a policy.
import { createReadStream, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createChallenges } from '#challenge'
import { formatProblem, loadFolder } from '#config'
import { manualClock } from '#platform'
import { type Pipeline, createPipeline, createTracer } from '#pipeline'
import { openLocator } from '#request'
import { memoryState } from '#state'
import { type Command, UsageError } from './command.ts'
import { readCommandLine } from './command-line.ts'
import { differences } from './inspect-expect.ts'
import { type InspectLine, inspectRequest, parseInspectLine } from './inspect-input.ts'
import { inspectOutput } from './inspect-output.ts'

const help = `Runs requests through the pipeline and prints one decision per line, as JSON.

Usage: weir inspect --config DIR --requests FILE [--explain] [--expect]

  --config DIR     folder with the configuration (default: the shipped one)
  --requests FILE  JSON lines, one request each; "-" reads standard input
  --explain        adds "trace": each stage, what it looked at, which tags and triggers it set and
                   who set them, what it decided, and the microseconds it took
  --expect         compares each decision with the line's "expect" object (any subset of the output;
                   a tag written as "-tag" must be absent); prints only what differs

A request: {"ip": "203.0.113.9", "method": "GET", "authority": "www.example.com", "path": "/?a=1"}
  and, where wanted: name, peer (instead of ip: derive the client from the headers), scheme, headers
  (object, or list of [name, value]; a value may be {"base64": "…"}), body or body_base64, body_size
  (larger than the body: it is partial), delay_ms (moves the clock first), human (true, false or a level)

All lines share one state: counters go on from line to line.

Exit: 0 every line was evaluated (and met its expectation) · 1 an expectation failed · 2 bad usage,
configuration or line

Example: echo '{"ip":"203.0.113.9","method":"GET","authority":"localhost","path":"/?q=1%27+or+%271%27%3D%271"}' \\
           | weir inspect --requests - --explain
`

type Options = {
  readonly config: string
  readonly requests: string
  readonly explain: boolean
  readonly expect: boolean
}

type Outcome = { readonly output: Readonly<Record<string, unknown>>; readonly differences: readonly string[] }

async function inspectLine(
  pipeline: Pipeline,
  value: InspectLine,
  now: number,
  number: number,
  options: Options,
): Promise<Outcome> {
  const tracer = options.explain ? createTracer() : undefined
  const decision = await pipeline.decide(inspectRequest(value, now, number), tracer)
  const output = inspectOutput(value.name, decision)
  const found = options.expect && value.expect !== undefined ? differences(output, value.expect) : []
  return { output: tracer === undefined ? output : { ...output, trace: tracer.steps }, differences: found }
}

function parseOptions(args: readonly string[], shippedConfig: string): Options {
  const { values } = readCommandLine(args, {
    config: { type: 'string', default: shippedConfig },
    requests: { type: 'string' },
    explain: { type: 'boolean', default: false },
    expect: { type: 'boolean', default: false },
  })
  if (values.requests === undefined)
    throw new UsageError('--requests is missing: name a file with one request per line, or "-"')
  return { config: values.config, requests: values.requests, explain: values.explain, expect: values.expect }
}

/** Throws UsageError with the remedy, before anything is evaluated. */
function readable(file: string): Readable {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory() !== false)
    throw new UsageError(`--requests: there is no file ${file}; name one with a request per line, or "-"`)
  return createReadStream(file)
}

/** A line as messages call it. */
const lineOf = (number: number, name: string | undefined): string =>
  `line ${String(number)}${name === undefined ? '' : ` (${name})`}`

type Tally = { evaluated: number; expected: number; failed: number }

async function inspectAll(
  options: Options,
  pipeline: Pipeline,
  clock: ReturnType<typeof manualClock>,
): Promise<number> {
  const input = options.requests === '-' ? process.stdin : readable(options.requests)
  const tally: Tally = { evaluated: 0, expected: 0, failed: 0 }
  let number = 0
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    number += 1
    if (text.trim() === '') continue
    const parsed = parseInspectLine(text)
    if (!parsed.ok) {
      process.stderr.write(`${options.requests}: ${lineOf(number, parsed.name)}: ${parsed.problem}\n`)
      return 2
    }
    clock.advance(parsed.value.delay_ms ?? 0)
    const outcome = await inspectLine(pipeline, parsed.value, clock.now(), number, options)
    tally.evaluated += 1
    if (!options.expect) process.stdout.write(`${JSON.stringify(outcome.output)}\n`)
    else reportLine(parsed.value, number, outcome, tally)
  }
  if (options.expect) {
    const { evaluated, expected, failed } = tally
    process.stdout.write(
      `${String(evaluated)} requests, ${String(expected - failed)} as expected, ${String(failed)} not, ${String(evaluated - expected)} without expectation\n`,
    )
  }
  return tally.failed > 0 ? 1 : 0
}

function reportLine(value: InspectLine, number: number, outcome: Outcome, tally: Tally): void {
  if (value.expect === undefined) return
  tally.expected += 1
  if (outcome.differences.length === 0) return
  tally.failed += 1
  process.stdout.write(`${lineOf(number, value.name)}:\n`)
  for (const difference of outcome.differences) process.stdout.write(`  ${difference}\n`)
  if (outcome.output['trace'] !== undefined) process.stdout.write(`${JSON.stringify(outcome.output)}\n`)
}

export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'run requests from a file through the pipeline and print decisions',
  help,
  async run(args, { shippedConfig }) {
    const options = parseOptions(args, shippedConfig)
    const loaded = loadFolder(options.config, { allowLoopbackBackends: true })
    if (!loaded.ok) {
      for (const problem of loaded.problems) process.stderr.write(`${formatProblem(problem)}\n`)
      return 2
    }
    const clock = manualClock(Date.now())
    const pipeline = createPipeline(loaded.policy, {
      state: memoryState({ clock }),
      locator: await openLocator({}),
      challenges: createChallenges(),
      onDefect: (error) => {
        process.stderr.write(
          `defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
        )
      },
    })
    return inspectAll(options, pipeline, clock)
  },
}
