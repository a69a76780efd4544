// Whether a filter keeps what it should let go of: mixed load through the pipeline in this process, with state in memory.
//
//   node test/soak.ts [--minutes 10] [--seed 1]
//
// Requests of the labelled corpus, changed ones as the fuzz target makes them, and clients who take steps, run into limits
// and go away; time of the policy passes faster than the clock. Exit 1 if memory grows over the second half.
import { setImmediate } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { checkDecision } from './fuzz/decision-check.ts'
import { type Draft, inputOf } from './fuzz/draft.ts'
import { type MemorySample, rise, sampleMemory, tolerated } from './fuzz/memory.ts'
import { type FuzzPolicy, soakPolicy } from './fuzz/policies.ts'
import { type Random, createRandom } from './fuzz/random.ts'
import { changedDraft, requestKinds, seedDraft } from './fuzz/requests.ts'

/** Milliseconds of the policy's clock between two requests: a window of a minute ends after 3,000 of them. */
const betweenRequests = 20
/** Requests after which half of the clients are new ones. */
const generation = 2000
const clientsAtOnce = 256
const usualSamples = 40

/** Clients come and go: 65,536 addresses, of which 256 are there at a time. */
function clientAt(random: Random, index: number): string {
  const client = Math.trunc(index / generation) * (clientsAtOnce / 2) + random.below(clientsAtOnce)
  return `203.${String((client >> 16) & 127)}.${String((client >> 8) & 255)}.${String(client & 255)}`
}

/** The steps of the flow control policy, in order or not; often the same client, so that limits are reached. */
function step(random: Random, draft: Draft): Draft {
  const search = random.oneIn(2)
  return {
    ...draft,
    method: search ? 'GET' : 'POST',
    target: Buffer.from(search ? `/search?q=${String(random.below(40))}` : '/submit'),
    headers: [
      ['user-agent', Buffer.from('mozilla')],
      ['cookie', Buffer.from(`sid=${String(random.below(1000))}`)],
    ],
    body: undefined,
  }
}

const kinds = Object.keys(requestKinds)

/** Six of ten as they are in the corpus, two changed, two of a client who takes steps. */
export function requestAt(seed: number, index: number): Draft {
  const random = createRandom(seed, index)
  const client = clientAt(random, index)
  switch (random.below(10)) {
    case 0:
    case 1:
      return { ...changedDraft(random.pick(kinds), random), client }
    case 2:
    case 3:
      return { ...step(random, seedDraft(random)), client }
    default:
      return { ...seedDraft(random), client }
  }
}

export type SoakReport = {
  readonly requests: number
  /** Decisions by their action. */
  readonly actions: ReadonlyMap<string, number>
  /** MB over the second half. */
  readonly rise: MemorySample
  readonly mostKept: number
  readonly kept: number
}

type Sampled = MemorySample & { readonly seconds: number; readonly requests: number; readonly kept: number }

export type SoakOptions = {
  readonly seed: number
  readonly samples: number
  /** Whether it is time for the next sample, given the requests so far and the samples taken. */
  readonly due: (requests: number, done: number) => boolean
  readonly told: (sample: Sampled, done: number) => void
}

/** Runs until all samples are taken. Throws at a decision that is wrong, with the number of the request. */
export async function soak(
  policy: FuzzPolicy,
  { seed, samples, due, told }: SoakOptions,
): Promise<SoakReport> {
  const actions = new Map<string, number>()
  const taken: Sampled[] = []
  const begun = performance.now()
  let requests = 0
  while (taken.length < samples) {
    const draft = requestAt(seed, requests)
    policy.clock.advance(betweenRequests)
    const decision = await policy.pipeline.decide(inputOf(draft, policy.authority, policy.clock.now()))
    const [defect] = policy.defects()
    if (defect !== undefined) throw new Error(`request ${String(requests)}`, { cause: defect })
    checkDecision(decision, policy.maxRecordBytes)
    actions.set(decision.action, (actions.get(decision.action) ?? 0) + 1)
    requests++
    // zlib lets go of what it failed on in the next turn of the loop.
    if (requests % 200 === 0) await setImmediate()
    if (!due(requests, taken.length)) continue
    const seconds = (performance.now() - begun) / 1000
    const sample = { ...sampleMemory(), seconds, requests, kept: policy.kept() }
    taken.push(sample)
    told(sample, taken.length)
  }
  const kept = taken.map((sample) => sample.kept)
  return { requests, actions, rise: rise(taken), mostKept: Math.max(...kept), kept: kept.at(-1) ?? 0 }
}

const column = (value: number, digits: number, width: number): string => value.toFixed(digits).padStart(width)

function row({ seconds, requests, heap, process: whole, kept }: Sampled): string {
  return [
    column(seconds / 60, 1, 6),
    column(requests, 0, 9),
    column(requests / seconds, 0, 8),
    column(heap, 1, 8),
    column(whole, 0, 8),
    column(kept, 0, 9),
  ].join(' ')
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
  })
  const ms = Number(values.minutes) * 60_000
  if (!(ms > 0)) throw new Error(`--minutes ${values.minutes}: not a number above 0`)
  const policy = soakPolicy()
  console.log('minute  requests per sec. heap MB  RSS MB  counters')
  const begun = performance.now()
  const report = await soak(policy, {
    seed: Number(values.seed),
    samples: usualSamples,
    due: (_requests, done) => performance.now() - begun >= (ms * (done + 1)) / usualSamples,
    told: (sample, done) => {
      if (done % 4 === 0) console.log(row(sample))
    },
  })
  const { heap, process: whole } = report.rise
  const grows = heap > tolerated.heap || whole > tolerated.process
  console.log([...report.actions].map(([action, count]) => `${action} ${String(count)}`).join(', '))
  console.log(
    `second half: heap ${heap.toFixed(1)} MB (${String(tolerated.heap)} tolerated), RSS ${whole.toFixed(1)} MB (${String(tolerated.process)} tolerated): ${grows ? 'GROWS' : 'flat'}`,
  )
  return grows ? 1 : 0
}

if (import.meta.main) process.exitCode = await main()
