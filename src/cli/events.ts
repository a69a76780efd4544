// `weir events`: shows the journal, one readable line per event, and goes on while events come in.
import { followJournal, readTail, readableEvent } from '#traffic'
import { type Command, UsageError } from './command.ts'
import { commonHelp, parseOptions } from './options.ts'

const help = `Shows the events of the journal, one line each: time, result, status, request, client, duration, reason.

Usage: weir events [--last N] [--follow] [--blocked] [--json] [--file FILE]

  --last N               begin with the last N events (default: 10; with --blocked, N blocked ones)
  --follow, -f           go on with events as they come, until Ctrl-C
  --blocked              only requests that were blocked or challenged
  --json                 whole events, as they stand in the journal
  --file FILE            the journal (default: the setting traffic.journal.file, var/events.jsonl)
${commonHelp}

Exit: 0 shown · 2 bad usage, or there is no journal

Examples: weir events --last 5
          weir events --follow --blocked
`

type Shown = { readonly json: boolean; readonly blocked: boolean }

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** The line to print for a line of the journal; undefined: not wanted, or no event. */
function lineFor(line: string, { json, blocked }: Shown): string | undefined {
  let event: unknown
  try {
    event = JSON.parse(line)
  } catch {
    // Half a line, left by a process that was killed: there is nothing to show of it.
    return undefined
  }
  if (!isObject(event)) return undefined
  const { result } = event
  if (blocked && (result === 'Passed' || result === 'Blocked by origin')) return undefined
  return json ? line : readableEvent(event)
}

function countOf(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new UsageError(`--last ${text}: must be a number of events, such as 20`)
  return Number(text)
}

async function untilInterrupted(follow: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const interrupted = new AbortController()
  const stop = (): void => interrupted.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  await follow(interrupted.signal)
}

export const eventsCommand: Command = {
  name: 'events',
  summary: 'show the events of the journal readably',
  help,
  async run(args) {
    const { settings, values } = parseOptions(args, ['journal'], {
      last: { type: 'string', default: '10' },
      follow: { type: 'boolean', short: 'f', default: false },
      blocked: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      file: { type: 'string' },
    })
    const file = values.file ?? settings.values['traffic.journal.file']
    const count = countOf(values.last)
    // Which lines are shown is known only after they are read: with a condition, all are looked at.
    const { lines, position } = await readTail(
      file,
      values.blocked ? Number.MAX_SAFE_INTEGER : count,
      settings.values['traffic.journal.keep'],
    )
    if (lines.length === 0 && position.inode === 0 && !values.follow)
      throw new UsageError(
        `there is no journal ${file} yet: start weir here, or name the journal with --file`,
      )
    const print = (line: string): void => {
      const shown = lineFor(line, values)
      if (shown !== undefined) process.stdout.write(`${shown}\n`)
    }
    const wanted = values.blocked ? lines.filter((line) => lineFor(line, values) !== undefined) : lines
    for (const line of wanted.slice(count === 0 ? wanted.length : -count)) print(line)
    if (values.follow)
      await untilInterrupted((signal) => followJournal({ file, from: position, onLine: print, signal }))
    return 0
  },
}
