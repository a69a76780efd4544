// The texts that a value stands for, and which rules are found in them (spec pipeline 4.9, step 4). A request is examined
// with these, and so are the examples of rules.
import type { ValueReading } from '#config'
import { decodedVariants } from '#request'
import { isAlphanumeric } from './restrictions.ts'
import type { Signatures } from './signatures.ts'

/** Adds the value if it is not exempt, and what it becomes when decoded. */
export function addVariants(
  texts: Set<string>,
  value: string,
  { decoding, ignoreAlphanum }: ValueReading,
): void {
  if (value !== '' && !(ignoreAlphanum && isAlphanumeric(value))) texts.add(value)
  for (const variant of decodedVariants(value, decoding)) if (variant !== '') texts.add(variant)
}

/**
 * Texts are scanned together with line breaks between them: rules match `^` and `$` at line ends, and `scan` reads
 * `\A` and `\z` as these, so whatever a rule finds in a text it also finds in the joined ones. The reverse does not
 * hold, hence `rulesIn`.
 */
const separator = '\n'

/** Places of the rules that may be found in one of the texts. */
export function candidatesIn(
  texts: readonly string[],
  { automata: { scan, alone }, rules }: Signatures,
): readonly number[] {
  const found = scan.match(texts.join(separator))
  const all = alone.length === 0 ? found : [...new Set([...found, ...alone])]
  return all.filter((place) => rules[place] !== undefined)
}

/** Places of those candidates that are found in one of the texts, ascending. */
export function rulesIn(
  texts: Iterable<string>,
  { automata: { groups } }: Signatures,
  candidates: readonly number[],
): readonly number[] {
  const found = new Set<number>()
  for (const text of texts) for (const i of groups.matchAmong(text, candidates)) found.add(i)
  return [...found].toSorted((a, b) => a - b)
}
