// What the examples of rules say about the rules: which hold, which do not and what to do about it. No output here;
// `rules.ts` prints it.
import type { RuleWithExamples, ValueReading } from '#config'
import { type RuleSearch, createRuleSearch } from '#pipeline'

export type ExampleFailure = {
  readonly rule: string
  /** The list in which the example stands, and its place from 0. */
  readonly list: 'matches' | 'misses'
  readonly index: number
  readonly example: string
  readonly reason: string
  readonly remedy: string
}

export type ExampleReport = {
  readonly rules: number
  readonly examples: number
  readonly passed: number
  readonly failed: number
  readonly failures: readonly ExampleFailure[]
  /** Rules that carry no example. */
  readonly untested: readonly string[]
}

/** Characters of a text that a message repeats. */
const shown = 160

/** A text as JSON writes it, on one line, shortened. */
export const quote = (text: string): string =>
  text.length > shown ? `${JSON.stringify(text.slice(0, shown))}…` : JSON.stringify(text)

type Finding = Pick<ExampleFailure, 'reason' | 'remedy'>

function notFound(value: string, search: RuleSearch): Finding {
  if (search.examines(value)) {
    return {
      reason: 'should match, but does not',
      remedy: 'Widen the operand, or take the example out of "matches".',
    }
  }
  const reason = 'should match, but is not examined: '
  return value === ''
    ? { reason: `${reason}empty values are not`, remedy: 'Take the example out of "matches".' }
    : {
        reason: `${reason}"ignore_alphanum" of the default profile exempts letters and digits alone`,
        remedy: 'Give the example the other characters that come with it in a request.',
      }
}

function foundIn(rule: RuleWithExamples, value: string, search: RuleSearch): Finding {
  const { decoded, part } = search.partOf(rule, value)
  const where = decoded === undefined ? '' : `, in what it is decoded to: ${quote(decoded)}`
  return {
    reason: `should not match, but ${quote(part)} does${where}`,
    remedy: 'Narrow the operand, or take the example out of "misses".',
  }
}

/** A rule is searched for alone: what others would find in an example is not asked, and costs the more, the more there are. */
function failuresOf(rule: RuleWithExamples, reading: ValueReading): readonly ExampleFailure[] {
  const search = createRuleSearch([rule], reading)
  const isFound = (value: string): boolean => search.find(value).length > 0
  const failure =
    (list: ExampleFailure['list'], explain: (value: string) => Finding) =>
    (example: string, index: number): readonly ExampleFailure[] =>
      isFound(example) === (list === 'matches')
        ? []
        : [{ rule: rule.id, list, index, example, ...explain(example) }]
  return [
    ...rule.examples.matches.flatMap(failure('matches', (value) => notFound(value, search))),
    ...rule.examples.misses.flatMap(failure('misses', (value) => foundIn(rule, value, search))),
  ]
}

const countOf = ({ examples }: RuleWithExamples): number => examples.matches.length + examples.misses.length

/** Tests every example of every rule; calls `onRule` before each with its place. */
export function testExamples(
  rules: readonly RuleWithExamples[],
  reading: ValueReading,
  onRule: (index: number) => void = () => {},
): ExampleReport {
  const failures = rules.flatMap((rule, index) => {
    onRule(index)
    return countOf(rule) === 0 ? [] : failuresOf(rule, reading)
  })
  const examples = rules.reduce((sum, rule) => sum + countOf(rule), 0)
  return {
    rules: rules.length,
    examples,
    passed: examples - failures.length,
    failed: failures.length,
    failures,
    untested: rules.filter((rule) => countOf(rule) === 0).map(({ id }) => id),
  }
}
