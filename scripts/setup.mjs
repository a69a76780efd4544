// Brings everything that Weir needs on this machine; says nothing when all is there. `--tests` brings what only
// the tests need as well, `--report` (`npm run setup`) names what was found.
import { parseArgs } from 'node:util'
import { setUp } from './setup/run.mjs'

const { values } = parseArgs({ options: { tests: { type: 'boolean' }, report: { type: 'boolean' } } })
const { bench: _, ...tools } = await setUp({ forTests: values.tests === true })
if (values.report)
  for (const [tool, path] of Object.entries(tools))
    console.log(`${tool.padEnd(12)} ${path ?? 'none (only tests need it)'}`)
