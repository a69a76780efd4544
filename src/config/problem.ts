// What is wrong with a configuration, said so that its author can put it right: where, why, and what to do.
// Bad input is never thrown. Everything that reads documents writes into a Report, and all of it comes back at once.

/** One thing found in a configuration. Empty strings where a part does not apply (a whole file, a whole entry). */
export type Problem = {
  /** Name of the file in the folder, `actions.json`. */
  readonly file: string
  /** Namespace, `actions`. */
  readonly document: string
  /** `id` of the entry, or `[n]` (from 0) where it has none. */
  readonly entry: string
  /** Path in the entry, `thresholds[0].action`. */
  readonly field: string
  /** In the words of spec pipeline 7. */
  readonly reason: string
  readonly remedy: string
  /** This one stands for so many that are not listed. */
  readonly more?: number
}

/** What is wrong and what to do, wherever it stands. */
export type Finding = { readonly reason: string; readonly remedy: string }

/** Takes what is found in one entry. A warning stops nothing. */
export type Report = {
  problem(field: string, finding: Finding): void
  warning(field: string, finding: Finding): void
}

/**
 * What was found in one configuration, in the order of discovery: the first ones, and how many more there are. A generated
 * folder can be wrong in a million places, and who reads of the first two hundred has enough to do.
 */
export type Findings = {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

/** Findings that are listed one by one, of problems and of warnings each. */
export const mostListed = 200

export const noFindings = (): Findings => ({ problems: [], warnings: [] })

function list(found: Problem[], noun: string, problem: Problem): void {
  if (found.length < mostListed) {
    found.push(problem)
    return
  }
  const more = (found[mostListed]?.more ?? 0) + 1
  found[mostListed] = {
    file: 'the folder',
    document: '',
    entry: '',
    field: '',
    reason: `${String(more)} more ${noun}${more === 1 ? '' : 's'}`,
    remedy: 'Correct those above first; then these are listed.',
    more,
  }
}

/** How many there are, with those that are not listed. */
export const totalOf = (found: readonly Problem[]): number =>
  found.reduce((total, { more = 1 }) => total + more, 0)

export type Place = Pick<Problem, 'file' | 'document' | 'entry'>

/** A report that writes into `findings` with the place filled in. */
export function reportAt(findings: Findings, place: Place): Report {
  return {
    problem(field, finding) {
      list(findings.problems, 'problem', { ...place, field, ...finding })
    },
    warning(field, finding) {
      list(findings.warnings, 'warning', { ...place, field, ...finding })
    },
  }
}

/** For documents that are known to be right (those built in). */
export const silent: Report = { problem: () => {}, warning: () => {} }

/** One line: `actions.json: entry "a1", params.status: must be ≥ 200. Use a status between 200 and 599.` */
export function formatProblem(problem: Problem): string {
  const where = [problem.entry === '' ? '' : `entry "${problem.entry}"`, problem.field]
    .filter((part) => part !== '')
    .join(', ')
  return `${problem.file}: ${where === '' ? '' : `${where}: `}${problem.reason}. ${problem.remedy}`
}
