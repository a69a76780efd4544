// The catalogue of what can be wrong with a document: one function per kind of mistake, with the reason in the
// words of spec pipeline 7 and the remedy beside it. What only one document knows stands in that document's file.
import type { PatternProblem } from '#platform'
import { closest } from './closest.ts'
import type { Finding } from './problem.ts'

/** At most this much of a value is repeated in a message. */
const shown = 80

/** A value as the author wrote it, in quotation marks if it is text, shortened. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string' ? JSON.stringify(value.slice(0, shown + 1)) : String(JSON.stringify(value))
  return text.length > shown ? `${text.slice(0, shown)}…` : text
}

const quoted = (words: readonly string[]): string => words.map((word) => `"${word}"`).join(', ')

/** `Did you mean "…"? `, or nothing. */
export function suggestion(word: string, words: Iterable<string>): string {
  const near = closest(word, words)
  return near === undefined ? '' : `Did you mean "${near}"? `
}

export const required = (field: string, what: string): Finding => ({
  reason: 'required',
  remedy: `Add "${field}"${what === '' ? '' : `: ${what}`}.`,
})

export const wrongType = (expected: string, value: unknown): Finding => ({
  reason: `must be ${expected}`,
  remedy: `Replace ${show(value)} by ${expected}.`,
})

export const notOneOf = (words: readonly string[], value: unknown): Finding => ({
  reason: `must be one of ${words.join(', ')}`,
  remedy: `${typeof value === 'string' ? suggestion(value, words) : ''}Replace ${show(value)} by one of ${quoted(words)}.`,
})

export const atLeast = (least: number, value: unknown): Finding => ({
  reason: `must be ≥ ${least}`,
  remedy: `Replace ${show(value)} by a number from ${least} on.`,
})

export const atMost = (most: number, value: unknown): Finding => ({
  reason: `must be ≤ ${most}`,
  remedy: `Replace ${show(value)} by a number up to ${most}.`,
})

/** An integer out of its range (spec control-plane 3.4). */
export const outOfRange = (least: number, most: number, value: unknown): Finding => ({
  reason: `must be an integer between ${least} and ${most}, is ${show(value)}`,
  remedy: `Write a whole number from ${least} to ${most}.`,
})

export const duplicate = (what: string, other: string): Finding => ({
  reason: `duplicate ${what}`,
  remedy: `${other} has it already: change or remove one of the two.`,
})

export function unknownField(name: string, known: readonly string[]): Finding {
  return {
    reason: `unknown field "${name}"`,
    remedy: `${suggestion(name, known)}Remove or rename it; known here: ${known.join(', ')}.`,
  }
}

/** A reference to an entry that is not there. `kind` is the noun of the document (`action`). */
export function unknownReference(
  kind: string,
  id: string,
  document: string,
  known: Iterable<string>,
): Finding {
  return {
    reason: `unknown ${kind} "${id.slice(0, shown)}"`,
    remedy: `${suggestion(id, known)}Name an entry of ${document}, or add one with this id.`,
  }
}

export const badPattern = (problem: PatternProblem): Finding => ({
  reason: `invalid regex at ${problem.offset}: ${problem.why}`,
  remedy: problem.why.endsWith('is not supported')
    ? 'Say it without: RE2 has no look-around, back-references, atomic groups or possessive quantifiers.'
    : 'Correct the expression there; the syntax is that of RE2.',
})

export const badAddress = (text: string): Finding => ({
  reason: `invalid address or CIDR "${text.slice(0, shown)}"`,
  remedy: 'Write an IPv4 or IPv6 address, or a network such as 198.51.100.0/24 or 2001:db8::/32.',
})

/** What a sentence of the specification quotes, or what only one place knows. */
export const finding = (reason: string, remedy: string): Finding => ({ reason, remedy })

/** Given, but nothing in this version reads it. */
export const notUsedYet = (what: string): Finding => ({
  reason: `${what} is not used yet`,
  remedy: 'Nothing needs to change; the value has no effect in this version.',
})
