// Where the set-up put the programs of the benchmarks (`.cache/tools.json`).
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

type Tools = {
  readonly envoy: string
  readonly redisServer: string | null
  readonly bench: { readonly folder: string; readonly coraza: string | null; readonly go: string | null }
}

function read(): Tools {
  const file = join(root, '.cache', 'tools.json')
  if (!existsSync(file)) throw new Error('the set-up has not run: start this with `npm run bench`')
  return JSON.parse(readFileSync(file, 'utf8')) as Tools
}

export const tools = read()

/** A path inside the unpacked Debian packages. */
export const unpacked = (...parts: readonly string[]): string => join(tools.bench.folder, ...parts)

function libraries(): string {
  const folder = unpacked('usr', 'lib')
  if (!existsSync(folder)) return ''
  const own = readdirSync(folder).filter((name) => name.endsWith('-linux-gnu'))
  return [...own.map((name) => join(folder, name)), folder, process.env['LD_LIBRARY_PATH'] ?? ''].join(':')
}

const environment = { ...process.env, LD_LIBRARY_PATH: libraries() }

export type Program = { readonly file: string; readonly env: NodeJS.ProcessEnv }

/** A program of the unpacked packages, with the environment in which it finds its libraries. */
export function program(name: 'wrk' | 'nginx'): Program {
  const file = unpacked('usr', name === 'nginx' ? 'sbin' : 'bin', name)
  if (!existsSync(file)) throw new Error(`${name} is not in ${unpacked()}: start this with \`npm run bench\``)
  return { file, env: environment }
}
