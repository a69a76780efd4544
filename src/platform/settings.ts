// Process settings: weir.yaml in the working directory (or the file of --settings), overridden by WEIR_… variables,
// overridden by flags. The one place that reads the environment. Everything wrong is reported at once, each with the file
// or variable that it stands in and what to write instead; a misspelt key is an error, not a default.
import { existsSync, readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import {
  type SettingName,
  type SettingValues,
  isSettingName,
  settingNames,
  settingTable,
  variableOf,
} from './setting-table.ts'
import { whyUnreadable } from './unreadable.ts'

/** A flag of the command line and the setting it overrides. */
export type SettingFlag = { readonly name: SettingName; readonly flag: string; readonly text: string }

export type Settings = {
  readonly values: SettingValues
  /** Settings that somebody gave; the others have their defaults. */
  readonly given: ReadonlySet<SettingName>
  /** The file that was read; undefined: there was none. */
  readonly file: string | undefined
  /** What a child process needs to be told to have the same settings: flags, and defaults of the command. */
  readonly inherited: SettingTexts
}

export type SettingTexts = Partial<Readonly<Record<SettingName, string>>>

export type LoadedSettings =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] }

export type SettingSources = {
  /** File of --settings; it must exist. Undefined: weir.yaml in the working directory, if there is one. */
  readonly file: string | undefined
  readonly flags: readonly SettingFlag[]
  /** Defaults of the command, in place of the table's. */
  readonly defaults?: SettingTexts
  /** For tests. */
  readonly environment?: Readonly<Record<string, string | undefined>>
}

const usualFile = 'weir.yaml'

type Given = { readonly where: string; readonly value: unknown }
type Gathered = { readonly given: Map<SettingName, Given>; readonly problems: string[] }

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The keys that may stand at a level of the file. */
function knownAt(prefix: string): readonly string[] {
  const below = settingNames.filter((name) => name.startsWith(prefix))
  return [...new Set(below.map((name) => name.slice(prefix.length).split('.', 1)[0] ?? ''))]
}

function gatherGroup(
  group: Readonly<Record<string, unknown>>,
  prefix: string,
  file: string,
  { given, problems }: Gathered,
): void {
  for (const [key, value] of Object.entries(group)) {
    const name = `${prefix}${key}`
    if (isSettingName(name)) given.set(name, { where: `${file}: ${name}`, value })
    else if (!knownAt(prefix).includes(key))
      problems.push(
        `${file}: unknown setting "${name}". Remove or rename it; known here: ${knownAt(prefix).join(', ')}.`,
      )
    else if (isGroup(value)) gatherGroup(value, `${name}.`, file, { given, problems })
    // `envoy:` with nothing below it is a group whose lines are all commented out.
    else if (value !== null)
      problems.push(
        `${file}: ${name}: must be a group of settings. Write below it: ${knownAt(`${name}.`).join(', ')}.`,
      )
  }
}

function gatherFile(file: string, gathered: Gathered): void {
  let documents: readonly unknown[]
  try {
    documents = loadAll(readFileSync(file, 'utf8'))
  } catch (error) {
    gathered.problems.push(
      `${file}: cannot be read: ${whyUnreadable(error)}. Correct it, or name another with --settings.`,
    )
    return
  }
  // A file of comments has no document at all.
  const [content] = documents
  if (content === undefined || content === null) return
  if (isGroup(content)) gatherGroup(content, '', file, gathered)
  else
    gathered.problems.push(
      `${file}: must be a group of settings. Begin with a line such as "log: {level: info}".`,
    )
}

function readAll({ given, problems }: Gathered, defaults: SettingTexts): SettingValues {
  const entries = settingNames.map((name) => {
    const setting = settingTable[name]
    const text = defaults[name]
    const fallback = text === undefined ? setting.fallback : setting.fromText(text)
    const { where, value } = given.get(name) ?? { where: name, value: fallback }
    if (value === undefined) return [name, undefined]
    const read = setting.read(value)
    if (read === undefined)
      problems.push(`${where}: must be ${setting.expected}, is ${JSON.stringify(value)}. ${setting.about}`)
    return [name, read]
  })
  return Object.fromEntries(entries) as SettingValues
}

/** All settings, or everything that is wrong with them. */
export function loadSettings(sources: SettingSources): LoadedSettings {
  const { file, flags, defaults = {}, environment = process.env } = sources
  const gathered: Gathered = { given: new Map(), problems: [] }
  const found = file ?? (existsSync(usualFile) ? usualFile : undefined)
  if (found !== undefined) gatherFile(found, gathered)
  for (const name of settingNames) {
    const variable = variableOf(name)
    const value = environment[variable]
    if (value !== undefined && value !== '')
      gathered.given.set(name, {
        where: `variable ${variable}`,
        value: settingTable[name].fromText(value),
      })
  }
  for (const { name, flag, text } of flags)
    gathered.given.set(name, { where: `option --${flag}`, value: settingTable[name].fromText(text) })
  const values = readAll(gathered, defaults)
  if (gathered.problems.length > 0) return { ok: false, problems: gathered.problems }
  const given = new Set(gathered.given.keys())
  const inherited = Object.fromEntries([
    ...Object.entries(defaults).filter(([name]) => isSettingName(name) && !given.has(name)),
    ...flags.map(({ name, text }) => [name, text]),
  ]) as SettingTexts
  return { ok: true, settings: { values, given, file: found, inherited } }
}

/** The environment of a child process: this one's, with settings that override those of the file. */
export function childEnvironment(overrides: SettingTexts): Readonly<Record<string, string | undefined>> {
  const variables = Object.entries(overrides).map(([name, value]) => [
    isSettingName(name) ? variableOf(name) : name,
    value,
  ])
  return { ...process.env, ...(Object.fromEntries(variables) as Record<string, string>) }
}

/** Folders in which the system looks for programs. */
export const programFolders = (): readonly string[] => (process.env['PATH'] ?? '').split(':')
