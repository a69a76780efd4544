// For how long a filter answers nobody because a changed policy is put in force: checking its documents and compiling them happen
// in the process that answers requests. Prints milliseconds of processor time, the median of several changes; "first" is what a
// filter that starts needs. Of many sites each has a host and a path of its own, both regular expressions, and their profiles
// differ by an exception for one rule. Run it as a process of its own: node bench/policy-change.ts
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createChallenges } from '#challenge'
import { buildPolicy, formatProblem } from '#config'
import { createPipeline } from '#pipeline'
import { systemClock } from '#platform'
import { openLocator } from '#request'
import { memoryState } from '#state'

type Entry = Readonly<Record<string, unknown>>
type Documents = Record<string, readonly Entry[]>

const folder = join(import.meta.dirname, '..', 'config')

const shipped = (): Documents =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.json'))
      .map((file) => [
        file.slice(0, -'.json'.length),
        JSON.parse(readFileSync(join(folder, file), 'utf8')) as readonly Entry[],
      ]),
  )

const entriesOf = (documents: Documents, name: string): readonly Entry[] => documents[name] ?? []
const entriesIn = (entry: Entry | undefined, field: string): readonly Entry[] =>
  (entry?.[field] ?? []) as readonly Entry[]

/** So many sites, each with names and a security policy of its own, over so many content filter profiles. */
function withSites(documents: Documents, sites: number, profiles: number): Documents {
  const [site] = entriesOf(documents, 'server-groups')
  const [policy] = entriesOf(documents, 'security-policies')
  const [profile] = entriesOf(documents, 'content-filter-profiles')
  const rules = entriesOf(documents, 'content-filter-rules')
  const list = (count: number, entry: (n: number) => Entry): readonly Entry[] =>
    Array.from({ length: count }, (_, n) => entry(n))
  return {
    ...documents,
    'server-groups': list(sites, (n) => ({
      ...site,
      id: `site-${String(n)}`,
      name: `site ${String(n)}`,
      server_names: [`www${String(n)}.example.com`, String.raw`shard\d+\.site${String(n)}\.example\.com`],
      security_policy: `policy-${String(n)}`,
    })),
    'security-policies': [
      ...entriesOf(documents, 'security-policies'),
      ...list(sites, (n) => ({
        ...policy,
        id: `policy-${String(n)}`,
        name: `policy ${String(n)}`,
        map: entriesIn(policy, 'map').map((entry) => ({
          ...entry,
          ...(entry['match'] === '^/$' ? { match: `^/(?:app|shop)-${String(n)}/` } : {}),
          content_filter_profile: `profile-${String(n % profiles)}`,
        })),
      })),
    ],
    'content-filter-profiles': [
      ...entriesOf(documents, 'content-filter-profiles'),
      ...list(profiles, (n) => ({
        ...profile,
        id: `profile-${String(n)}`,
        name: `profile ${String(n)}`,
        ignore: [`cf-rule-id:${String(rules[n]?.['id'])}`],
      })),
    ],
  }
}

let rulesChanged = 0

/** The first rule reads as it never did before. */
function withChangedRule(documents: Documents): Documents {
  const [first, ...others] = entriesOf(documents, 'content-filter-rules')
  const operand = `(?:${String(first?.['operand'])})|weir${String(rulesChanged++)}never`
  return { ...documents, 'content-filter-rules': [{ ...first, operand }, ...others] }
}

const settings = {
  state: memoryState({ clock: systemClock }),
  locator: await openLocator({}),
  challenges: createChallenges(),
  onDefect(error: unknown) {
    throw error
  },
}

/** In force, and the one before it, whose requests may still run. */
let inForce: readonly unknown[] = []

function apply(documents: Documents): number {
  const before = process.threadCpuUsage()
  const built = buildPolicy(documents, { allowLoopbackBackends: true })
  if (!built.ok) throw new Error(built.problems.slice(0, 3).map(formatProblem).join('\n'))
  inForce = [createPipeline(built.policy, settings), ...inForce.slice(0, 1)]
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

const changes = 9
const median = (numbers: readonly number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.trunc(numbers.length / 2)] ?? NaN
const repeated = (documents: () => Documents): number =>
  median(Array.from({ length: changes }, () => apply(documents())))

const figure = (ms: number): string => (Number.isNaN(ms) ? '–' : ms.toFixed(0)).padStart(8)

console.log('ms of processor time     first    same rules    one rule changed')
for (const sites of [1, 1000]) {
  const documents = sites === 1 ? shipped() : withSites(shipped(), sites, 50)
  // Of the second configuration most is in force already.
  const first = sites === 1 ? figure(apply(documents)) : figure(NaN)
  const same = repeated(() => documents)
  const changed = repeated(() => withChangedRule(documents))
  console.log(
    `${String(sites).padStart(5)} ${sites === 1 ? 'site ' : 'sites'}         ${first}      ${figure(same)}            ${figure(changed)}`,
  )
}
