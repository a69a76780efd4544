// npm itself: the one that started this script, or the one on PATH. It runs under the Node that it is told to,
// because what it installs is built for the Node that runs it.
import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { onPath, output } from './command.mjs'
import { SetupFailure } from './failure.mjs'

/** For installing: no scripts, no chatter but the fetches (they show that something goes on), short retries. */
export const npmFlags = [
  '--ignore-scripts',
  '--no-audit',
  '--no-fund',
  '--loglevel=http',
  '--fetch-retry-mintimeout=2000',
  '--fetch-retry-maxtimeout=15000',
]

function npmScript() {
  const beside = join(dirname(process.execPath), '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  const command = onPath('npm')
  const candidates = [process.env.npm_execpath, beside, command && realpathSync(command)]
  return candidates.find((file) => file !== undefined && basename(file) === 'npm-cli.js' && existsSync(file))
}

/** The words of a command line that run npm under this Node. */
export function npmUnder(node) {
  const script = npmScript()
  if (script !== undefined && output(node, [script, '--version']) !== undefined) return [node, script]
  // Some distributions patch their Node for their npm, which then runs under no other one; and some tools put
  // a launcher in npm's place. Both still install the right things, as PATH names the Node to build for.
  const command = onPath('npm')
  if (command === undefined)
    throw new SetupFailure('npm is missing', 'install npm (it comes with Node) and start again')
  return [command]
}
