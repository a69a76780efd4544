// Runs the programs that the set-up needs. Their output goes to a log file; what the reader sees is one line
// every few seconds with the time and the program's latest words, which needs no terminal.
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, constants, createWriteStream, mkdirSync, statSync } from 'node:fs'
import { basename, delimiter, join, relative } from 'node:path'
import { SetupFailure } from './failure.mjs'
import { inCache, root } from './paths.mjs'

const progressSeconds = 10
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP']
const parent = process.ppid

/** The file that a command name stands for on PATH, or undefined. */
export function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const file = join(folder === '' ? '.' : folder, name)
    try {
      accessSync(file, constants.X_OK)
      if (statSync(file).isFile()) return file
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

/** What a short command prints, or undefined when it cannot be run, fails, or takes more than `timeoutMs`. */
export function output(file, args, { env = process.env, timeoutMs = 20_000 } = {}) {
  const done = spawnSync(file, args, { encoding: 'utf8', env, timeout: timeoutMs, cwd: root })
  return done.status === 0 ? `${done.stdout}${done.stderr}` : undefined
}

const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

/** The latest line of what was written, without colours and cut to a line's length. */
const lastLine = (text) =>
  text
    .replace(colours, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1)
    ?.slice(0, 90) ?? ''

/** Says every few seconds that the command is alive; returns what ends that. */
function showProgress(child) {
  const started = Date.now()
  let tail = ''
  const hear = (chunk) => {
    tail = (tail + chunk).slice(-2000)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const timer = setInterval(() => {
    console.log(`      ${Math.round((Date.now() - started) / 1000)} s  ${lastLine(tail)}`)
  }, progressSeconds * 1000)
  return () => clearInterval(timer)
}

/**
 * Whoever ends the set-up ends what it started: a program left behind would write into the folders of the next
 * one. The parent is watched as well, because npm hands a signal only to the shell that stands between it and
 * this program, and the shell keeps it for itself. Returns what ends the watch.
 */
function endTogether(child) {
  const stop = (signal) => {
    child.kill(signal)
    process.exit(1)
  }
  for (const signal of endings) process.once(signal, stop)
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop('SIGTERM')
  }, 1000)
  return () => {
    clearInterval(timer)
    for (const signal of endings) process.off(signal, stop)
  }
}

/** How a program ended: undefined if well, else in words. */
const endOf = (child) =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : (signal ?? `exit code ${code}`)))
  })

/**
 * Runs a long command to its end.
 * @param {string} name of the step; names the log file as well
 * @param {readonly string[]} command
 * @param {{ env?: NodeJS.ProcessEnv, cwd?: string, remedy: string }} options
 */
export async function run(name, [file, ...args], { env = process.env, cwd = root, remedy }) {
  mkdirSync(inCache('log'), { recursive: true })
  const logFile = inCache('log', `${name.replaceAll(' ', '-')}.log`)
  const log = createWriteStream(logFile, { flags: 'a' })
  log.write(`\n$ ${[file, ...args].join(' ')}\n`)
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => log.write(chunk))
  const cleanUps = [showProgress(child), endTogether(child)]
  const end = await endOf(child)
  for (const cleanUp of cleanUps) cleanUp()
  await new Promise((resolve) => log.end(resolve))
  if (end === undefined) return
  const where = relative(root, logFile)
  throw new SetupFailure(`${name}: ${basename(file)} ended with ${end}, see ${where}`, remedy)
}
