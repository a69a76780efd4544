// `weir coverage`: what a configuration protects and what it does not, site by site and path by path.
import { selfSigned } from '#config'
import { type Coverage, coverageOf } from '#envoy'
import { type Settings, whyUnreadable } from '#platform'
import { countBackends, readSince } from '#traffic'
import { type Command, UsageError } from './command.ts'
import { coverageText } from './coverage-text.ts'
import { listenersOf } from './listeners.ts'
import { commonHelp, parseOptions } from './options.ts'
import { configFolder, loadPolicy } from './policy-source.ts'

const help = `Shows of every site and path whether requests are inspected or why not, how much of a body, what happens while no
filter answers, which certificate is shown and how long it holds, and how often the backend failed in the last hour.

Usage: weir coverage [--config DIR] [--journal FILE] [--json]

  --config DIR           the folder (default: the shipped one)
  --journal FILE         events to count failures of backends in (default: the setting traffic.journal.file,
                         var/events.jsonl, if there is one)
  --json                 one JSON object, with all that the table leaves out
  --listen PLACE         where Envoy takes requests, if not as load balancer http says
  --listen-tls PLACE     and those over TLS, if not as load balancer https says
${commonHelp}

Exit: 0 shown · 2 bad usage, settings or configuration

Example: weir coverage --config my-site
`

const hourMs = 60 * 60 * 1000

/**
 * What became of requests to backends in the last hour; undefined: there is no journal yet, which is a mistake only if one
 * was `named`.
 */
async function backendsOf(
  { values }: Settings,
  named: string | undefined,
  now: number,
): Promise<Coverage['backends']> {
  const file = named ?? values['traffic.journal.file']
  const count = countBackends()
  let found: boolean
  try {
    found = await readSince(file, { keep: values['traffic.journal.keep'], since: now - hourMs }, (event) =>
      count.add(event),
    )
  } catch (error) {
    throw new UsageError(
      `the journal ${file} cannot be read: ${whyUnreadable(error)}; name another with --journal`,
    )
  }
  if (found) return count.result()
  if (named === undefined) return undefined
  throw new UsageError(
    `there is no journal ${file}; name the one that Weir writes, or leave out --journal to do without failures`,
  )
}

const asJson = (coverage: Coverage): object => ({
  ...coverage,
  otherHosts: coverage.otherHosts ?? null,
  backends: coverage.backends === undefined ? null : Object.fromEntries(coverage.backends),
})

export const coverageCommand: Command = {
  name: 'coverage',
  summary: 'what is inspected and what is not, path by path',
  help,
  async run(args, { shippedConfig }) {
    const { settings, values } = parseOptions(args, ['config', 'listen', 'listen-tls'], {
      journal: { type: 'string' },
      json: { type: 'boolean', default: false },
    })
    const folder = configFolder(settings, shippedConfig)
    const { policy } = loadPolicy(folder, {
      allowLoopbackBackends: true,
      withKeys: false,
      placeholder: () => selfSigned('Weir placeholder'),
    })
    const now = Date.now()
    const coverage = coverageOf(policy, {
      listeners: listenersOf(policy, settings),
      backends: await backendsOf(settings, values.journal, now),
      now,
    })
    process.stdout.write(
      values.json ? `${JSON.stringify(asJson(coverage), null, 2)}\n` : coverageText(coverage, folder),
    )
    return 0
  },
}
