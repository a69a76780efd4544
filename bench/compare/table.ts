// Results as a table of text, and of Markdown.
import type { Figure } from './figures.ts'
import type { Result, Row } from './results.ts'

const shown = ['cpu µs', 'requests/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'refused %', 'memory MiB'] as const

/** JSON has no Infinity and no NaN: what could not be measured comes back as null. */
const number = (value: number | null): string =>
  value === null || !Number.isFinite(value)
    ? '–'
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2)

const withSpread = ({ median, low, high }: Figure): string =>
  `${number(median)} (${number(low)}–${number(high)})`

/** Metrics of a row that any row has, in their order; those that only some parts have come behind. */
export const columnsOf = (rows: readonly Row[]): readonly string[] => {
  const names = new Set(rows.flatMap(({ metrics }) => Object.keys(metrics)))
  const known = shown.filter((name) => names.has(name))
  const others = [...names].filter(
    (name) =>
      !(shown as readonly string[]).includes(name) && !name.startsWith('cpu µs: ') && name !== 'errors',
  )
  return [...known, ...others]
}

const cell = (row: Row, column: string): string => {
  const figure = row.metrics[column]
  if (figure === undefined) return '–'
  return column === 'cpu µs' || column === 'requests/s' ? withSpread(figure) : number(figure.median)
}

/** The processors' share of each process. */
export const sharesOf = ({ metrics }: Row): string =>
  Object.entries(metrics)
    .filter(([name, { median }]) => name.startsWith('cpu µs: ') && median >= 0.5)
    .map(([name, { median }]) => `${name.slice(8)} ${number(median)}`)
    .join(', ')

const widthOf = (text: string): number => [...text].length

function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => widthOf(line[at] ?? ''))))
  return lines
    .map((line) =>
      line
        .map((text, at) => (at === 0 ? text : ' '.repeat((widths[at] ?? 0) - widthOf(text)) + text))
        .map((text, at) => (at === 0 ? text + ' '.repeat((widths[0] ?? 0) - widthOf(text)) : text))
        .join('  '),
    )
    .join('\n')
}

const mixesOf = ({ rows }: Result): readonly string[] => [...new Set(rows.map(({ mix }) => mix))]

/** Head and lines of a mix's table. */
function linesOf(result: Result, mix: string): readonly (readonly string[])[] {
  const columns = columnsOf(result.rows)
  const rows = result.rows.filter((row) => row.mix === mix)
  const shares = rows.map(sharesOf)
  const withShares = shares.some((text) => text !== '')
  return [
    [rows[0]?.mixName ?? mix, ...columns, ...(withShares ? ['cpu µs by process'] : [])],
    ...rows.map((row, at) => [
      row.subjectName,
      ...columns.map((column) => cell(row, column)),
      ...(withShares ? [shares[at] ?? ''] : []),
    ]),
  ]
}

const tables = (result: Result, write: (lines: readonly (readonly string[])[]) => string): string =>
  mixesOf(result)
    .map((mix) => write(linesOf(result, mix)))
    .join('\n\n')

export const tableOf = (result: Result): string => tables(result, aligned)

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

export const markdownOf = (result: Result): string =>
  tables(result, ([head = [], ...rows]) =>
    [line(head), line(head.map((_, at) => (at === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n'),
  )
