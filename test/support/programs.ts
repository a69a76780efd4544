// Programs of others that call a server of Weir's: built from Go modules into .cache/go, or found on PATH. Where Go or the program is
// missing, the tests that need it say so and are left out: the set-up of a fresh machine does not bring them.
import { spawn } from 'node:child_process'
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

const goEnv = {
  GOBIN: join(goFolder, 'bin'),
  GOPATH: join(goFolder, 'path'),
  GOFLAGS: '-buildvcs=false -modcacherw',
}

async function go(args: readonly string[], cwd: string): Promise<void> {
  const { code, output } = await run('go', args, { cwd, env: goEnv })
  if (code !== 0) throw new Error(`go ${args.join(' ')}:\n${output}`)
}

/** How Go says that a proxy or a repository does not serve a module, or that it is too old itself. */
const unserved =
  /@\S+: (?:Get "|reading \w+:\/\/|module lookup disabled by |unrecognized import path |(?:invalid version: )?git )|requires go >= |invalid go version |unknown directive: tool$/m

/**
 * Whether `go mod download` failed because something is not to be had here. Everything else, such as a module that is not what its sum
 * says, is a defect of the module in this repository, and left out tests would hide it.
 */
export const isNotToBeHad = (output: string): boolean => unserved.test(output) && !/^verifying /m.test(output)

/** A program made of a Go module: its file, or why it is not to be had here. */
export type Peer = { readonly file: string } | { readonly missing: string }

/**
 * Builds a package of the module in test/peers/NAME. Without Go, and where a module it needs is not served, the peer is missing; a module
 * whose sums are wrong, or that is there and does not build, throws.
 */
export async function goPeer(name: string, packageName = '.'): Promise<Peer> {
  if (onPath('go') === undefined) return { missing: 'no go on PATH' }
  const folder = join(root, 'test/peers', name)
  mkdirSync(goEnv.GOBIN, { recursive: true })
  const fetched = await run('go', ['mod', 'download'], { cwd: folder, env: goEnv })
  if (fetched.code !== 0) {
    if (isNotToBeHad(fetched.output)) return { missing: fetched.output.trim() }
    throw new Error(`go mod download in test/peers/${name}:\n${fetched.output}`)
  }
  const file = join(goEnv.GOBIN, `peer-${name}`)
  await go(['build', '-o', file, packageName], folder)
  return { file }
}

/** h2spec, the conformance suite for HTTP/2 servers. */
export const h2spec = (): Promise<Peer> => goPeer('h2spec', 'github.com/summerwind/h2spec/cmd/h2spec')
