// The data of a request against all conditions on them at once: one set or index per datum, so that the conditions which
// do not hold cost nothing.
import type { Condition } from '#config'
import { addressIndex, compilePatternSet } from '#platform'
import { readAttribute } from '../selectors.ts'
import { qualifiedTag } from '../tags.ts'
import type { Transaction } from '../transaction.ts'

/** Finds the conditions that hold, apart from tags, which change while filters are evaluated. */
export type Probe = (t: Transaction, hit: (condition: number) => void) => void

type ParameterCondition = Extract<Condition, { match: 'parameter' }>

/** One set for all patterns that are compared with the same datum; equality with the pattern's text counts too. */
function patternProbe(
  conditions: readonly { readonly id: number; readonly pattern: string; readonly inverse: boolean }[],
  { ignoreCase, recurs }: { readonly ignoreCase: boolean; readonly recurs: boolean },
  read: (t: Transaction) => string | undefined,
): Probe {
  const set = compilePatternSet(
    conditions.map(({ pattern }) => pattern),
    { ignoreCase },
  )
  const literal = new Map<string, number[]>()
  conditions.forEach(({ pattern }, i) => {
    literal.set(pattern, [...(literal.get(pattern) ?? []), i])
  })
  const inverse = conditions.flatMap((condition, i) => (condition.inverse ? [i] : []))
  const find = (value: string): readonly number[] => {
    const found = set.match(value)
    const equal = literal.get(value)
    return equal === undefined ? found : [...found, ...equal]
  }
  const match = recurs ? remember(find) : find
  return (t, hit) => {
    const value = read(t)
    const found = value === undefined ? [] : match(value)
    for (const i of found) {
      const condition = conditions[i]
      if (condition !== undefined && !condition.inverse) hit(condition.id)
    }
    for (const i of inverse) {
      const condition = conditions[i]
      if (condition !== undefined && !found.includes(i)) hit(condition.id)
    }
  }
}

/** Headers, methods and hosts repeat from request to request; what matched them is worth remembering. */
const mostRemembered = 1024
const longestRemembered = 512

function remember(match: (value: string) => readonly number[]): (value: string) => readonly number[] {
  const known = new Map<string, readonly number[]>()
  return (value) => {
    const before = known.get(value)
    if (before !== undefined) return before
    const found = match(value)
    if (value.length > longestRemembered) return found
    if (known.size >= mostRemembered) known.clear()
    // A copy: the value may be a slice of a whole request.
    known.set(Buffer.from(value).toString(), found)
    return found
  }
}

/** Equality with one value, by hash. */
function equalityProbe(
  conditions: readonly { readonly id: number; readonly value: string; readonly inverse: boolean }[],
  read: (t: Transaction) => readonly (string | undefined)[],
): Probe {
  const positive = Map.groupBy(
    conditions.filter(({ inverse }) => !inverse),
    ({ value }) => value,
  )
  const inverse = conditions.filter((condition) => condition.inverse)
  return (t, hit) => {
    const values = read(t)
    for (const value of new Set(values)) {
      if (value !== undefined) for (const { id } of positive.get(value) ?? []) hit(id)
    }
    for (const { id, value } of inverse) if (!values.includes(value)) hit(id)
  }
}

type Numbered<C> = C & { readonly id: number }

function ipProbe(conditions: readonly Numbered<Extract<Condition, { match: 'ip' }>>[]): Probe {
  const index = addressIndex(conditions.map(({ cidr }) => cidr))
  const inverse = conditions.flatMap((condition, i) => (condition.inverse ? [i] : []))
  return (t, hit) => {
    const found = index.match(t.request.ip)
    for (const i of found) {
      const condition = conditions[i]
      if (condition !== undefined && !condition.inverse) hit(condition.id)
    }
    for (const i of inverse) {
      const condition = conditions[i]
      if (condition !== undefined && !found.includes(i)) hit(condition.id)
    }
  }
}

/** The conditions of one kind, with their numbers. */
export const only = <M extends Condition['match']>(
  conditions: readonly Condition[],
  match: M,
): readonly Numbered<Extract<Condition, { match: M }>>[] =>
  conditions.flatMap((condition, id) => {
    const wanted = (c: Condition): c is Extract<Condition, { match: M }> => c.match === match
    return wanted(condition) ? [{ ...condition, id }] : []
  })

/** Everything but tags, as few look-ups per request as there are distinct data to look at. */
export function compileProbes(conditions: readonly Condition[]): readonly Probe[] {
  const probes: Probe[] = []
  for (const [field, group] of Map.groupBy(only(conditions, 'text'), ({ field }) => field)) {
    const ignoreCase = field === 'region' || field === 'subregion'
    const recurs = field !== 'path' && field !== 'query' && field !== 'uri'
    probes.push(patternProbe(group, { ignoreCase, recurs }, (t) => readAttribute(t, field)))
  }
  const parameters: readonly Numbered<ParameterCondition>[] = only(conditions, 'parameter')
  for (const group of Map.groupBy(parameters, ({ section, name }) => `${section} ${name}`).values()) {
    const [first] = group
    if (first === undefined) continue
    const { section, name } = first
    const how = { ignoreCase: section === 'headers', recurs: section === 'headers' }
    probes.push(patternProbe(group, how, (t) => t.request[section].get(name)?.value))
  }
  const ips = only(conditions, 'ip')
  if (ips.length > 0) probes.push(ipProbe(ips))
  const asns = only(conditions, 'asn').map(({ id, asn, inverse }) => ({ id, inverse, value: String(asn) }))
  if (asns.length > 0)
    probes.push(
      equalityProbe(asns, ({ location }) => [location.asn === undefined ? undefined : String(location.asn)]),
    )
  const countries = only(conditions, 'country').map(({ id, country, inverse }) => ({
    id,
    inverse,
    value: country,
  }))
  if (countries.length > 0) {
    const tagOf = (value: string | undefined): string | undefined =>
      value === undefined ? undefined : qualifiedTag('c', value).slice(2)
    probes.push(
      equalityProbe(countries, ({ location }) => [tagOf(location.country), tagOf(location.countryCode)]),
    )
  }
  const policies = only(conditions, 'policy')
  if (policies.length > 0)
    probes.push(equalityProbe(policies, ({ site }) => [site.policy.id, site.policy.name]))
  const entries = only(conditions, 'entry')
  if (entries.length > 0) probes.push(equalityProbe(entries, ({ site }) => [site.entry.id, site.entry.name]))
  return probes
}
