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
}

/** What is wrong and what to do, wherever it stands. */
export type Finding = { readonly reason: string; readonly remedy: string }

/** Takes what is found in one entry. A warning stops nothing. */
export type Report = {
  problem(field: string, finding: Finding): void
  warning(field: string, finding: Finding): void
}

/** Everything found in one configuration, in the order of discovery. */
export type Findings = {
  readonly problems: Problem[]
  readonly warnings: Problem[]
}

export type Place = Pick<Problem, 'file' | 'document' | 'entry'>

/** A report that writes into `findings` with the place filled in. */
export function reportAt(findings: Findings, place: Place): Report {
  return {
    problem(field, finding) {
      findings.problems.push({ ...place, field, ...finding })
    },
    warning(field, finding) {
      findings.warnings.push({ ...place, field, ...finding })
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
