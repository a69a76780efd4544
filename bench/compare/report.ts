// docs/performance.md, made from the results: nobody copies a figure by hand.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Result } from './results.ts'
import { markdownOf } from './table.ts'
import { checkTargets } from './targets.ts'
import { root } from './tools.ts'

const head = `# What Weir costs

This page is written by \`npm run bench\`; do not edit it. Figures are medians of several rounds, with the lowest and the
highest in parentheses. All servers of a table took turns in one run, on one machine, in front of the same origin, whose
own processor time is not counted. *cpu µs* is the processor time of all processes of a server, per request: the figure
that other work on the machine disturbs least. Throughput and latency of the closed loop are those of a machine that the
load generator and the origin share.
`

const machineOf = ({ machine }: Result): string =>
  Object.entries(machine)
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ')

const section = (result: Result): string =>
  [
    `## ${result.title[0]?.toUpperCase() ?? ''}${result.title.slice(1)}`,
    `\`${result.command}\`, ${result.date}: ${result.conditions}.  \n${machineOf(result)}`,
    markdownOf(result),
    ...result.missing.map((line) => `Not measured: ${line}.`),
  ].join('\n\n')

/** Returns the file's name. */
export function writeReport(results: readonly Result[]): string {
  const { lines } = checkTargets(results)
  const targets = [
    '## Targets',
    '`npm run bench -- --only report --check`',
    ['```', ...lines, '```'].join('\n'),
  ].join('\n\n')
  writeFileSync(
    join(root, 'docs', 'performance.md'),
    `${[head, ...results.map(section), targets].join('\n\n')}\n`,
  )
  return 'docs/performance.md'
}
