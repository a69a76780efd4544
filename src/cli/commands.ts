// The sub-commands of `weir`, in the order in which the help shows them.
import type { Command } from './command.ts'
import { controlCommand } from './control.ts'
import { coverageCommand } from './coverage.ts'
import { eventsCommand } from './events.ts'
import { filterCommand } from './filter.ts'
import { inspectCommand } from './inspect.ts'
import { quickstartCommand } from './quickstart.ts'
import { rulesCommand } from './rules.ts'
import { serveCommand } from './serve.ts'
import { validateCommand } from './validate.ts'

export const commands: readonly Command[] = [
  quickstartCommand,
  serveCommand,
  filterCommand,
  controlCommand,
  inspectCommand,
  validateCommand,
  coverageCommand,
  rulesCommand,
  eventsCommand,
]
