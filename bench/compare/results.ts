// What a part of the benchmarks found, as it is kept in bench/results/ and read again for the documentation, the targets
// and the comparison with the run before.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Figure } from './figures.ts'
import { program, root, tools, unpacked } from './tools.ts'

/** One server under one mix; metric → figure. Units are in the metrics' names. */
export type Row = {
  readonly subject: string
  readonly subjectName: string
  readonly mix: string
  readonly mixName: string
  readonly metrics: Readonly<Record<string, Figure>>
}

export type Result = {
  readonly part: string
  readonly title: string
  readonly command: string
  readonly date: string
  readonly machine: Readonly<Record<string, string>>
  readonly conditions: string
  readonly rows: readonly Row[]
  /** What was not measured, and why. */
  readonly missing: readonly string[]
}

const folder = join(root, 'bench', 'results')
const fileOf = (part: string): string => join(folder, `${part}.json`)

export function readResult(part: string): Result | undefined {
  return existsSync(fileOf(part)) ? (JSON.parse(readFileSync(fileOf(part), 'utf8')) as Result) : undefined
}

export function writeResult(result: Result): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(result.part), `${JSON.stringify(result, null, 2)}\n`)
}

export const readResults = (): readonly Result[] =>
  (existsSync(folder) ? readdirSync(folder) : [])
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .flatMap((name) => readResult(name.slice(0, -5)) ?? [])

export const figure = (
  result: Result | undefined,
  subject: string,
  mix: string,
  metric: string,
): Figure | undefined =>
  result?.rows.find((row) => row.subject === subject && row.mix === mix)?.metrics[metric]

function said(file: string, args: readonly string[], pattern: RegExp, env?: NodeJS.ProcessEnv): string {
  try {
    const text = execFileSync(file, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: env ?? process.env,
    })
    return pattern.exec(text)?.[1] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

const goModule = (name: string): string =>
  new RegExp(`${name}(?:/v\\d+)? v([\\d.]+)`).exec(
    readFileSync(join(root, 'bench', 'peers', 'coraza', 'go.mod'), 'utf8'),
  )?.[1] ?? 'unknown'

function crsVersion(): string {
  const file = unpacked('etc', 'modsecurity', 'crs', 'crs-setup.conf')
  return existsSync(file)
    ? (/ver\.?(\d+\.\d+\.\d+)/i.exec(readFileSync(file, 'utf8'))?.[1] ?? 'unknown')
    : 'none'
}

/** What a reader needs to know about the machine to make something of the figures. */
export function machine(): Result['machine'] {
  const { file, env } = program('nginx')
  const [cpu] = cpus()
  return {
    processor: `${String(cpus().length)} × ${cpu?.model ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    node: process.versions.node,
    envoy: said(tools.envoy, ['--version'], /\/(\d+\.\d+\.\d+)/),
    nginx: said('sh', ['-c', `"${file}" -v 2>&1`], /nginx\/([\d.]+)/, env),
    crs: crsVersion(),
    coraza: goModule('github.com/corazawaf/coraza'),
    'coraza crs': goModule('github.com/corazawaf/coraza-coreruleset'),
  }
}
