// Runs the labelled corpus through `weir inspect` with the shipped configuration and prints the share of requests
// blocked, by category. Exit 1 when the goals are missed: 97 % of all attacks, 90 % of every category of attacks,
// at most 0.3 % of the harmless requests.
//
//   node test/detection/report.ts [--misses] [--config DIR]
//
// --misses also lists the attacks that passed and the harmless requests that were blocked, with the reason.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { corpus } from './corpus.ts'
import type { CorpusRequest } from './placements.ts'

const goals = { attacks: 0.97, category: 0.9, benign: 0.003 } as const

type Outcome = { readonly action: string; readonly reason: string | null }
type Judged = { readonly request: CorpusRequest; readonly blocked: boolean; readonly reason: string }

function inspect(requests: readonly CorpusRequest[], config: string): readonly Outcome[] {
  const weir = fileURLToPath(new URL('../../bin/weir', import.meta.url))
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('')
  const run = spawnSync(weir, ['inspect', '--config', config, '--requests', '-'], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  if (run.status !== 0) throw new Error(`weir inspect ended with ${String(run.status)}: ${run.stderr}`)
  return run.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Outcome)
}

type Row = { readonly label: string; readonly category: string; total: number; blocked: number }

function table(judged: readonly Judged[]): readonly Row[] {
  const rows = new Map<string, Row>()
  for (const { request, blocked } of judged) {
    const { label, category } = request
    const key = `${label} ${category}`
    const row = rows.get(key) ?? { label, category, total: 0, blocked: 0 }
    row.total++
    if (blocked) row.blocked++
    rows.set(key, row)
  }
  return [...rows.values()]
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)} %`

function sum(rows: readonly Row[], label: string): Row {
  const of = rows.filter((row) => row.label === label)
  const add = (field: 'total' | 'blocked'): number => of.reduce((total, row) => total + row[field], 0)
  return { label, category: 'all', total: add('total'), blocked: add('blocked') }
}

function failures(rows: readonly Row[]): readonly string[] {
  const attacks = sum(rows, 'attack')
  const benign = sum(rows, 'benign')
  return [
    ...(attacks.blocked / attacks.total < goals.attacks
      ? ['fewer than 97 % of the attacks were blocked']
      : []),
    ...(benign.blocked / benign.total > goals.benign
      ? ['more than 0.3 % of the harmless requests were blocked']
      : []),
    ...rows
      .filter(({ label, total, blocked }) => label === 'attack' && blocked / total < goals.category)
      .map(({ category }) => `fewer than 90 % of the attacks of category ${category} were blocked`),
  ]
}

function main(): void {
  const { values } = parseArgs({
    options: {
      misses: { type: 'boolean', default: false },
      config: { type: 'string', default: fileURLToPath(new URL('../../config', import.meta.url)) },
    },
  })
  const requests = corpus()
  const outcomes = inspect(requests, values.config)
  const judged = requests.map((request, i): Judged => {
    const { action, reason } = outcomes[i] ?? { action: 'missing', reason: null }
    return { request, blocked: action === 'block', reason: reason ?? '' }
  })
  const rows = table(judged)
  console.log('| label | category | requests | blocked | share |\n|---|---|---:|---:|---:|')
  for (const { label, category, total, blocked } of [...rows, sum(rows, 'attack'), sum(rows, 'benign')])
    console.log(
      `| ${label} | ${category} | ${String(total)} | ${String(blocked)} | ${percent(blocked, total)} |`,
    )
  if (values.misses) {
    for (const { request, blocked, reason } of judged) {
      if (blocked === (request.label === 'attack')) continue
      const { name, path, headers, body } = request
      console.log(JSON.stringify({ name, reason, path, headers, body }))
    }
  }
  const missed = failures(rows)
  for (const text of missed) console.error(text)
  process.exitCode = missed.length > 0 ? 1 : 0
}

main()
