// Options out of a command line. Reading is left to node:util, the complaints are Weir's own: which option, what is wrong
// with it, and what to write instead.
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { closest } from '#config'
import { UsageError } from './command.ts'

type Options = NonNullable<ParseArgsConfig['options']>
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: O; strict: true; allowPositionals: true }>
>

/** An option as it was given. */
type Given = {
  readonly name: string
  /** As it was written, with its dashes. */
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function unknownOption(rawName: string, options: Options): string {
  const known = Object.keys(options).map((name) => `--${name}`)
  const near = closest(rawName, known)
  const remedy = near === undefined ? `known are ${[...known, '--help'].join(', ')}` : `did you mean ${near}?`
  return `there is no option ${rawName}; ${remedy}`
}

/** An option that needs a value takes whatever follows it, even if that is the next option. */
function looksLikeOption(text: string, options: Options): boolean {
  if (/^--[a-z][a-z-]*(=|$)/.test(text)) return true
  return Object.values(options).some(({ short }) => short !== undefined && text === `-${short}`)
}

/** What is wrong with an option as it was given; undefined: nothing that the reading of its value does not find. */
function mistake({ name, rawName, value, inlineValue }: Given, options: Options): string | undefined {
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (option === undefined) return unknownOption(rawName, options)
  if (option.type === 'boolean')
    return value === undefined ? undefined : `${rawName} takes no value; write ${rawName} without "=${value}"`
  if (value === undefined) return `${rawName}: the value is missing; write ${rawName} VALUE`
  return inlineValue === false && looksLikeOption(value, options)
    ? `${rawName}: the value is missing before ${value}; write ${rawName} VALUE, or ${rawName}=${value} if that is it`
    : undefined
}

/**
 * Reads a command line. Throws UsageError for an option that does not exist, a value that is missing or too much, and for
 * words that belong to no option unless `words` allows them.
 */
export function readCommandLine<const O extends Options>(
  args: readonly string[],
  options: O,
  words: 'words' | 'no words' = 'no words',
): Parsed<O> {
  const read = { args: [...args], options, allowPositionals: true } as const
  const { tokens } = parseArgs({ ...read, strict: false, tokens: true })
  const joined: string[] = []
  const rest: string[] = []
  for (const token of tokens) {
    if (token.kind === 'option') {
      const wrong = mistake(token, options)
      if (wrong !== undefined) throw new UsageError(wrong)
      joined.push(token.value === undefined ? `--${token.name}` : `--${token.name}=${token.value}`)
    } else if (token.kind === 'positional') rest.push(token.value)
  }
  const [first] = rest
  if (first !== undefined && words === 'no words')
    throw new UsageError(`"${first}" belongs to no option; leave it out, or write the option before it`)
  // Joined, a value that begins with a dash is no option any more: the command says what is wrong with it, if anything.
  return parseArgs({ ...read, args: [...joined, '--', ...rest], strict: true })
}
