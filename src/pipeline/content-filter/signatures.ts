// The rules that one profile keeps, compiled to sets (spec pipeline 4.9, step 4). Profiles differ by exceptions for a few rules:
// they share the automata of all rules, and what a profile does not keep is left out of what is found.
import { createHash } from 'node:crypto'
import type { ContentFilterRule } from '#config'
import { type PatternSet, createShared } from '#platform'
import { qualifiedTag } from '../tags.ts'
import { type RuleGroups, compileRuleGroups } from './rule-groups.ts'
import { compileRuleSet } from './rule-set.ts'
import type { InjectionKind } from './libinjection.ts'

/** A rule, or one of libinjection's two checks, as a profile sees it. */
export type Signature = {
  readonly id: string
  readonly name: string
  readonly risk: number
  /** The tags that a match attaches, `cf-all` included. */
  readonly tags: readonly string[]
  /** `cf-rule-id:` and `cf-rule-name:`; all others are general (spec pipeline 4.9, step 5). */
  readonly specific: readonly string[]
  readonly outcome: 'action' | 'action-and-report' | 'report'
  /** A specific tag asks for the action: the first to be named as the reason. */
  readonly bySpecific: boolean
  readonly message: string
}

export type Signatures = {
  readonly automata: Automata
  /** By place in the automata; undefined: searched for other profiles. */
  readonly rules: readonly (Signature | undefined)[]
  /** How many rules the profile keeps. */
  readonly kept: number
  readonly injections: ReadonlyMap<InjectionKind, Signature>
}

/** What searches texts for rules; places are those of `Signatures.rules`. */
type Automata = {
  readonly groups: RuleGroups
  /** The same rules for many values joined by line breaks: finds at least what `groups` find in each of them. */
  readonly scan: PatternSet
  /** Places of rules that joined texts may hide: each text has to be asked. */
  readonly alone: readonly number[]
}

type Tagged = Pick<Signature, 'id' | 'name' | 'risk' | 'tags' | 'specific' | 'message'>

function describeRule(rule: ContentFilterRule): Tagged {
  const specific = [qualifiedTag('cf-rule-id', rule.id), qualifiedTag('cf-rule-name', rule.name)]
  const general = [
    'cf-all',
    qualifiedTag('cf-rule-category', rule.category),
    qualifiedTag('cf-rule-subcategory', rule.subcategory),
    qualifiedTag('cf-rule-risk', rule.risk),
    ...rule.tags,
  ]
  return {
    id: rule.id,
    name: rule.name,
    risk: rule.risk,
    tags: [...specific, ...general],
    specific,
    message: rule.message,
  }
}

function describeInjection(kind: InjectionKind): Tagged {
  const id = `libinjection-${kind}`
  const specific = [qualifiedTag('cf-rule-id', id)]
  const general = [
    'cf-all',
    'cf-rule-category:libinjection',
    qualifiedTag('cf-rule-subcategory', id),
    'cf-rule-risk:libinjection',
  ]
  return { id, name: id, risk: 5, tags: [...specific, ...general], specific, message: '' }
}

type Lists = {
  readonly active: ReadonlySet<string>
  readonly report: ReadonlySet<string>
  readonly ignore: ReadonlySet<string>
}

/** The table of step 5; undefined: the profile does not keep the rule. */
function judge(tagged: Tagged, { active, report, ignore }: Lists): Signature | undefined {
  const inList = (list: ReadonlySet<string>, tags: readonly string[]): boolean =>
    tags.some((tag) => list.has(tag))
  if (inList(ignore, tagged.tags)) return undefined
  const inActive = inList(active, tagged.tags)
  const inReport = inList(report, tagged.tags)
  if (!inActive && !inReport) return undefined
  const bySpecific = inList(active, tagged.specific)
  const exception = inList(report, tagged.specific) && !bySpecific
  const acts = inActive && !exception
  return { ...tagged, bySpecific, outcome: acts ? (inReport ? 'action-and-report' : 'action') : 'report' }
}

/** Start and end of the text become start and end of a line, which is what a value has in the joined text. */
const atLineEnds = (operand: string): string =>
  operand.replace(/\\(.)/gs, (escape, letter: string) =>
    letter === 'A' ? '^' : letter === 'z' ? '$' : escape,
  )

/** A rule that switches off that `^` and `$` match at line ends, or that means what looks like an escape literally. */
const readsWhole = /\(\?[a-zA-Z]*-[a-zA-Z]*m|\\Q/

/** How every rule is read, whatever it says. */
export const ruleFlags = { ignoreCase: true, lines: true } as const

/** Which rules a profile keeps, and what for (spec pipeline 4.9). */
type TagLists = Readonly<Record<'active' | 'report' | 'ignore', readonly string[]>>

const signaturesMade = createShared<Signatures>()
const automataMade = createShared<Automata>()
const fingerprints = new WeakMap<readonly ContentFilterRule[], string>()

/** The same for the same rules, of whatever policy. */
function fingerprintOf(rules: readonly ContentFilterRule[]): string {
  const known = fingerprints.get(rules)
  if (known !== undefined) return known
  const made = createHash('sha256').update(JSON.stringify(rules)).digest('base64')
  fingerprints.set(rules, made)
  return made
}

/** Profiles that keep the same rules alike, of one policy or of the next, share them. */
export const compileSignatures = (
  { active, report, ignore }: TagLists,
  rules: readonly ContentFilterRule[],
): Signatures =>
  signaturesMade.get(JSON.stringify([fingerprintOf(rules), active, report, ignore]), () =>
    compile({ active, report, ignore }, rules),
  )

function compileAutomata(operands: readonly string[]): Automata {
  return {
    groups: compileRuleGroups(operands, ruleFlags),
    scan: compileRuleSet(operands.map(atLineEnds), ruleFlags),
    alone: operands.flatMap((operand, place) => (readsWhole.test(operand) ? [place] : [])),
  }
}

function compile(profile: TagLists, rules: readonly ContentFilterRule[]): Signatures {
  const lists: Lists = {
    active: new Set(profile.active),
    report: new Set(profile.report),
    ignore: new Set(profile.ignore),
  }
  const judged = rules.map((rule) => judge(describeRule(rule), lists))
  const isKept = (_: unknown, place: number): boolean => judged[place] !== undefined
  const kept = judged.filter(isKept)
  // Who keeps few does not pay for the others.
  const areFew = kept.length * 2 <= rules.length
  const operandsOf = (some: typeof rules): readonly string[] => some.map(({ operand }) => operand)
  const automata = areFew
    ? compileAutomata(operandsOf(rules.filter(isKept)))
    : automataMade.get(fingerprintOf(rules), () => compileAutomata(operandsOf(rules)))
  const kinds: readonly InjectionKind[] = ['sqli', 'xss']
  const injections = kinds.flatMap((kind): readonly (readonly [InjectionKind, Signature])[] => {
    const signature = judge(describeInjection(kind), lists)
    return signature === undefined ? [] : [[kind, signature]]
  })
  return {
    automata,
    rules: areFew ? kept : judged,
    kept: kept.length,
    injections: new Map(injections),
  }
}
