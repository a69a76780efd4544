// The sums over test runs, read from jest's own reports.
import { readFileSync } from 'node:fs'

/** The totals of one report. A test file that could not be run at all counts as one failure. */
export function totalsOf(file) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 } // Jest ended before it could write: a failure by itself.
  }
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests + report.numTodoTests,
  }
}

/** Adds up the totals of all parts. */
export function sum(results) {
  const add = (key) => results.reduce((all, { totals }) => all + totals[key], 0)
  return { passed: add('passed'), failed: add('failed'), skipped: add('skipped') }
}

/** The last line of a run: `N passed, N failed`, and the skipped ones when there are any. */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
