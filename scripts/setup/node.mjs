// Node 24: the one that runs this script if it is one, else the `node` package of npm, which carries the
// binary together with the headers that native packages are compiled against.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { output, run } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { fillFolder } from './folder.mjs'
import { npmFlags, npmUnder } from './npm.mjs'
import { inCache } from './paths.mjs'

const version = '24.21.0'
const major = version.split('.')[0]

/** The platforms for which npm has a Node package, with the hash of exactly this version. */
const packages = {
  'linux-x64':
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'linux-arm64':
    'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
}

const platform = `${process.platform}-${process.arch}`
const folder = inCache('node')
const binary = join(folder, 'node_modules', `node-${platform}`, 'bin', 'node')

const installYourself = `install Node ${major} (nodejs.org or your package manager), put it first on PATH and start again`

/** The Node 24 to run everything with, or undefined. */
export function findNode() {
  if (process.versions.node.split('.')[0] === major) return process.execPath
  return existsSync(binary) ? binary : undefined
}

/** The folder that node-gyp calls `nodedir`: the one with the headers of this Node, or undefined if it has none. */
export function headersOf(node) {
  const folderOfHeaders = dirname(dirname(node))
  return existsSync(join(folderOfHeaders, 'include', 'node', 'node.h')) ? folderOfHeaders : undefined
}

/** The environment in which everything runs under this Node, compilers of native packages included. */
export function environment(node) {
  const headers = headersOf(node)
  return {
    ...process.env,
    PATH: `${dirname(node)}:${process.env.PATH ?? ''}`,
    ...(headers === undefined ? {} : { npm_config_nodedir: headers }),
  }
}

function checkHash(draft) {
  const lock = JSON.parse(readFileSync(join(draft, 'node_modules', '.package-lock.json'), 'utf8'))
  const found = lock.packages[`node_modules/node-${platform}`]?.integrity
  if (found !== packages[platform])
    throw new SetupFailure(
      `the package node-${platform}@${version} has another hash than expected`,
      installYourself,
    )
}

export const nodeStep = {
  name: `Node ${major}`,
  about: `downloads Node ${version} into .cache/node (about 50 MB)`,
  done: () => findNode() !== undefined,
  async run() {
    if (packages[platform] === undefined)
      throw new SetupFailure(`there is no Node package for ${platform}`, installYourself)
    const npm = npmUnder(process.execPath)
    await fillFolder(folder, async (draft) => {
      await run(
        nodeStep.name,
        [...npm, 'i', '--no-save', '--prefix', draft, ...npmFlags, `node-${platform}@${version}`],
        {
          remedy: `check the network and npm's settings, or ${installYourself}`,
        },
      )
      checkHash(draft)
      const draftBinary = join(draft, 'node_modules', `node-${platform}`, 'bin', 'node')
      if (output(draftBinary, ['--version']) === undefined)
        throw new SetupFailure(`the downloaded Node ${version} does not run on this machine`, installYourself)
    })
  },
}
