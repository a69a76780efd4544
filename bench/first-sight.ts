// What texts cost that the rules' automata meet for the first time. RE2 builds an automaton while it reads, so that a body full
// of attacks that nobody sent before costs far more than the same body once more: the cheapest way to make a filter work.
// Prints milliseconds of processor time. Run it as a process of its own: node bench/first-sight.ts
import { attackRequests } from '../test/detection/attack-requests.ts'
import { type Draft, inputOf } from '../test/fuzz/draft.ts'
import { mutated } from '../test/fuzz/mutate.ts'
import { fuzzPolicies } from '../test/fuzz/policies.ts'
import { createRandom } from '../test/fuzz/random.ts'
import { seedDraft } from '../test/fuzz/requests.ts'

const [shipped] = fuzzPolicies()
if (shipped === undefined) throw new Error('there is no policy')
const seed = 31

function valueOf(path: string): readonly string[] {
  const raw = /[?&]\w+=([^&]+)/.exec(path)?.[1]
  try {
    return raw === undefined ? [] : [decodeURIComponent(raw)]
  } catch {
    return []
  }
}

const attacks = attackRequests().flatMap(({ path }) => valueOf(path))

function cpuMs(body: Buffer): number {
  const draft: Draft = {
    ...seedDraft(createRandom(1, 1)),
    method: 'POST',
    target: Buffer.from('/'),
    headers: [['content-type', Buffer.from('application/json')]],
    body,
  }
  const input = inputOf(draft, shipped?.authority ?? '', shipped?.clock.now() ?? 0)
  const before = process.threadCpuUsage()
  void shipped?.pipeline.decide(input)
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

const print = (what: string, body: Buffer, times: readonly number[]): void =>
  void process.stdout.write(
    `${what}, ${(body.length / 1024).toFixed(0)} KB: ${times.map((ms) => ms.toFixed(0)).join(' ')} ms\n`,
  )

const known = Buffer.from(JSON.stringify(attacks))
print(
  `${String(attacks.length)} attacks, four times in a fresh process`,
  known,
  [1, 2, 3, 4].map(() => cpuMs(known)),
)

const fresh = (n: number): Buffer => {
  const random = createRandom(seed, n)
  const fragments = Array.from({ length: 1000 }, () =>
    mutated(random, random.pick(attacks)).toString().slice(0, 80),
  )
  return Buffer.from(JSON.stringify(fragments))
}
const bodies = Array.from({ length: 16 }, (_, n) => fresh(n))
print('1,000 changed attacks, each body another one', bodies[0] ?? known, bodies.map(cpuMs))
