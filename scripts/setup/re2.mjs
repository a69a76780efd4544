// re2, the regular expression engine, is native code. Its install script takes its authors' binary for this
// platform where that can be had, and compiles it otherwise (one to two minutes on two cores).
import { install, canInstall } from './apt.mjs'
import { onPath, output, run } from './command.mjs'
import { environment, findNode } from './node.mjs'
import { npmUnder } from './npm.mjs'
import { SetupFailure } from './failure.mjs'

const probe = "const RE2 = require('re2'); process.exit(new RE2('^a+$').test('aaa') ? 0 : 1)"

/** Whether re2 really loads and matches under the Node that Weir runs with. */
function re2Works() {
  const node = findNode()
  return node !== undefined && output(node, ['-e', probe]) !== undefined
}

const tools = { 'g++': 'g++', make: 'make', python3: 'python3' }
const missing = () => Object.keys(tools).filter((command) => onPath(command) === undefined)
const yourself = () =>
  missing().length === 0
    ? 'read the log; it needs g++ >= 10, make and python3'
    : `install ${missing().join(', ')} (Debian: sudo apt-get install g++ make python3) and start again`

export const buildToolsStep = {
  name: 'build tools',
  about: 'installs the C++ compiler that re2 is built with (apt-get)',
  // Nobody but root can install them, and then re2's own binary may still save the day.
  done: () => missing().length === 0 || !canInstall() || re2Works(),
  run: () =>
    install(
      buildToolsStep.name,
      missing().map((command) => tools[command]),
    ),
}

export const re2Step = {
  name: 're2',
  about: 'brings or compiles the regular expression engine (up to two minutes)',
  done: re2Works,
  async run() {
    const node = findNode()
    await run(re2Step.name, [...npmUnder(node), 'rebuild', 're2', '--foreground-scripts'], {
      env: environment(node),
      remedy: yourself(),
    })
    if (!re2Works()) throw new SetupFailure('re2 was built but does not load', yourself())
  },
}
