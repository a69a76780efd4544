// `weir validate`: reads a folder as a publish would, down to the Envoy configuration that it yields, and says what is
// wrong with it. Touches nothing that runs.
import { type Policy, type Problem, formatProblem, loadFolder, selfSigned, totalOf } from '#config'
import { PatchesRefused, type Snapshot, assertConsistent, buildSnapshot } from '#envoy'
import type { Settings } from '#platform'
import { type CompileProblem, compileProblems } from '#pipeline'
import { type Command, UsageError } from './command.ts'
import { findEnvoy } from './envoy-child.ts'
import { refusalByEnvoy } from './envoy-check.ts'
import { xdsSettings } from './xds-settings.ts'
import { commonHelp, parseOptions } from './options.ts'
import { configFolder } from './policy-source.ts'

const help = `Checks a configuration folder: schemas, references, expressions, and the Envoy configuration it yields.

Usage: weir validate [--config DIR] [--envoy] [--json]

  --config DIR           the folder (default: the shipped one)
  --envoy                let Envoy judge what it would get; done anyway where templates patch its configuration
                         (advanced_configuration) and there is an Envoy
  --json                 one JSON object: {"ok", "revision", "problems": […], "warnings": […]}
${commonHelp}

Each problem is a line: file: entry "x", field f: reason. Remedy.
Backends on this machine are a warning each, because weir serve takes them and weir control and filter do not: nothing
if the setting envoy.allow_loopback_backends is true, a problem each if it is false.

Exit: 0 valid, perhaps with warnings · 2 problems

Example: weir validate --config my-site
`

type Report = {
  readonly ok: boolean
  readonly revision: string | null
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

/** A policy whose resources contradict each other is a defect of Weir, but better found here than by an Envoy. */
function envoyProblem(folder: string, error: unknown): Problem {
  return {
    file: folder,
    document: '',
    entry: '',
    field: '',
    reason: `the Envoy configuration cannot be made: ${error instanceof Error ? error.message : String(error)}`,
    remedy: 'This is a defect of Weir: please report it with the folder.',
  }
}

/** The Envoy to ask; undefined: none. Throws UsageError where one was asked for and there is none. */
function envoyFor(policy: Policy, settings: Settings, asked: boolean): string | undefined {
  const patched = policy.serverGroups.some(({ template }) => template.advanced.length > 0)
  if (!asked && !patched) return undefined
  try {
    return findEnvoy(settings)
  } catch (error) {
    if (asked || !(error instanceof UsageError)) throw error
    return undefined
  }
}

function judgedByEnvoy(folder: string, snapshot: Snapshot, binary: string | undefined): readonly Problem[] {
  const reason = binary === undefined ? undefined : refusalByEnvoy(binary, snapshot)
  if (reason === undefined) return []
  const remedy =
    'Correct what it names; where a patch of advanced_configuration put it there, correct the patch.'
  return [{ file: folder, document: '', entry: '', field: '', reason: `Envoy refuses: ${reason}`, remedy }]
}

/** What only shows when everything is compiled together. */
const filterProblem = (folder: string, { document, ...problem }: CompileProblem): Problem => ({
  file: document === '' ? folder : `${document}.json`,
  document,
  entry: '',
  field: '',
  ...problem,
})

const counted = (count: number, what: string): string => `${String(count)} ${what}${count === 1 ? '' : 's'}`

function show({ ok, revision, problems, warnings }: Report, folder: string): string {
  const lines = [
    ...problems.map(formatProblem),
    ...warnings.map((warning) => `warning: ${formatProblem(warning)}`),
    ok
      ? `${folder}: valid, revision ${String(revision)}, ${counted(totalOf(warnings), 'warning')}`
      : `${folder}: ${counted(totalOf(problems), 'problem')}, ${counted(totalOf(warnings), 'warning')}`,
  ]
  return lines.join('\n')
}

export const validateCommand: Command = {
  name: 'validate',
  summary: 'check a configuration folder',
  help,
  async run(args, { shippedConfig }) {
    const { settings, values } = parseOptions(args, ['config'], {
      json: { type: 'boolean', default: false },
      envoy: { type: 'boolean', default: false },
    })
    const folder = configFolder(settings, shippedConfig)
    const loaded = loadFolder(folder, {
      // Which command will use the folder is not known here.
      allowLoopbackBackends: settings.given.has('envoy.allow_loopback_backends')
        ? settings.values['envoy.allow_loopback_backends']
        : 'with a warning',
      // As the control plane would have one, so that what is made of it is checked as well.
      placeholder: () => selfSigned('Weir placeholder'),
    })
    const problems = [...(loaded.ok ? [] : loaded.problems)]
    if (loaded.ok) {
      const binary = envoyFor(loaded.policy, settings, values.envoy)
      problems.push(...compileProblems(loaded.policy).map((problem) => filterProblem(folder, problem)))
      try {
        const snapshot = buildSnapshot(loaded.policy, xdsSettings(loaded.policy, settings))
        assertConsistent(snapshot)
        problems.push(...judgedByEnvoy(folder, snapshot, binary))
      } catch (error) {
        problems.push(...(error instanceof PatchesRefused ? error.problems : [envoyProblem(folder, error)]))
      }
    }
    const report: Report = {
      ok: problems.length === 0,
      revision: loaded.ok ? loaded.policy.revision : null,
      problems,
      warnings: loaded.warnings,
    }
    process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${show(report, folder)}\n`)
    return report.ok ? 0 : 2
  },
}
