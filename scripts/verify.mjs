// `npm run verify`: the set-up, then every check, the quick ones first. The three static checks stop at the
// first that fails; the two test runs both happen, so that one run tells all. The last line is the sum over
// the tests. `--quick` leaves out the end-to-end tests, `--only PART` runs one part, and further words are
// handed to jest as file names: `npm run verify -- --only unit src/state`.
import { parseArgs } from 'node:util'
import { setUp } from './setup/run.mjs'
import { partNames, runCheck, runTests, staticParts, testParts } from './verify/parts.mjs'
import { closingLine, sum } from './verify/totals.mjs'

const usage = `Usage: npm run verify [-- [--quick] [--only ${partNames.join('|')}] [FILE...]]`

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        only: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
    if (values.only === undefined || partNames.includes(values.only)) return { ...values, files: positionals }
    throw new Error(`there is no part "${values.only}"`)
  } catch (error) {
    console.error(`verify: ${error.message}. ${usage}`)
    process.exit(2)
  }
}

const { quick, only, help, files } = readArguments()
if (help) {
  console.log(usage)
  process.exit(0)
}

const isWanted = (part) => (only === undefined ? !(quick && part.name === 'e2e') : part.name === only)
const checks = staticParts.filter(isWanted)
const tests = testParts.filter(isWanted)

const tools = await setUp({ forTests: tests.length > 0 })
const results = []

for (const part of checks) {
  results.push(await runCheck(part, tools))
  if (!results.at(-1).ok) break
}
if (results.every((result) => result.ok))
  for (const part of tests) results.push(await runTests(part, tools, files))

console.log('')
for (const { name, ok, seconds, remedy } of results)
  console.log(
    `${name.padEnd(8)} ${seconds.toFixed(1).padStart(7)} s  ${ok ? 'ok' : `FAILED${remedy ? ` (${remedy})` : ''}`}`,
  )
console.log('')
console.log(closingLine(sum(results)))
process.exitCode = results.every((result) => result.ok) ? 0 : 1
