// Programs of others that call a server of Weir's: built from Go modules into .cache/go, or found on PATH. Where Go or the program is
// missing, the tests that need it say so and are left out: the set-up of a fresh machine does not bring them.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const root = new URL('../../', import.meta.url).pathname
const goFolder = join(root, '.cache/go')

export type Ran = { readonly code: number | null; readonly output: string }

/** Runs a program to its end; both of its outputs are one text. */
export async function run(
  file: string,
  args: readonly string[],
  { cwd = root, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Ran> {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output: Buffer.concat(chunks).toString() }
}

export const onPath = (name: string): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))

export const hasGo = spawnSync('go', ['version']).status === 0

const goEnv = { GOBIN: join(goFolder, 'bin'), GOPATH: join(goFolder, 'path'), GOFLAGS: '-buildvcs=false' }

async function go(args: readonly string[], cwd: string): Promise<void> {
  mkdirSync(goEnv.GOBIN, { recursive: true })
  const { code, output } = await run('go', args, { cwd, env: goEnv })
  if (code !== 0) throw new Error(`go ${args.join(' ')}:\n${output}`)
}

/** h2spec, the conformance suite for HTTP/2 servers. */
export async function h2specBinary(): Promise<string> {
  const file = join(goEnv.GOBIN, 'h2spec')
  if (!existsSync(file)) await go(['install', 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1'], root)
  return file
}

/** A program of a folder of test/peers. */
export async function goPeer(name: string): Promise<string> {
  const file = join(goEnv.GOBIN, `peer-${name}`)
  await go(['build', '-o', file, '.'], join(root, 'test/peers', name))
  return file
}
