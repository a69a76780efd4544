// The packages of package-lock.json. No install script runs here: the one package that needs its script, re2,
// has a step of its own, and the others' scripts do nothing that Weir needs.
import { readFileSync } from 'node:fs'
import { run } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { environment, findNode } from './node.mjs'
import { npmFlags, npmUnder } from './npm.mjs'
import { inRoot } from './paths.mjs'

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(inRoot(file), 'utf8')).packages
  } catch {
    return undefined // Not there, or not written to its end.
  }
}

/**
 * Whether node_modules is what the lock file says. npm writes node_modules/.package-lock.json as its last act,
 * so an interrupted installation counts as none.
 */
export function packagesInstalled() {
  const wanted = packagesOf('package-lock.json')
  const found = packagesOf('node_modules/.package-lock.json')
  if (wanted === undefined || found === undefined) return false
  const same = (path) =>
    wanted[path]?.version === found[path]?.version && wanted[path]?.integrity === found[path]?.integrity
  const needed = Object.keys(wanted).filter((path) => path !== '' && (!wanted[path].optional || found[path]))
  return needed.every(same) && Object.keys(found).every((path) => wanted[path] !== undefined)
}

export const packagesStep = {
  name: 'packages',
  about: 'installs the packages of package-lock.json (npm ci)',
  done: packagesInstalled,
  async run() {
    const node = findNode()
    const remedy = 'check the network and npm\'s settings ("npm ping"), then start again'
    await run(packagesStep.name, [...npmUnder(node), 'ci', ...npmFlags], { env: environment(node), remedy })
    // Some versions of npm end with success when the network fails them.
    if (!packagesInstalled())
      throw new SetupFailure('npm ended before all packages were there, see .cache/log/packages.log', remedy)
  },
}
