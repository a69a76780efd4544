// What a sub-command is. Each has one file and one line in the list of commands.ts.

export type CommandContext = {
  /** The folder of documents that ships with Weir. */
  readonly shippedConfig: string
}

export type Command = {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  readonly help: string
  /** Resolves with the exit code. A UsageError becomes its message and exit code 2. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}

/** A mistake of the caller: on the command line, in the settings. The message is all that is shown. */
export class UsageError extends TypeError {
  override readonly name = 'UsageError'
}
