// Log lines on standard error: JSON for machines, one readable line for a terminal. Standard output belongs to what a
// command was asked for. Written in the background into a bounded buffer, so that a reader that stalls
// costs log lines and never a request.
import { type Logger, destination, pino, stdSerializers, stdTimeFunctions } from 'pino'
import type { SettingValues } from './setting-table.ts'

export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>

export type LogSettings = {
  readonly level: SettingValues['log.level']
  readonly format: SettingValues['log.format']
  /** Which process this is: `control`, `filter-1`, `serve`. */
  readonly component: string
}

type Line = Readonly<Record<string, unknown>>

const notShown = new Set(['level', 'time', 'component', 'msg', 'err'])

const shown = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/-]+$/.test(value) ? value : JSON.stringify(value)

/** A line for people: `09:15:04 warn  filter  message key=value`. */
export function readableLine(line: Line): string {
  const { level, time, component, msg, err } = line
  const fields = Object.entries(line)
    .filter(([name]) => !notShown.has(name))
    .map(([name, value]) => `${name}=${shown(value)}`)
  const failure =
    typeof err === 'object' && err !== null && 'message' in err ? `: ${String(err.message)}` : ''
  const head = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${String(component).padEnd(8)}`
  return `${[`${head} ${String(msg)}${failure}`, ...fields].join(' ')}\n`
}

const bufferBytes = 8 * 1024 * 1024

/** A log for this process; `child({ component })` of pino is not needed, each process has one component. */
export function createLog({ level, format, component }: LogSettings): Log {
  const stderr = destination({ dest: 2, sync: false, maxLength: bufferBytes })
  const readable = format === 'text' || (format === 'auto' && process.stderr.isTTY)
  const target = readable
    ? {
        write(line: string) {
          stderr.write(readableLine(JSON.parse(line) as Line))
        },
      }
    : stderr
  return pino(
    {
      level,
      base: { component },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err },
    },
    target,
  )
}

/** For tests and for code that runs without one. */
export const silentLog: Log = pino({ level: 'silent' })
