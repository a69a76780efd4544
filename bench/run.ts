// `npm run bench`: what Weir costs beside what people use today, on this machine. Prints tables, writes
// bench/results/*.json, docs/performance.md and docs/scaling.md, and checks the targets of bench/targets.json.
import { parseArgs } from 'node:util'
import { parts } from './compare/parts.ts'
import { writeReport } from './compare/report.ts'
import { writeScaling } from './compare/scaling.ts'
import { readResult, readResults, writeResult } from './compare/results.ts'
import { checkTargets, regressions } from './compare/targets.ts'
import { tableOf } from './compare/table.ts'

const usage = `Measures Weir and its peers on this machine, on loopback.

Usage: npm run bench [-- [--quick] [--only NAME] [--rounds N] [--check]]

  --only NAME   one part: ${parts.map(({ name }) => name).join(', ')}
  --quick       fewer and shorter rounds: everything in under five minutes
  --rounds N    rounds that are counted (default: 5; quick: 2)
  --check       exit 1 when the results miss a target of bench/targets.json, and name it; with --only report,
                checks what was measured before

${parts.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n')}
  report       measures nothing, writes docs/performance.md and docs/scaling.md from the results that are there
`

function readArguments(): {
  quick: boolean
  only: string | undefined
  rounds: number | undefined
  check: boolean
} {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(usage)
      process.exit(0)
    }
    const { only, rounds } = values
    if (only !== undefined && only !== 'report' && !parts.some(({ name }) => name === only))
      throw new Error(`there is no part "${only}"`)
    if (rounds !== undefined && !/^[1-9]\d?$/.test(rounds)) throw new Error('--rounds takes 1 to 99')
    return { ...values, only, rounds: rounds === undefined ? undefined : Number(rounds) }
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exit(2)
  }
}

const { quick, only, rounds, check } = readArguments()
const say = (line: string): void => void process.stdout.write(`${line}\n`)

for (const part of parts.filter(({ name }) => only === undefined || name === only)) {
  say(`\n${part.name}: ${part.title}`)
  const before = readResult(part.name)
  const result = await part.run({ quick, rounds: rounds ?? (quick ? 2 : 5), say })
  say('')
  say(tableOf(result))
  for (const warning of regressions(before, result)) say(`warning: ${warning}`)
  // What a quick run finds is too rough to be kept.
  if (!quick) writeResult(result)
}
if (!quick || only === 'report') {
  const results = readResults()
  for (const file of [writeReport(results), writeScaling(results)])
    if (file !== undefined) say(`\nwrote ${file}`)
}
if (check) {
  const { lines, missed } = checkTargets(readResults())
  say(`\n${lines.join('\n')}`)
  if (missed > 0) process.exitCode = 1
}
