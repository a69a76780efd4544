// Runs a fuzz target: makes input after input, times each, and writes down what went wrong so that it can be replayed.
// What counts is processor time (`stopwatch.ts`), and an input that was slow is timed five times more and its best time
// taken: a busy machine is no finding.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type MemorySample, growth, sampleMemory, tolerated } from './memory.ts'
import { type Random, createRandom } from './random.ts'

export type Input = {
  /** Its kind, for people. */
  readonly what: string
  /** Bytes that its time is allowed for. */
  readonly size: number
  /** Milliseconds that the slowest part took; throws where something is wrong with the outcome. */
  run(): number
  /** The input as JSON. */
  saved(): unknown
}

export type Target = {
  readonly name: string
  readonly kinds: readonly string[]
  input(kind: string, random: Random): Input
  /** The input that `saved` gave. */
  restore?(saved: unknown): Input
}

/** Milliseconds that an input of this many bytes may take: 50, or 0.3 per KB where that is more. */
export const allowedMs = (bytes: number): number => Math.max(50, (bytes / 1024) * 0.3)

const retimings = 5
const mostFiles = 40
const shownSlowest = 8
/** Samples of memory and lines of progress in a run, and the fewest inputs between two. */
const samplesPerRun = 40
const fewestBetween = 500
const msBetweenLines = 5000

type Finding = {
  readonly problem: string
  readonly index: number
  readonly times: number
  readonly ms: number
}
type Slow = {
  readonly ms: number
  readonly share: number
  readonly what: string
  readonly size: number
  readonly index: number
}

export type Report = {
  readonly inputs: number
  readonly findings: ReadonlyMap<string, Finding>
  readonly slowest: readonly Slow[]
  readonly growth: MemorySample | undefined
}

export type RunOptions = {
  readonly seed: number
  readonly from: number
  readonly count: number
  readonly kinds: readonly string[]
  /** Undefined: nothing is timed, written or printed. */
  readonly folder: string | undefined
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = (error.stack ?? error.message).split('\n', 3).join(' | ')
  return error.cause === undefined ? own : `${own} | because of ${explain(error.cause)}`
}

/** The input with this number. */
export function inputAt(target: Target, seed: number, index: number, kinds: readonly string[]): Input {
  const random = createRandom(seed, index)
  return target.input(random.pick(kinds), random)
}

function keepSlowest(slowest: Slow[], slow: Slow): void {
  if (slowest.length >= shownSlowest && slow.share <= (slowest.at(-1)?.share ?? 0)) return
  slowest.push(slow)
  slowest.sort((a, b) => b.share - a.share)
  if (slowest.length > shownSlowest) slowest.pop()
}

