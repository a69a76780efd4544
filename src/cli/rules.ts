// `weir rules test`: the examples that content filter rules carry, against the rules, read and decoded as the content
// filter does. With --value it tells which rules find a text.
import { type RuleWithExamples, type ValueReading, formatProblem, readRuleFolder } from '#config'
import { createRuleSearch } from '#pipeline'
import { type Command, UsageError } from './command.ts'
import { readCommandLine } from './command-line.ts'
import { type ExampleReport, quote, testExamples } from './rule-examples.ts'

const help = `Tests content filter rules on the examples that they carry.

Usage: weir rules test [FOLDER] [--rule ID]... [--value TEXT] [--json]

  FOLDER                 the folder with content-filter-rules.json (default: the shipped one)
  --rule ID              only this rule; may stand several times
  --value TEXT           instead of the examples: which rules match the text, and which part of it
  --json                 one JSON object in place of the lines
  --help, -h             this text

A rule must find each of its examples.matches and none of its examples.misses. Values are decoded as the
folder's default content filter profile says, or the built-in one where the folder has none. libinjection
takes no part; weir inspect shows what the whole content filter makes of a request.

Exit: 0 all examples hold, or with --value, it was looked up · 1 an example failed
      2 bad usage, or rules that cannot be read

Examples: weir rules test my-site
          weir rules test --value "1' or '1'='1"
`

type Options = {
  readonly folder: string
  readonly ids: readonly string[]
  readonly value: string | undefined
  readonly json: boolean
}

function parseOptions(args: readonly string[], shippedConfig: string): Options {
  const { values, positionals } = readCommandLine(
    args,
    {
      rule: { type: 'string', multiple: true, default: [] },
      value: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
    'words',
  )
  const [action, folder = shippedConfig, ...more] = positionals
  if (action !== 'test')
    throw new UsageError(
      `${action === undefined ? 'what to do is missing' : `unknown "${action}"`}: write weir rules test`,
    )
  if (more.length > 0) throw new UsageError(`one folder at a time: "${String(more[0])}" is too many`)
  return { folder, ids: values.rule, value: values.value, json: values.json }
}

function choose(rules: readonly RuleWithExamples[], { ids, folder }: Options): readonly RuleWithExamples[] {
  const known = new Set(rules.map(({ id }) => id))
  const absent = ids.find((id) => !known.has(id))
  if (absent !== undefined) throw new UsageError(`--rule ${absent}: ${folder} has no rule of this id`)
  return ids.length === 0 ? rules : rules.filter(({ id }) => ids.includes(id))
}

function showReport({ rules, examples, passed, failed, failures, untested }: ExampleReport): string {
  const lines = [
    ...untested.map((id) => `warning: ${id}: no examples. Add "examples": {"matches": […], "misses": […]}.`),
    ...failures.map(
      ({ rule, list, index, example, reason, remedy }) =>
        `${rule}: ${list}[${String(index)}] ${quote(example)}: ${reason}. ${remedy}`,
    ),
    `${String(rules)} rules, ${String(examples)} examples: ${String(passed)} passed, ${String(failed)} failed`,
  ]
  return `${lines.join('\n')}\n`
}

type Found = {
  readonly rule: string
  readonly category: string
  readonly risk: number
  readonly msg: string
  readonly part: string
  /** What the value was decoded to, if the rule is found only there. */
  readonly decoded: string | null
}

function findRules(
  rules: readonly RuleWithExamples[],
  reading: ValueReading,
  value: string,
): readonly Found[] {
  const search = createRuleSearch(rules, reading)
  return search.find(value).map((rule) => {
    const { part, decoded = null } = search.partOf(rule, value)
    return { rule: rule.id, category: rule.category, risk: rule.risk, msg: rule.message, part, decoded }
  })
}

function showFound(found: readonly Found[], rules: number): string {
  const lines = found.map(({ rule, category, risk, msg, part, decoded }) => {
    const where = decoded === null ? '' : ` in ${quote(decoded)}`
    return `${rule} (${category}, risk ${String(risk)}): ${msg}: ${quote(part)}${where}`
  })
  return `${[...lines, `${String(found.length)} of ${String(rules)} rules match`].join('\n')}\n`
}

const asJson = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

const progressEveryMs = 2000

/** Says on standard error how far it is, as often as one begins to wonder. */
function progressOf(rules: number): (index: number) => void {
  let next = performance.now() + progressEveryMs
  return (index) => {
    if (performance.now() < next) return
    next = performance.now() + progressEveryMs
    process.stderr.write(`${String(index)} of ${String(rules)} rules\n`)
  }
}

export const rulesCommand: Command = {
  name: 'rules',
  summary: 'test content filter rules on their examples, or on a value',
  help,
  async run(args, { shippedConfig }) {
    const options = parseOptions(args, shippedConfig)
    const folder = readRuleFolder(options.folder)
    if (!folder.ok) {
      for (const problem of folder.problems) process.stderr.write(`${formatProblem(problem)}\n`)
      return 2
    }
    const rules = choose(folder.rules, options)
    const { json, value } = options
    if (value !== undefined) {
      const found = findRules(rules, folder.reading, value)
      process.stdout.write(
        json ? asJson({ value, rules: rules.length, found }) : showFound(found, rules.length),
      )
      return 0
    }
    const report = testExamples(rules, folder.reading, progressOf(rules.length))
    process.stdout.write(json ? asJson({ ok: report.failed === 0, ...report }) : showReport(report))
    return report.failed > 0 ? 1 : 0
  },
}
