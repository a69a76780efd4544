// Options that are process settings by another name, the same in every command that has them.
import type { ParseArgsConfig, parseArgs } from 'node:util'
import { type SettingName, type SettingTexts, type Settings, loadSettings } from '#platform'
import { UsageError } from './command.ts'
import { readCommandLine } from './command-line.ts'

type ParseOptions = NonNullable<ParseArgsConfig['options']>

const settingOptions = {
  config: 'config',
  'log-level': 'log.level',
  'log-format': 'log.format',
  listen: 'envoy.listen',
  'listen-tls': 'envoy.listen_tls',
  admin: 'envoy.admin',
  stats: 'envoy.stats',
  'filter-listen': 'filter.listen',
  'filter-metrics': 'filter.metrics',
  filters: 'filter.processes',
  'xds-listen': 'xds.listen',
  control: 'xds.control',
  'control-metrics': 'control.metrics',
  redis: 'redis.url',
  journal: 'traffic.journal.file',
  events: 'traffic.print',
} as const satisfies Readonly<Record<string, SettingName>>

export type SettingOption = keyof typeof settingOptions

/** The option that changes a setting, for messages. */
export function optionOf(name: SettingName): string | undefined {
  const found = Object.entries(settingOptions).find(([, setting]) => setting === name)
  return found === undefined ? undefined : `--${found[0]}`
}

export type ParsedOptions<O extends ParseOptions> = {
  readonly settings: Settings
  readonly values: ReturnType<typeof parseArgs<{ options: O; strict: true }>>['values']
}

type Values<O extends ParseOptions> = ParsedOptions<O>['values']

/**
 * Parses a command line: `names` are options that override settings, `own` the command's own, `defaults` what it has in
 * place of the settings' defaults. Throws UsageError for what is wrong on the command line, in the
 * settings file, or in a variable.
 */
export function parseOptions<const O extends ParseOptions>(
  args: readonly string[],
  names: readonly SettingOption[],
  own: O,
  defaults: (values: Values<O>) => SettingTexts = () => ({}),
): ParsedOptions<O> {
  const all = [...names, 'settings', 'log-level', 'log-format'] as const
  const forSettings = Object.fromEntries(all.map((name) => [name, { type: 'string' } as const]))
  const { values } = readCommandLine(args, { ...forSettings, ...own })
  const given: Readonly<Record<string, unknown>> = values
  const flags = all.flatMap((flag) => {
    const text = given[flag]
    return typeof text === 'string' && flag !== 'settings' ? [{ name: settingOptions[flag], flag, text }] : []
  })
  const file = given['settings']
  const loaded = loadSettings({
    file: typeof file === 'string' ? file : undefined,
    flags,
    defaults: defaults(values),
  })
  if (!loaded.ok) throw new UsageError(loaded.problems.join('\n'))
  return { settings: loaded.settings, values }
}

/** Lines for the help of a command that serves something. */
export const commonHelp = `  --settings FILE        process settings (default: weir.yaml here, if there is one)
  --log-level LEVEL      trace, debug, info, warn or error (default: info)
  --log-format FORMAT    auto, json or text (default: auto: text on a terminal)
  --help, -h             this text`
