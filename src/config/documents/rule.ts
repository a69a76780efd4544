// The rule of a global filter: entries and sections, nested at will (spec pipeline 4.3). It is read by hand, because
// an entry is a list whose second element depends on the first, which no JSON Schema says well.
import { badAddress, finding, notOneOf, unknownField, wrongType } from '../findings.ts'
import { parseCidr } from '#platform'
import type { Condition, Rule } from '../policy.ts'
import type { Report } from '../problem.ts'
import { fieldPath, isList, isObject } from '../schema/json.ts'
import { normaliseTag } from '../tag.ts'
import { readPattern } from './common.ts'

const deepest = 10

const parameters = ['args', 'cookies', 'headers', 'plugins'] as const
const texts = ['organization', 'region', 'subregion', 'method', 'authority', 'path', 'query', 'uri'] as const
const others = ['ip', 'asn', 'country', 'tag', 'securitypolicyid', 'securitypolicyentryid'] as const
type Category = (typeof parameters)[number] | (typeof texts)[number] | (typeof others)[number]

const categories: readonly Category[] = [...parameters, ...texts, ...others]

/** Other spellings (spec pipeline 3.4, 4.3). */
const aliases: Readonly<Record<string, Category>> = {
  arguments: 'args',
  company: 'organization',
  securitypolicy: 'securitypolicyid',
  securitypolicyentry: 'securitypolicyentryid',
}

const empty: Rule = { relation: 'OR', entries: [] }

/** The rule; an empty object or list matches nothing. What cannot be read is reported and left out. */
export function readRule(value: unknown, report: Report): Rule {
  if (isList(value)) {
    if (value.length === 0) return empty
    const one = readEntry(value, 'rule', report)
    return one === undefined ? empty : { relation: 'OR', entries: [one] }
  }
  if (isObject(value)) return Object.keys(value).length === 0 ? empty : readSection(value, 'rule', 1, report)
  report.problem('rule', wrongType('a section {relation, entries} or an entry [category, value]', value))
  return empty
}

function readSection(
  section: Readonly<Record<string, unknown>>,
  at: string,
  depth: number,
  report: Report,
): Rule {
  if (depth > deepest) {
    report.problem(
      at,
      finding(`nested deeper than ${deepest} sections`, 'Join sections of the same relation.'),
    )
    return empty
  }
  for (const name of Object.keys(section)) {
    if (name !== 'relation' && name !== 'entries') {
      report.problem(fieldPath(at, name), unknownField(name, ['relation', 'entries']))
    }
  }
  const { relation, entries } = section
  if (relation !== 'AND' && relation !== 'OR') {
    report.problem(`${at}.relation`, notOneOf(['AND', 'OR'], relation))
    return empty
  }
  if (!isList(entries)) {
    report.problem(`${at}.entries`, wrongType('a list of entries and sections', entries))
    return empty
  }
  const read: (Rule | Condition)[] = []
  entries.forEach((entry, index) => {
    const field = fieldPath(`${at}.entries`, index)
    const one = isObject(entry)
      ? readSection(entry, field, depth + 1, report)
      : readEntry(entry, field, report)
    if (one !== undefined) read.push(one)
  })
  return { relation, entries: read }
}

const isCategory = (word: string): word is Category => categories.some((one) => one === word)
const isParameter = (word: Category): word is (typeof parameters)[number] =>
  parameters.some((one) => one === word)
const isText = (word: Category): word is (typeof texts)[number] => texts.some((one) => one === word)

function readEntry(entry: unknown, at: string, report: Report): Condition | undefined {
  if (!isList(entry) || entry.length < 2 || entry.length > 3) {
    report.problem(at, wrongType('[category, value] or [category, value, annotation]', entry))
    return undefined
  }
  const [word, value, annotation] = entry
  if (annotation !== undefined && annotation !== null && typeof annotation !== 'string') {
    report.problem(`${at}[2]`, wrongType('a string', annotation))
  }
  const category = typeof word === 'string' && Object.hasOwn(aliases, word) ? aliases[word] : word
  if (typeof category !== 'string' || !isCategory(category)) {
    const known = notOneOf(categories, word)
    report.problem(
      `${at}[0]`,
      typeof word === 'string' ? { ...known, reason: `unknown category "${word.slice(0, 80)}"` } : known,
    )
    return undefined
  }
  return isParameter(category)
    ? readParameter(category, value, `${at}[1]`, report)
    : readValue(category, value, `${at}[1]`, report)
}

/** `!` in front inverts the rest. */
const split = (text: string) => ({
  inverse: text.startsWith('!'),
  rest: text.startsWith('!') ? text.slice(1) : text,
})

function readParameter(
  section: (typeof parameters)[number],
  value: unknown,
  at: string,
  report: Report,
): Condition | undefined {
  const [name, pattern] = isList(value) && value.length === 2 ? value : []
  if (typeof name !== 'string' || name === '' || typeof pattern !== 'string') {
    report.problem(at, wrongType('[name, value], two strings', value))
    return undefined
  }
  const { inverse, rest } = split(pattern)
  return {
    match: 'parameter',
    section,
    name: section === 'headers' ? name.toLowerCase() : name,
    pattern: readPattern(rest, `${at}[1]`, report),
    inverse,
  }
}

function readValue(
  category: Exclude<Category, (typeof parameters)[number]>,
  value: unknown,
  at: string,
  report: Report,
): Condition | undefined {
  const text = category === 'asn' && Number.isInteger(value) ? String(value) : value
  if (typeof text !== 'string') {
    report.problem(at, wrongType('a string', value))
    return undefined
  }
  const { inverse, rest } = split(text)
  if (isText(category)) {
    return { match: 'text', field: category, pattern: readPattern(rest, at, report), inverse }
  }
  if (rest.trim() === '') {
    report.problem(at, wrongType('a non-empty string', value))
    return undefined
  }
  switch (category) {
    case 'ip':
      if (parseCidr(rest) === undefined) report.problem(at, badAddress(rest))
      return { match: 'ip', cidr: rest, inverse }
    case 'asn':
      return readAsn(rest, inverse, at, report)
    case 'country':
      return { match: 'country', country: normaliseTag(rest), inverse }
    case 'tag':
      return { match: 'tag', tag: normaliseTag(rest), inverse }
    case 'securitypolicyid':
      return { match: 'policy', value: rest, inverse }
    case 'securitypolicyentryid':
      return { match: 'entry', value: rest, inverse }
    default:
      return category satisfies never
  }
}

function readAsn(text: string, inverse: boolean, at: string, report: Report): Condition | undefined {
  const digits = /^(?:AS)?([0-9]{1,10})$/i.exec(text)?.[1]
  const asn = Number(digits)
  if (digits !== undefined && asn <= 0xffffffff) return { match: 'asn', asn, inverse }
  report.problem(at, finding(`invalid ASN "${text.slice(0, 80)}"`, 'Write the number, 15169 or AS15169.'))
  return undefined
}

/** Every condition of a rule, in document order. */
export function* conditionsOf(rule: Rule): Generator<Condition> {
  for (const entry of rule.entries) {
    if ('relation' in entry) yield* conditionsOf(entry)
    else yield entry
  }
}
