// `weir events`: shows the journal, one readable line per event, and goes on while events come in.
import { whyUnreadable } from '#platform'
import { followJournal, isReadableEvent, readTail, readableEvent } from '#traffic'
import { type Command, UsageError } from './command.ts'
import { commonHelp, parseOptions } from './options.ts'

const help = `Shows the events of the journal, one line each: time, result, status, request, client, duration, reason.

Usage: weir events [--last N] [--follow] [--blocked] [--json] [--journal FILE]

  --last N               begin with the last N events (default: 10; with --blocked, N blocked ones)
  --follow, -f           go on with events as they come, until Ctrl-C
  --blocked              only requests that were blocked or challenged
  --json                 whole events, as they stand in the journal
  --journal FILE         the journal (default: the setting traffic.journal.file, var/events.jsonl); --file is the same
${commonHelp}

Lines of the file that are no events are left out; how many, standard error says.

Exit: 0 shown · 2 bad usage, or there is no journal that can be read

Examples: weir events --last 5
          weir events --follow --blocked
`

type Shown = { readonly json: boolean; readonly blocked: boolean }

type View = {
  /** The line to print for a line of the journal; undefined: not wanted, or no event. */
  lineFor(line: string): string | undefined
  /** How many lines were no events since it was last asked. */
  countOthers(): number
}

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    // Half a line, left by a process that was killed, or a file that is no journal.
    return undefined
  }
}

function createView({ json, blocked }: Shown): View {
  let others = 0
  return {
    lineFor(line) {
      const event = parsed(line)
      if (!isReadableEvent(event)) {
        others++
        return undefined
      }
      const { result } = event
      if (blocked && (result === 'Passed' || result === 'Blocked by origin')) return undefined
      return json ? line : readableEvent(event)
    },
    countOthers() {
      const count = others
      others = 0
      return count
    },
  }
}

function countOf(text: string): number {
  if (!/^\d{1,7}$/.test(text)) throw new UsageError(`--last ${text}: must be a number of events, such as 20`)
  return Number(text)
}

/** Throws UsageError where the system does not let the journal be read. */
async function reading<T>(file: string, task: Promise<T>): Promise<T> {
  try {
    return await task
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error
    throw new UsageError(
      `the journal ${file} cannot be read: ${whyUnreadable(error)}; name another with --journal`,
    )
  }
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
    const view = createView(values)
    const print = (line: string): void => void process.stdout.write(`${line}\n`)
    const tellOthers = (): void => {
      const others = view.countOthers()
      if (others === 0) return
      const lines =
        others === 1 ? '1 line is no event and was' : `${String(others)} lines are no events and were`
      process.stderr.write(`weir events: ${file}: ${lines} left out\n`)
    }
    // Which lines are shown is known only after they are read: with a condition, all are looked at.
    const { lines, position } = await reading(
      file,
      readTail(
        file,
        values.blocked ? Number.MAX_SAFE_INTEGER : count,
        settings.values['traffic.journal.keep'],
      ),
    )
    if (lines.length === 0 && position.inode === 0 && !values.follow)
      throw new UsageError(
        `there is no journal ${file} yet: start weir here, or name the journal with --journal`,
      )
    const wanted = count === 0 ? [] : lines.flatMap((line) => view.lineFor(line) ?? [])
    for (const line of wanted.slice(-count)) print(line)
    tellOthers()
    if (!values.follow) return 0
    const onLine = (line: string): void => {
      const shown = view.lineFor(line)
      if (shown !== undefined) print(shown)
    }
    await untilInterrupted((signal) => reading(file, followJournal({ file, from: position, onLine, signal })))
    tellOthers()
    return 0
  },
}
