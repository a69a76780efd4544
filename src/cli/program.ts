// The command line: finds the sub-command, and turns what it throws into a message and an exit code. Everything else is
// the sub-command's own. The composition root begins here: the commands build everything else.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type CommandContext, UsageError } from './command.ts'
import { commands } from './commands.ts'

const root = new URL('../../', import.meta.url)
const context: CommandContext = { shippedConfig: fileURLToPath(new URL('config', root)) }

const width = Math.max(...commands.map(({ name }) => name.length))

const help = `Weir: web application and API protection for Envoy.

Usage: weir COMMAND [OPTIONS]

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

  --help, -h     this text; after a command, that command's
  --version, -v  the version

Process settings (ports, Redis, log) are options, WEIR_… variables, or lines of weir.yaml in the working
directory, in this order of precedence.

Exit: 0 done · 1 it failed · 2 bad usage, settings or configuration
`

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}

/** Runs a command line and resolves with its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help)
    return name === undefined ? 2 : 0
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${version()}\n`)
    return 0
  }
  const command = commands.find((one) => one.name === name)
  if (command === undefined) {
    const known = commands.map((one) => one.name).join(', ')
    process.stderr.write(`weir: unknown command "${name}"; known are ${known}\n`)
    return 2
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help)
    return 0
  }
  try {
    return await command.run(rest, context)
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`weir ${name}: ${error.message}\nSee: weir ${name} --help\n`)
      return 2
    }
    process.stderr.write(`weir ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  }
}