function write(
  target: Target,
  { seed, folder }: RunOptions,
  index: number,
  input: Input,
  problem: string,
): void {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${target.name}-${String(seed)}-${String(index)}.json`)
  const replay =
    target.restore === undefined
      ? `node test/fuzz/${target.name}.ts --seed ${String(seed)} --from ${String(index)} --count 1`
      : `node test/fuzz/${target.name}.ts --replay ${file}`
  const content = {
    target: target.name,
    what: input.what,
    problem,
    replay,
    seed,
    index,
    input: input.saved(),
  }
  writeFileSync(file, `${JSON.stringify(content, null, 1)}\n`)
  process.stderr.write(`${problem}\n  replay: ${replay}\n`)
}

const megabytes = ({ heap, process: whole }: MemorySample): string =>
  `heap ${heap.toFixed(1)} MB, process ${whole.toFixed(0)} MB`

/** Tries `count` inputs. Without a folder it is quiet and does not look at the clock, for tests. */
export async function tryInputs(target: Target, options: RunOptions): Promise<Report> {
  const { seed, from, count, kinds, folder } = options
  const findings = new Map<string, Finding>()
  const slowest: Slow[] = []
  const samples: MemorySample[] = []
  const between = Math.max(fewestBetween, Math.trunc(count / samplesPerRun))
  const begun = performance.now()
  let told = begun

  const find = (input: Input, index: number, problem: string, ms = 0): void => {
    const key = `${input.what}: ${problem.replaceAll(/\d+/g, '#').slice(0, 300)}`
    const known = findings.get(key)
    findings.set(key, {
      problem: known?.problem ?? problem,
      index: known !== undefined && known.ms >= ms ? known.index : index,
      times: (known?.times ?? 0) + 1,
      ms: Math.max(known?.ms ?? 0, ms),
    })
    // The first of its kind, and the ones that are much worse.
    const worth = known === undefined || ms > known.ms * 1.5
    if (worth && findings.size <= mostFiles) write(target, options, index, input, `${input.what}: ${problem}`)
  }

  for (let i = 0; i < count; i++) {
    const index = from + i
    const input = inputAt(target, seed, index, kinds)
    try {
      let ms = input.run()
      if (folder !== undefined) {
        const allowed = allowedMs(input.size)
        for (let again = 0; again < retimings && ms > allowed; again++) ms = Math.min(ms, input.run())
        keepSlowest(slowest, { ms, share: ms / allowed, what: input.what, size: input.size, index })
        if (ms > allowed)
          find(
            input,
            index,
            `slow: ${ms.toFixed(0)} ms for ${String(input.size)} bytes, ${allowed.toFixed(0)} allowed`,
            ms,
          )
      }
    } catch (error) {
      find(input, index, explain(error))
    }
    // zlib lets go of what it failed on in the next turn of the loop.
    if (i % 500 === 0) await setImmediate()
    if (folder === undefined || (i + 1) % between !== 0) continue
    const sample = sampleMemory()
    samples.push(sample)
    if (performance.now() - told < msBetweenLines) continue
    told = performance.now()
    const rate = ((i + 1) / (performance.now() - begun)) * 1000
    process.stderr.write(
      `${String(i + 1)}/${String(count)} inputs, ${rate.toFixed(0)}/s, ${String(findings.size)} findings, ${megabytes(sample)}\n`,
    )
  }
  return { inputs: count, findings, slowest, growth: growth(samples) }
}

function conclude(target: Target, report: Report, seconds: number): number {
  const { inputs, findings, slowest } = report
  for (const { ms, what, size, index, share } of slowest)
    console.log(
      `  ${(100 * share).toFixed(0).padStart(4)} % of its time: ${ms.toFixed(1)} ms for ${String(size)} bytes (${what}, input ${String(index)})`,
    )
  for (const [key, { problem, times, index }] of findings)
    console.log(`  ${String(times)} × ${key.split(':', 1)[0] ?? ''}: ${problem} (input ${String(index)})`)
  const grown =
    report.growth !== undefined &&
    (report.growth.heap > tolerated.heap || report.growth.process > tolerated.process)
  const memory =
    report.growth === undefined
      ? 'too short to tell growth'
      : `growth since warm-up: ${megabytes(report.growth)}`
  console.log(
    `${target.name}: ${String(inputs)} inputs in ${seconds.toFixed(1)} s, ${String(findings.size)} findings, ${memory}${grown ? ' - TOO MUCH' : ''}`,
  )
  return findings.size > 0 || grown ? 1 : 0
}

function replay(target: Target, file: string): number {
  if (target.restore === undefined) throw new Error(`${target.name} is replayed by --seed and --from`)
  const saved = JSON.parse(readFileSync(file, 'utf8')) as { readonly input: unknown }
  const input = target.restore(saved.input)
  const times = Array.from({ length: retimings }, () => input.run())
  const best = Math.min(...times)
  const allowed = allowedMs(input.size)
  console.log(
    `${times.map((ms) => ms.toFixed(1)).join(', ')} ms for ${String(input.size)} bytes; ${allowed.toFixed(0)} ms allowed`,
  )
  return best > allowed ? 1 : 0
}

/** A target as a command. Resolves with the exit code. */
export async function runTarget(target: Target): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '200000' },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
      only: { type: 'string', default: '' },
      replay: { type: 'string', default: '' },
      folder: { type: 'string', default: '.cache/fuzz' },
    },
  })
  if (values.replay !== '') return replay(target, values.replay)
  const kinds = values.only === '' ? target.kinds : target.kinds.filter((kind) => kind === values.only)
  if (kinds.length === 0) throw new Error(`--only ${values.only}: not one of ${target.kinds.join(', ')}`)
  const [count, seed, from] = [Number(values.count), Number(values.seed), Number(values.from)]
  const begun = performance.now()
  const report = await tryInputs(target, { seed, from, count, kinds, folder: values.folder })
  return conclude(target, report, (performance.now() - begun) / 1000)
}
