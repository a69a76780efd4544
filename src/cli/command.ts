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
  /** Resolves with the exit code. A TypeError is a mistake on the command line and becomes exit code 2. */
  run(args: readonly string[], context: CommandContext): Promise<number>
}
