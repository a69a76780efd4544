// What `npm run verify` consists of, in the order of running. Everything runs under the Node that the set-up
// found and with its output on the terminal.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { delimiter, dirname } from 'node:path'
import { environment } from '../setup/node.mjs'
import { inCache, inRoot, root } from '../setup/paths.mjs'
import { totalsOf } from './totals.mjs'

const bin = (name) => inRoot('node_modules', '.bin', name)

/** Where people write; `bench` and the like may be missing. */
const sources = ['src', 'test', 'bench', 'scripts', '*.mjs']

/** Checks that need no test runner: a command that ends with 0 or not. */
export const staticParts = [
  {
    name: 'format',
    command: [
      bin('prettier'),
      '--check',
      '--log-level=warn',
      '--no-error-on-unmatched-pattern',
      ...sources,
      '*.json',
    ],
    remedy: 'npm run format',
  },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  {
    name: 'lint',
    command: [
      bin('oxlint'),
      '--type-aware',
      '--deny-warnings',
      '--no-error-on-unmatched-pattern',
      ...sources,
    ],
  },
]

/** Test runs. `timeoutMinutes` is for a run that hangs: the tests' own limit is in `jest.config.mjs`. */
export const testParts = [
  { name: 'unit', options: ['--maxWorkers=100%'], timeoutMinutes: 15 },
  // Each worker starts Envoys of its own; more than two at a time only slow each other down.
  { name: 'e2e', options: ['--maxWorkers=2'], timeoutMinutes: 40 },
]

export const partNames = [...staticParts, ...testParts].map((part) => part.name)

const killAfterMs = 5000

/** Runs one command in the repository and returns whether it ended well, and after how many seconds. */
async function runUnder(node, command, { env = {}, timeoutMinutes = 5 } = {}) {
  const started = Date.now()
  const child = spawn(node, command, {
    cwd: root,
    stdio: 'inherit',
    env: { ...environment(node), ...env },
  })
  let kill
  const timeout = setTimeout(() => {
    console.error(`verify: nothing came of it within ${timeoutMinutes} minutes, giving up`)
    child.kill('SIGTERM')
    kill = setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  }, timeoutMinutes * 60_000)
  const ok = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code === 0))
  })
  clearTimeout(timeout)
  clearTimeout(kill)
  return { ok, seconds: (Date.now() - started) / 1000 }
}

/** Runs a static check. One that fails counts as one failure in the sum. */
export async function runCheck({ name, command, remedy }, { node }) {
  console.log(`\n--- ${name}`)
  const { ok, seconds } = await runUnder(node, command)
  return { name, ok, seconds, remedy, totals: { passed: 0, failed: ok ? 0 : 1, skipped: 0 } }
}

/** Puts the tools of the set-up on PATH, for tests that start them by name. */
function pathWith({ node, envoy, redisServer }) {
  const folders = [node, envoy, redisServer].filter(Boolean).map((file) => dirname(file))
  return [...new Set(folders), process.env.PATH].join(delimiter)
}

// Jest's support for ES modules rests on a Node feature that is marked experimental, and says so each time.
const nodeFlags = '--experimental-vm-modules --disable-warning=ExperimentalWarning'

/** Runs one jest project; `files` narrows it to tests whose path contains one of these words. */
export async function runTests({ name, options, timeoutMinutes }, tools, files) {
  console.log(`\n--- ${name}`)
  const report = inCache('verify', `${name}.json`)
  mkdirSync(inCache('verify'), { recursive: true })
  rmSync(report, { force: true })
  const { ok, seconds } = await runUnder(
    tools.node,
    [bin('jest'), '--selectProjects', name, ...options, '--json', '--outputFile', report, '--', ...files],
    {
      env: { PATH: pathWith(tools), NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} ${nodeFlags}`.trim() },
      timeoutMinutes,
    },
  )
  const totals = totalsOf(report)
  // Jest can fail without a failed test, for instance when it finds none at all: that is a failure as well.
  const failed = ok ? totals.failed : Math.max(totals.failed, 1)
  return { name, ok: failed === 0, seconds, totals: { ...totals, failed } }
}
