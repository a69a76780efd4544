// `npm run bench`: the set-up with everything that the benchmarks need, then the benchmarks under Weir's own Node.
import { spawn } from 'node:child_process'
import { environment } from './setup/node.mjs'
import { inRoot } from './setup/paths.mjs'
import { setUp } from './setup/run.mjs'

const args = process.argv.slice(2)
const tools = await setUp({ forBench: !args.includes('--help') })
const child = spawn(tools.node, [inRoot('bench', 'run.ts'), ...args], {
  stdio: 'inherit',
  env: environment(tools.node),
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.once('close', (code) => process.exit(code ?? 1))
